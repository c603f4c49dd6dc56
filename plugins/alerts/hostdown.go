package alerts

import (
	"fmt"
	"slices"
	"time"
)

// stays is the books of a rule over resources that are in a state for too long, of one kind: who is in one, since when.
type stays struct {
	*Rule
	of string
}

// stay is a resource that is in one of the rule's states.
type stay struct {
	Follow     string `gorm:"primaryKey"`
	ResourceID string `gorm:"primaryKey"`
	Kind       string
	Tenant     string
	State      string
	Since      int64
	DueAt      int64 // when it is too long, or so again
	Version    int64
}

// TableName is gorm's.
func (stay) TableName() string { return "alerts_stays" }

func (f *stays) kind() string { return f.of }

func (f *stays) key() string {
	return fmt.Sprintf("stays %s %s %v %v", f.Name, f.of, f.States, time.Duration(f.For))
}

func (f *stays) ids(s *session, after, last string, limit int) ([]string, error) {
	return s.idsOf(&stay{}, f.key(), after, last, limit)
}

func (s *session) idsOf(model any, follow, after, last string, limit int) (ids []string, err error) {
	q := s.tx.DB().Model(model).Where("follow = ? AND resource_id > ?", follow, after)
	if last != "" {
		q = q.Where("resource_id <= ?", last)
	}
	return ids, q.Order("resource_id").Limit(limit).Pluck("resource_id", &ids).Error
}

func (f *stays) filled(*session) error { return nil }

// apply notes that a resource has come into one of the states, or has left them.
func (f *stays) apply(s *session, o *observation) error {
	var found []*stay
	if err := s.tx.DB().Where("follow = ? AND resource_id = ?", f.key(), o.id).Limit(1).Find(&found).Error; err != nil {
		return err
	}
	known := len(found) > 0
	version := int64(o.object.Version)
	if known && !o.gone && (found[0].Version == version || o.seq != 0 && found[0].Version > version) {
		return nil // no news
	}
	if o.gone || !slices.Contains(f.States, o.object.State) {
		return f.recovered(s, o, known)
	}
	next := stay{
		Follow: f.key(), ResourceID: o.id, Kind: f.of, Tenant: o.tenant, State: string(o.object.State), Since: o.object.StateSince.UnixNano(), Version: version,
	}
	if known { // from one of the states to another it is as long away as before
		next.Since, next.DueAt = found[0].Since, found[0].DueAt
	} else {
		next.DueAt = next.Since + int64(f.For)
	}
	s.wake(next.DueAt)
	return s.tx.DB().Exec(`INSERT INTO alerts_stays (follow, resource_id, kind, tenant, state, since, due_at, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (follow, resource_id) DO UPDATE SET tenant = excluded.tenant, state = excluded.state, since = excluded.since, due_at = excluded.due_at, version = excluded.version`,
		next.Follow, next.ResourceID, next.Kind, next.Tenant, next.State, next.Since, next.DueAt, next.Version).Error
}

func (f *stays) recovered(s *session, o *observation, known bool) error {
	if known {
		if err := s.tx.DB().Where("follow = ? AND resource_id = ?", f.key(), o.id).Delete(&stay{}).Error; err != nil {
			return err
		}
	}
	at := o.at
	if at.IsZero() {
		at = s.now
	}
	return s.clear(f.Name, about{kind: f.of, id: o.id}, at)
}

// overdue raises what is in a state for too long, unless an event that hasn't come yet says that it isn't any more.
func (f *stays) overdue(s *session) error {
	if !s.current(f) {
		return nil
	}
	var due []*stay
	if err := s.tx.DB().Where("follow = ? AND due_at <= ?", f.key(), s.now.UnixNano()).Order("due_at, resource_id").Limit(dueAtOnce).Find(&due).Error; err != nil {
		return err
	}
	for _, d := range due {
		at := d.DueAt
		d.DueAt += (1 + (s.now.UnixNano()-at)/int64(f.For)) * int64(f.For) // several times that passed unnoticed are one
		s.wake(d.DueAt)
		late, err := s.pending(d.Kind, d.ResourceID)
		if err != nil {
			return err
		}
		if late {
			d.DueAt = s.now.UnixNano() + int64(time.Second)
			s.wake(d.DueAt)
		} else if err := f.tooLong(s, d, at); err != nil {
			return err
		}
		if err := s.tx.DB().Model(&stay{}).Where("follow = ? AND resource_id = ?", d.Follow, d.ResourceID).Update("due_at", d.DueAt).Error; err != nil {
			return err
		}
	}
	return nil
}

func (f *stays) tooLong(s *session, d *stay, at int64) error {
	message := fmt.Sprintf("%s/%s is %s; it has been away since %s, for more than %s", d.Kind, d.ResourceID, d.State, timeOf(d.Since).Format(time.RFC3339), time.Duration(f.For))
	return s.raise(f.Rule, about{kind: d.Kind, id: d.ResourceID, tenant: d.Tenant}, message, timeOf(at), 1)
}
