package alerts

import (
	"fmt"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// A storm: more alerts of one rule at once than anybody wants to be told of. They become a group, one alert with a count; its members are kept as alerts of their own, silently.

// group makes a new alert a member of a group, if there is one for it, or if it is one too many.
func (s *session) group(r *Rule, a *row) (grouped bool, err error) {
	if r.Group == nil || r.Group.Disabled || a.ResourceID == "" {
		return false, nil
	}
	if a.Cause, err = s.cause(r, a); err != nil {
		return false, err
	}
	for _, scope := range scopes(a.Cause) {
		g, err := s.find(key{r.Name, a.Kind, "", scope, 1})
		if err != nil {
			return false, err
		}
		if g != nil {
			return true, s.join(g, a)
		}
	}
	for _, scope := range scopes(a.Cause) {
		storm, err := s.tooMany(r, a, scope)
		if err != nil {
			return false, err
		}
		if storm {
			return true, s.gather(r, a, scope)
		}
	}
	return false, nil
}

// scopes lists the groups that may take an alert: that of its cause, and that of the whole kind.
func scopes(cause string) []string {
	if cause == "" {
		return []string{""}
	}
	return []string{cause, ""}
}

// tooMany reports whether a new alert makes a group. With a common cause that is one more than Above; for the whole kind twice as many were told within the time, whatever their causes and
// whether or not they have been grouped since, so that many small storms don't make a big one.
func (s *session) tooMany(r *Rule, a *row, scope string) (bool, error) {
	since := a.RaisedAt - int64(r.Group.Within)
	q := s.tx.DB().Model(&row{}).Where("name = ? AND kind = ? AND cleared_at = 0 AND is_group = 0 AND raised_at > ?", r.Name, a.Kind, since)
	limit := r.Group.Above
	switch {
	case scope != "":
		q = q.Where("grouped_by = '' AND cause = ?", scope)
	case a.Cause == "":
		q = q.Where("grouped_by = '' AND cause = ''")
	default:
		q = q.Where("told = 1")
		limit *= 2
	}
	var n int64
	if err := q.Count(&n).Error; err != nil {
		return false, err
	}
	return n+1 > limit, nil
}

// join adds a member to a group.
func (s *session) join(g, a *row) error {
	a.GroupedBy = g.ID
	g.Count, g.Members, g.LastAt = g.Count+1, g.Members+1, max(g.LastAt, a.RaisedAt)
	g.name(a.ResourceID)
	if g.AcknowledgedAt != 0 { // who takes care of the storm takes care of this
		a.AcknowledgedAt, a.AcknowledgedBy, a.Note = g.AcknowledgedAt, g.AcknowledgedBy, g.Note
	}
	return s.save(g, "count", "members", "last_at", "first_members")
}

// gather makes a group of a new alert and those like it that aren't in one.
func (s *session) gather(r *Rule, a *row, scope string) error {
	at := timeOf(a.RaisedAt)
	id := bus.NewID(at)
	g := &row{ID: id.String(), Name: r.Name, Type: r.Type, Kind: a.Kind, Scope: scope, Severity: r.Severity, RaisedAt: a.RaisedAt, LastAt: a.RaisedAt, IsGroup: 1}
	members, err := s.likes(r, a, scope)
	if err != nil {
		return err
	}
	for _, m := range members {
		m.GroupedBy, m.NotifyAt = g.ID, 0
		if err := s.save(m, "grouped_by", "notify_at"); err != nil {
			return err
		}
		g.name(m.ResourceID)
	}
	g.Count = int64(len(members)) + 1
	g.Members = g.Count
	g.name(a.ResourceID)
	a.GroupedBy = g.ID
	g.Message = g.storm(time.Duration(r.Group.Within))
	if err := s.tx.DB().Create(g).Error; err != nil {
		return err
	}
	s.active[g.key()] = g
	return s.tell(r, g, at, bus.WithID(id))
}

func (r *row) storm(within time.Duration) string {
	common := ""
	if r.Scope != "" {
		common = " with " + r.Scope
	}
	return fmt.Sprintf("%d alerts %q about resources of kind %s%s within %s; further ones are counted, not told", r.Count, r.Name, r.Kind, common, within)
}

// likes lists the active alerts that a new group takes in, the oldest first.
func (s *session) likes(r *Rule, a *row, scope string) ([]*row, error) {
	q := s.tx.DB().Where("name = ? AND kind = ? AND cleared_at = 0 AND is_group = 0 AND grouped_by = '' AND resource_id <> '' AND raised_at > ?",
		r.Name, a.Kind, a.RaisedAt-int64(r.Group.Within))
	if scope != "" || a.Cause == "" {
		q = q.Where("cause = ?", scope)
	}
	var rows []*row
	if err := q.Order("id").Limit(2 * maxAbove).Find(&rows).Error; err != nil {
		return nil, err
	}
	for n := range rows {
		rows[n] = s.known(rows[n])
	}
	return rows, nil
}

// leave takes a member that was cleared out of its group, which ends when few are left.
func (s *session) leave(a *row, at time.Time) error {
	g, err := s.groupOf(a)
	if err != nil || g == nil {
		return err
	}
	g.Members--
	r := s.p.rule(g.Name)
	if below := belowOf(r); g.Members > below {
		return s.save(g, "members")
	}
	return s.disband(r, g, at)
}

// belowOf is how few members end a group.
func belowOf(r *Rule) int64 {
	if r == nil || r.Group == nil {
		return 0
	}
	return r.Group.Below
}

func (s *session) groupOf(a *row) (*row, error) {
	for _, scope := range scopes(a.Cause) {
		g, err := s.find(key{a.Name, a.Kind, "", scope, 1})
		if err != nil || g != nil && g.ID == a.GroupedBy {
			return g, err
		}
	}
	return nil, nil
}

// disband ends a group. Members that are left are alerts of their own from now on: those that nobody was told of are told.
func (s *session) disband(r *Rule, g *row, at time.Time) error {
	left, err := s.membersOf(g)
	if err != nil {
		return err
	}
	g.Message = fmt.Sprintf("the storm of %d alerts %q is over; %d are left", g.Count, g.Name, len(left))
	g.Members = int64(len(left))
	if err := s.end(g, at); err != nil {
		return err
	}
	for _, m := range left {
		m.GroupedBy = ""
		if err := s.save(m, "grouped_by"); err != nil {
			return err
		}
		switch {
		case m.AcknowledgedAt != 0 && m.Told == 0:
			continue
		case m.Told == 0:
			err = s.tell(r, m, at)
		default:
			s.later(r, m, at)
			err = s.save(m, "notify_at")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// membersOf lists the active members of a group.
func (s *session) membersOf(g *row) ([]*row, error) {
	var rows []*row
	if err := s.tx.DB().Where("grouped_by = ? AND cleared_at = 0", g.ID).Order("id").Find(&rows).Error; err != nil {
		return nil, err
	}
	for n := range rows {
		rows[n] = s.known(rows[n])
	}
	return rows, nil
}

// cause is what an alert has in common with others: the first of the rule's fields that its resource has a value for.
func (s *session) cause(r *Rule, a *row) (string, error) {
	k, ok := s.p.world.kinds[a.Kind]
	if !ok || k.info == nil {
		return "", nil
	}
	by := r.Group.By
	if by == nil {
		by = []string{"host_id", "zone_id"}
	}
	resource, err := s.resource(a.Kind, a.ResourceID)
	if err != nil {
		return "", err
	}
	for _, field := range by {
		if v := k.text(resource, field); v != "" {
			return field + "=" + v, nil
		}
	}
	return "", nil
}
