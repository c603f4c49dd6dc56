package usage

import (
	"database/sql"
	"fmt"
	"slices"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/resources"
)

// retelling works the events that the journal still holds of a resource into intervals once more.
type retelling struct {
	page   *page
	id     string
	ledger *ledger
	first  uint64 // of the events; 0: there was none yet
	torn   bool   // one of them can't be told, so nor can what follows
}

// compareHistories compares the page's intervals with what the journal tells, up to the ledger's position. Of a resource whose first events are gone, what was open before the
// first one left is taken from the ledger.
func (p *page) compareHistories() error {
	where, args := p.where()
	// Conditions that aren't written as columns leave it to the index on (kind, resource_id, seq).
	statement := "SELECT resource_id, seq, type, schema, data FROM journal" + where + " AND seq + 0 <= ? AND type || '' >= ? AND type || '' < ? ORDER BY resource_id, seq"
	args = append(args, p.position, p.kind+".", p.kind+"/")
	var rec bus.Record
	var id, data sql.RawBytes
	var r *retelling
	err := each(p.tx, statement, args, []any{&id, &rec.Seq, &rec.Type, &rec.Schema, &data}, func() bool {
		if r == nil || r.id != string(id) {
			r.end()
			r = &retelling{page: p, id: string(id), ledger: newLedger(p.p.table)}
		}
		rec.Data = []byte(data)
		r.tell(rec)
		return true
	})
	if err == nil {
		r.end()
	}
	return err
}

// tell applies an event.
func (r *retelling) tell(rec bus.Record) {
	r.page.result.Events++
	payload, err := r.page.p.runtime.Bus().Decode(rec)
	change, ok := payload.(resources.AnyChanged)
	if err == nil && !ok || r.torn {
		return // news that isn't a change: stuck
	}
	if err == nil {
		if r.first == 0 {
			r.begin(rec.Seq, change.What())
		}
		err = r.ledger.apply(bus.Header{Seq: rec.Seq}, change)
	}
	if err != nil {
		r.torn = true
		r.note(Difference{Reason: fmt.Sprintf("event %d can't be read: %v", rec.Seq, err), Seq: rec.Seq})
	}
}

// begin takes over what was open before the first event, and compares it with the state that this one left.
func (r *retelling) begin(seq uint64, c resources.Change) {
	r.first = seq
	var before []Meter
	if c.Action != resources.Created {
		before = running(r.page.machine, r.page.meters, c.From, c.FromOrigin)
	}
	for _, i := range r.page.intervals[r.id] {
		if !i.openAt(seq) {
			continue
		}
		n := slices.IndexFunc(before, func(m Meter) bool { return m.Name == i.Meter })
		if n < 0 {
			r.note(Difference{Meter: i.Meter, Is: i.entry(), Seq: seq, Reason: fmt.Sprintf("ran just before event %d, but should not have in %q", seq, c.From)})
		} else {
			before = slices.Delete(before, n, n+1)
		}
		own := *i
		own.ClosedSeq, own.EndedAt = 0, 0
		r.ledger.add(&own)
	}
	for _, m := range before {
		r.note(Difference{Meter: m.Name, Seq: seq, Reason: fmt.Sprintf("didn't run just before event %d, but should have in %q", seq, c.From)})
	}
}

// end compares the two; of nil there is nothing to compare.
func (r *retelling) end() {
	if r == nil || r.first == 0 || r.torn {
		return
	}
	told := r.ledger.known[resource{r.page.kind, r.id}]
	for _, is := range r.page.intervals[r.id] {
		if is.OpenedSeq < r.first && !is.openAt(r.first) {
			continue // it was over before
		}
		n := slices.IndexFunc(told, func(i *interval) bool { return i.OpenedSeq == is.OpenedSeq && i.Meter == is.Meter })
		switch {
		case n < 0:
			r.note(Difference{Meter: is.Meter, Is: is.entry(), Seq: is.OpenedSeq, Reason: "is in the ledger, but the journal tells of none"})
			continue
		case *told[n] != *is:
			r.note(Difference{Meter: is.Meter, Is: is.entry(), Should: told[n].entry(), Seq: max(told[n].OpenedSeq, told[n].ClosedSeq), Reason: "isn't what the journal tells"})
		}
		told = slices.Delete(told, n, n+1)
	}
	for _, i := range told {
		r.note(Difference{Meter: i.Meter, Should: i.entry(), Seq: i.OpenedSeq, Reason: "is told of by the journal, but not in the ledger"})
	}
}

func (r *retelling) note(d Difference) {
	d.Against, d.Kind, d.ResourceID = AgainstJournal, r.page.kind, r.id
	r.page.note(d)
}
