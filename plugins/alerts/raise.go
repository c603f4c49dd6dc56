package alerts

import (
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// about is what an alert is about.
type about struct{ kind, id, scope, tenant string }

// raise raises an alert, or counts so many repeats of the one that is active for the same rule and resource. A rule that is disabled raises nothing.
func (s *session) raise(r *Rule, what about, message string, at time.Time, times int64) error {
	if r.Disabled {
		return nil
	}
	now := at.UnixNano()
	a, err := s.find(key{r.Name, what.kind, what.id, what.scope, 0})
	if err != nil {
		return err
	}
	if a != nil {
		a.Count, a.LastAt, a.Message = a.Count+times, max(now, a.LastAt), message
		return s.save(a, "count", "last_at", "message")
	}
	a = &row{
		Name: r.Name, Type: r.Type, Kind: what.kind, ResourceID: what.id, Scope: what.scope, Tenant: what.tenant, Severity: r.Severity, Message: message,
		RaisedAt: now, LastAt: now, Count: times,
	}
	id := bus.NewID(at)
	a.ID = id.String()
	grouped, err := s.group(r, a)
	if err != nil {
		return err
	}
	if err := s.tx.DB().Create(a).Error; err != nil {
		return err
	}
	s.active[a.key()] = a
	if grouped {
		return nil
	}
	return s.tell(r, a, at, bus.WithID(id))
}

// tell records that an alert is raised, and when that is to be told again.
func (s *session) tell(r *Rule, a *row, at time.Time, stamps ...bus.Stamp) error {
	a.Told = 1
	s.later(r, a, at)
	return s.notify(a, Notice{What: Raised, Alert: a.alert()}, at, stamps...)
}

// later has an active alert told again after the rule's interval.
func (s *session) later(r *Rule, a *row, at time.Time) {
	a.NotifyAt = 0
	if r != nil && r.Renotify > 0 && a.AcknowledgedAt == 0 {
		a.NotifyAt = at.Add(time.Duration(r.Renotify)).UnixNano()
		s.wake(a.NotifyAt)
	}
}

// keptNotices is how many notices of an alert are kept: the first and the newest.
const keptNotices = 100

// notify appends an event about an alert, and keeps it in the alert's history.
func (s *session) notify(a *row, n Notice, at time.Time, stamps ...bus.Stamp) error {
	a.Notices++
	kept := noticeRow{AlertID: a.ID, N: a.Notices, What: n.What, At: at.UnixNano(), Message: a.Message, Count: a.Count}
	if n.What == Acknowledged {
		kept.Actor, kept.Note = a.AcknowledgedBy, a.Note
		stamps = append(stamps, bus.WithActor(a.AcknowledgedBy))
	}
	if err := s.tx.DB().Create(&kept).Error; err != nil {
		return err
	}
	if a.Notices > keptNotices {
		if err := s.tx.DB().Exec("DELETE FROM alerts_notices WHERE alert_id = ? AND n > 1 AND n <= ?", a.ID, a.Notices-keptNotices+1).Error; err != nil {
			return err
		}
	}
	if err := s.save(a, "told", "notices", "notify_at"); err != nil {
		return err
	}
	_, err := s.tx.Append(n, append([]bus.Stamp{bus.WithTime(at)}, stamps...)...)
	return err
}

// save writes some columns of an alert.
func (s *session) save(a *row, columns ...string) error {
	return s.tx.DB().Model(&row{}).Where("id = ?", a.ID).Select(columns).Updates(a).Error
}

// clear clears the active alert of a rule and resource, if there is one.
func (s *session) clear(name string, what about, at time.Time) error {
	a, err := s.find(key{name, what.kind, what.id, what.scope, 0})
	if err != nil || a == nil {
		return err
	}
	return s.end(a, at)
}

// end clears an active alert. That is told if it was told that it was raised.
func (s *session) end(a *row, at time.Time) error {
	a.ClearedAt, a.NotifyAt = max(at.UnixNano(), a.RaisedAt), 0
	if err := s.save(a, "cleared_at", "notify_at", "members", "message"); err != nil {
		return err
	}
	s.active[a.key()] = nil
	if a.Told == 1 {
		if err := s.notify(a, Notice{What: Cleared, Alert: a.alert()}, timeOf(a.ClearedAt)); err != nil {
			return err
		}
	}
	if a.GroupedBy == "" {
		return nil
	}
	return s.leave(a, at)
}
