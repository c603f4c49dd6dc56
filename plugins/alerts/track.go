package alerts

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
)

// tracker is a rule over how often something happens to a resource within a window: flapping, zombie, event. Of each resource it keeps the newest times only, one more than Above: enough to
// know whether there are too many, however many there are.
type tracker struct {
	*Rule
	world *world
}

type trackKey struct{ rule, kind, id string }

// track is the times at which it happened to one resource, the newest first.
type track struct {
	Rule       string `gorm:"primaryKey"`
	Kind       string `gorm:"primaryKey"`
	ResourceID string `gorm:"primaryKey"`
	Tenant     string
	Times      string
	DueAt      int64 // when it is to be looked at

	times []int64
	stale bool // has to be written
}

// TableName is gorm's.
func (track) TableName() string { return "alerts_tracks" }

// add notes a time, and keeps so many of the newest.
func (t *track) add(at int64, keep int) {
	n, _ := slices.BinarySearchFunc(t.times, at, func(have, at int64) int { return -cmpInt(have, at) })
	t.times = slices.Insert(t.times, n, at)
	t.times = t.times[:min(len(t.times), keep)]
}

func cmpInt(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// within counts the times after one.
func (t *track) within(start int64) int64 {
	for n, at := range t.times {
		if at <= start {
			return int64(n)
		}
	}
	return int64(len(t.times))
}

func (t *track) encode() {
	parts := make([]string, len(t.times))
	for n, at := range t.times {
		parts[n] = strconv.FormatInt(at, 36)
	}
	t.Times = strings.Join(parts, " ")
}

func (t *track) decode() error {
	t.times = t.times[:0]
	for _, part := range strings.Fields(t.Times) {
		at, err := strconv.ParseInt(part, 36, 64)
		if err != nil {
			return fmt.Errorf("alerts: table alerts_tracks, %s %s/%s: %w", t.Rule, t.Kind, t.ResourceID, err)
		}
		t.times = append(t.times, at)
	}
	return nil
}

// moved counts a change of state between two of the rule's states, however it went: what lies between has the first as its origin.
func (f *tracker) moved(s *session, c resources.Change) error {
	if f.Type != FlappingRule || !f.isAbout(c.Kind) || c.Action != resources.Moved || !f.counts(c.Kind, c.To) {
		return nil
	}
	from := c.From
	if !f.counts(c.Kind, from) {
		from = c.FromOrigin
	}
	if from == c.To || !f.counts(c.Kind, from) {
		return nil
	}
	return f.happened(s, about{kind: c.Kind, id: c.ResourceID, tenant: c.Tenant}, c.Time, 1, "")
}

// counts reports whether a state is one of those that a resource may flap between.
func (f *tracker) counts(kind string, s fsm.State) bool {
	if s == "" {
		return false
	}
	if len(f.States) > 0 {
		return slices.Contains(f.States, s)
	}
	class, ok := f.world.kinds[kind].class(s)
	return ok && class != fsm.Transitional
}

func (k kind) class(s fsm.State) (fsm.Class, bool) {
	if k.machine == nil {
		return fsm.Steady, false
	}
	return k.machine.Class(s)
}

// refused counts a report that the machine refused.
func (f *tracker) refused(s *session, r resources.Refused) error {
	if f.Type != ZombieRule || !f.isAbout(r.Kind) || !f.hasState(r.State) {
		return nil
	}
	if len(f.Triggers) > 0 && !slices.Contains(f.Triggers, r.Trigger) || len(f.Triggers) == 0 && !strings.HasPrefix(string(r.Trigger), "report_") {
		return nil
	}
	said := fmt.Sprintf("%s/%s is %s, but there came %s", r.Kind, r.ResourceID, r.State, r.Trigger)
	if r.Actor != "" {
		said += " from " + r.Actor
	}
	return f.happened(s, about{kind: r.Kind, id: r.ResourceID, tenant: r.Tenant}, r.Time, max(r.Count, 1), said)
}

// left clears the alert about a zombie that isn't in the state any more in which it was none.
func (f *tracker) left(s *session, c resources.Change) error {
	if f.Type != ZombieRule || !f.isAbout(c.Kind) || c.From == c.To {
		return nil
	}
	if len(f.States) > 0 && slices.Contains(f.States, c.To) {
		return nil
	}
	what := about{kind: c.Kind, id: c.ResourceID}
	t, err := s.track(f.Rule, what)
	if err != nil || len(t.times) == 0 {
		return err
	}
	t.times, t.stale = nil, true
	return s.clear(f.Name, what, c.Time)
}

// happened notes that it happened to a resource, and raises if that was too often.
func (f *tracker) happened(s *session, what about, at time.Time, times int64, said string) error {
	start := s.now.Add(-time.Duration(f.Window)).UnixNano()
	if at.UnixNano() <= start {
		return nil // old news
	}
	t, err := s.track(f.Rule, what)
	if err != nil {
		return err
	}
	t.Tenant, t.stale = what.tenant, true
	t.add(min(at.UnixNano(), s.now.UnixNano()), int(f.Above)+1)
	if t.within(start) <= f.Above {
		return nil
	}
	if said == "" {
		said = fmt.Sprintf("%s/%s has changed its state more than %d times within %s", what.kind, what.id, f.Above, time.Duration(f.Window))
	}
	return s.raise(f.Rule, what, said, s.now, times)
}

// track returns what is kept of a resource.
func (s *session) track(r *Rule, what about) (*track, error) {
	k := trackKey{r.Name, what.kind, what.id}
	if t := s.tracks[k]; t != nil {
		return t, nil
	}
	var found []*track
	if !s.preloaded(key{kind: what.kind, id: what.id}) {
		if err := s.tx.DB().Where("rule = ? AND kind = ? AND resource_id = ?", k.rule, k.kind, k.id).Limit(1).Find(&found).Error; err != nil {
			return nil, err
		}
	}
	t := &track{Rule: k.rule, Kind: k.kind, ResourceID: k.id}
	if len(found) > 0 {
		t = found[0]
	}
	s.tracks[k] = t
	return t, t.decode()
}

// preloadTracks looks up at once what is kept of some resources.
func (s *session) preloadTracks(ids []string) error {
	if len(s.p.trackers) == 0 || len(ids) == 0 {
		return nil
	}
	var found []*track
	if err := s.tx.DB().Where("resource_id IN ?", ids).Find(&found).Error; err != nil {
		return err
	}
	for _, t := range found {
		if err := t.decode(); err != nil {
			return err
		}
		s.tracks[trackKey{t.Rule, t.Kind, t.ResourceID}] = t
	}
	return nil
}

// settle writes what the session has changed.
func (f *tracker) settle(s *session) error {
	for k, t := range s.tracks {
		if k.rule != f.Name || !t.stale {
			continue
		}
		if err := f.keep(s, t); err != nil {
			return err
		}
	}
	return nil
}

// keep writes a track, or deletes one of which nothing is left.
func (f *tracker) keep(s *session, t *track) error {
	t.stale = false
	start := s.now.Add(-time.Duration(f.Window)).UnixNano()
	t.times = t.times[:t.within(start)]
	if len(t.times) == 0 {
		return s.tx.DB().Where("rule = ? AND kind = ? AND resource_id = ?", t.Rule, t.Kind, t.ResourceID).Delete(&track{}).Error
	}
	t.encode()
	// Next to be looked at when no more than ClearAt will be left; if that is so already, when none will.
	next := t.times[0]
	if n := int(f.ClearAt); n < len(t.times) {
		next = t.times[n]
	}
	t.DueAt = next + int64(f.Window)
	s.wake(t.DueAt)
	return s.tx.DB().Exec(`INSERT INTO alerts_tracks (rule, kind, resource_id, tenant, times, due_at) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (rule, kind, resource_id) DO UPDATE SET tenant = excluded.tenant, times = excluded.times, due_at = excluded.due_at`,
		t.Rule, t.Kind, t.ResourceID, t.Tenant, t.Times, t.DueAt).Error
}

// dueAtOnce is how many rows that are due are worked off in one transaction.
const dueAtOnce = 200

// calm clears what has become rarer, and forgets what is over.
func (f *tracker) calm(s *session) error {
	var due []*track
	if err := s.tx.DB().Where("rule = ? AND due_at <= ?", f.Name, s.now.UnixNano()).Order("due_at").Limit(dueAtOnce).Find(&due).Error; err != nil {
		return err
	}
	start := s.now.Add(-time.Duration(f.Window)).UnixNano()
	for _, t := range due {
		if err := t.decode(); err != nil {
			return err
		}
		if t.within(start) <= f.ClearAt {
			if err := s.clear(f.Name, about{kind: t.Kind, id: t.ResourceID}, s.now); err != nil {
				return err
			}
		}
		if err := f.keep(s, t); err != nil {
			return err
		}
	}
	return nil
}
