package usage

import (
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources"
	"gorm.io/gorm"
)

// load makes those intervals known to the ledger that a batch may touch: of its resources, open or closed by it or later.
func (l *ledger) load(db *gorm.DB, batch []bus.Event[resources.AnyChanged]) error {
	ids := make(map[string]map[string]bool) // by kind
	for _, e := range batch {
		c := e.Payload.What()
		if ids[c.Kind] == nil {
			ids[c.Kind] = make(map[string]bool)
		}
		ids[c.Kind][c.ResourceID] = true
	}
	for kind, set := range ids {
		if err := l.loadKind(db, kind, set, batch[0].Seq); err != nil {
			return err
		}
	}
	return nil
}

func (l *ledger) loadKind(db *gorm.DB, kind string, set map[string]bool, first uint64) error {
	ids := make([]string, 0, len(set))
	for id := range set {
		ids = append(ids, id)
	}
	// Two questions, each of which the index answers: an OR over closed_seq would read all that the resource ever ran.
	for _, which := range []struct {
		where string
		value uint64
	}{{"closed_seq = ?", 0}, {"closed_seq >= ?", max(1, first)}} {
		var found []*interval
		err := db.Where("kind = ? AND resource_id IN ?", kind, ids).Where(which.where, which.value).Order("opened_seq").Find(&found).Error
		if err != nil {
			return err
		}
		for _, i := range found {
			l.add(i)
		}
	}
	return nil
}

// save writes what apply noted, and appends its events.
func (l *ledger) save(tx *journal.Tx) error {
	db := tx.DB()
	if len(l.opened) > 0 {
		if err := db.CreateInBatches(l.opened, 100).Error; err != nil {
			return err
		}
	}
	for _, i := range l.closed {
		err := db.Model(&interval{}).Where("opened_seq = ? AND meter = ? AND closed_seq = 0", i.OpenedSeq, i.Meter).
			Updates(map[string]any{"ended_at": i.EndedAt, "closed_seq": i.ClosedSeq}).Error
		if err != nil {
			return err
		}
	}
	for _, n := range l.news {
		if _, err := tx.Append(n.Metered, n.stamp); err != nil {
			return err
		}
	}
	return nil
}

// stamp gives an event the time at which it happened and its cause.
func (n news) stamp(h *bus.Header) {
	h.Time = n.StartedAt
	if n.What == Closed {
		h.Time = n.EndedAt
	}
	h.Actor = n.cause.Actor
	h.CausationID = n.cause.ID.String()
	h.CorrelationID = n.cause.CorrelationID
	if h.CorrelationID == "" {
		h.CorrelationID = h.CausationID
	}
}
