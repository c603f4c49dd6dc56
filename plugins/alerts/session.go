package alerts

import (
	"slices"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources"
	"gorm.io/gorm"
)

// session is the plugin's work in one transaction: a batch of events, or what is due by the clock. It knows the active alerts that it has looked up, and sees to it that sessions of all
// servers come one after the other.
type session struct {
	p   *Plugin
	tx  *journal.Tx
	now time.Time

	seen   uint64 // the position: events up to here have had their say
	active map[key]*row
	wakeAt int64 // when the clock has to be looked at; 0: as before

	subject  *observation // the resource that the event at hand is about
	follows  map[string]*followRow
	shares   map[shareKey]*shareRow
	deltas   map[sumKey]*delta
	tracks   map[trackKey]*track
	outcomes map[string]tally // by rule
}

// key is what there is at most one active alert for.
type key struct {
	name, kind, id, scope string
	group                 int64
}

// session begins one. It waits for those of other servers, and reads the position.
func (p *Plugin) session(tx *journal.Tx, now time.Time) (*session, error) {
	s := &session{
		p: p, tx: tx, now: now, active: make(map[key]*row), follows: make(map[string]*followRow), shares: make(map[shareKey]*shareRow),
		deltas: make(map[sumKey]*delta), tracks: make(map[trackKey]*track), outcomes: make(map[string]tally),
	}
	if err := tx.DB().Exec("INSERT INTO alerts_position (name, seq) VALUES (?, 0) ON CONFLICT (name) DO UPDATE SET seq = alerts_position.seq", Name).Error; err != nil {
		return nil, err
	}
	var err error
	s.seen, err = position(tx.DB(), Name)
	return s, err
}

// position is the newest change that the rules have seen. It never goes back, unlike the subscription's, which an operator may rewind.
func position(db *gorm.DB, name string) (seq uint64, err error) {
	err = db.Raw("SELECT COALESCE(MAX(seq), 0) FROM alerts_position WHERE name = ?", name).Scan(&seq).Error
	return seq, err
}

func setPosition(db *gorm.DB, name string, seq uint64) error {
	return db.Exec("INSERT INTO alerts_position (name, seq) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET seq = excluded.seq", name, seq).Error
}

// wake has the clock looked at, at a time.
func (s *session) wake(at int64) {
	if s.wakeAt == 0 || at < s.wakeAt {
		s.wakeAt = at
	}
}

// preload looks up the active alerts about some resources at once.
func (s *session) preload(ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	var rows []*row
	if err := s.tx.DB().Where("cleared_at = 0 AND is_group = 0 AND resource_id IN ?", ids).Find(&rows).Error; err != nil {
		return err
	}
	for _, r := range rows {
		s.active[r.key()] = r
	}
	return nil
}

// preloaded reports whether all that is known of the resource at hand was looked up before.
func (s *session) preloaded(k key) bool {
	return s.subject != nil && k.group == 0 && k.id != "" && k.id == s.subject.id && k.kind == s.subject.kind && s.subject.preloaded
}

// find returns the active alert, nil if there is none.
func (s *session) find(k key) (*row, error) {
	if r, known := s.active[k]; known || s.preloaded(k) {
		return r, nil
	}
	var found []*row
	err := s.tx.DB().Where("name = ? AND kind = ? AND resource_id = ? AND scope = ? AND is_group = ? AND cleared_at = 0", k.name, k.kind, k.id, k.scope, k.group).Limit(1).Find(&found).Error
	if err != nil {
		return nil, err
	}
	s.active[k] = nil
	if len(found) > 0 {
		s.active[k] = found[0]
	}
	return s.active[k], nil
}

// known returns a row as the session knows it, so that there are never two of one.
func (s *session) known(r *row) *row {
	if k := s.active[r.key()]; k != nil && k.ID == r.ID {
		return k
	}
	s.active[r.key()] = r
	return r
}

// activeAbout lists the active alerts about a resource.
func (s *session) activeAbout(kind, id string) ([]*row, error) {
	var rows []*row
	if err := s.tx.DB().Where("kind = ? AND resource_id = ? AND cleared_at = 0 AND is_group = 0", kind, id).Order("id").Find(&rows).Error; err != nil {
		return nil, err
	}
	for n := range rows {
		rows[n] = s.known(rows[n])
	}
	return rows, nil
}

// observation is a resource as it is, or was after an event.
type observation struct {
	kind, id, tenant string
	seq              uint64 // of the event; 0: read from its table
	at               time.Time
	object           resources.Object
	resource         any  // *T
	gone             bool // removed
	preloaded        bool // the active alerts about it are known
}

// observed returns what an event says about its resource; nil if it isn't a change.
func observed(e bus.Event[bus.Addressed]) *observation {
	tenant, kind, id := e.Payload.Address()
	o := &observation{kind: kind, id: id, tenant: tenant, seq: e.Seq, at: e.Time}
	if c, ok := e.Payload.(resources.AnyChanged); ok {
		o.resource = c.Snapshot()
		o.gone = c.What().Action == resources.Removed
		if obj := resources.ObjectOf(o.resource); obj != nil {
			o.object = *obj
		}
	}
	return o
}

// subjects lists the resources of a batch.
func subjects(batch []bus.Event[bus.Addressed], seen uint64) (ids []string) {
	for _, e := range batch {
		if e.Seq > seen && e.ResourceID != "" {
			ids = append(ids, e.ResourceID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
