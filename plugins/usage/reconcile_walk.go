package usage

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
	"gorm.io/gorm"
)

// reconciler is one reconciliation.
type reconciler struct {
	p      *Plugin
	db     *gorm.DB // for reading
	parked map[resource]bool
	result *Reconciliation
}

// kindWalk takes the resources of a kind in order of their ids: those that live, those that the ledger has and those that the journal has, side by side.
type kindWalk struct {
	*reconciler
	kind    string
	machine *fsm.Machine
	meters  []Meter
	live    *resources.Handle // nil: the live ones aren't known
}

// pageSize is how many resources a page has of each of the three.
const pageSize = 500

// page is the resources with ids behind after and up to last, as they are at one moment.
type page struct {
	*kindWalk
	tx          *gorm.DB
	after, last string // last "": to the end
	position    uint64 // of the ledger in the journal
	living      map[string]any
	intervals   map[string][]*interval
}

func (w *kindWalk) walk(ctx context.Context) error {
	w.result.Kinds = append(w.result.Kinds, w.kind)
	if w.live != nil {
		w.result.Live = append(w.result.Live, w.kind)
	}
	for after := ""; ; {
		var living []any
		var next string
		if w.live != nil { // before the transaction: what it sees is at least as new
			var err error
			if living, next, err = w.live.List(ctx, resources.Query{After: after, Limit: pageSize}); err != nil {
				return err
			}
		}
		pg := &page{kindWalk: w, after: after, last: next, living: make(map[string]any), intervals: make(map[string][]*interval)}
		err := w.db.Transaction(func(tx *gorm.DB) error {
			pg.tx = tx
			return pg.compare(ctx, living)
		})
		if err != nil {
			return err
		}
		if after = pg.last; after == "" {
			return nil
		}
	}
}

func (p *page) compare(ctx context.Context, living []any) error {
	for _, table := range []string{"usage_intervals", "journal"} {
		if err := p.bound(table); err != nil {
			return err
		}
	}
	if err := p.tx.Raw("SELECT COALESCE(MAX(seq), 0) FROM journal_cursor WHERE name = ?", Name).Scan(&p.position).Error; err != nil {
		return err
	}
	for _, v := range living {
		if id := resources.ObjectOf(v).ID; p.last == "" || id <= p.last {
			p.living[id] = v
		}
	}
	p.result.Resources += int64(len(p.living))
	if err := p.load(); err != nil {
		return err
	}
	if err := p.compareHistories(); err != nil {
		return err
	}
	if p.live == nil {
		return nil
	}
	return p.compareLiving(ctx)
}

// bound ends the page where that of a table ends, if it is full.
func (p *page) bound(table string) error {
	var found struct {
		Last  string
		Count int64
	}
	where, args := p.where()
	err := p.tx.Raw("SELECT COALESCE(MAX(resource_id), '') AS last, COUNT(*) AS count FROM (SELECT DISTINCT resource_id FROM "+table+where+
		" ORDER BY resource_id LIMIT ?) AS ids", append(args, pageSize)...).Scan(&found).Error
	if err == nil && found.Count == pageSize {
		p.last = found.Last
	}
	return err
}

// where selects the page in a table that has kind and resource_id.
func (p *page) where() (string, []any) {
	if p.last == "" {
		return " WHERE kind = ? AND resource_id > ?", []any{p.kind, p.after}
	}
	return " WHERE kind = ? AND resource_id > ? AND resource_id <= ?", []any{p.kind, p.after, p.last}
}

// load reads the page's intervals as they are at the ledger's position: after a rewind the rest is yet to come again.
func (p *page) load() error {
	where, args := p.where()
	var all []*interval
	if err := p.tx.Raw("SELECT * FROM usage_intervals"+where+" AND opened_seq + 0 <= ? ORDER BY resource_id, opened_seq, meter", append(args, p.position)...).Scan(&all).Error; err != nil {
		return err
	}
	for _, i := range all {
		if i.ClosedSeq > p.position {
			i.ClosedSeq, i.EndedAt = 0, 0
		}
		p.intervals[i.ResourceID] = append(p.intervals[i.ResourceID], i)
	}
	p.result.Intervals += int64(len(all))
	return nil
}

// compareLiving compares what is open with what the resources say should be.
func (p *page) compareLiving(ctx context.Context) error {
	ids := make([]string, 0, len(p.living))
	for id := range p.living {
		ids = append(ids, id)
	}
	for id := range p.intervals {
		if p.living[id] == nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	for _, id := range ids {
		differences := p.against(p.living[id], id)
		if len(differences) == 0 {
			continue
		}
		seq, pending, err := p.pending(ctx, id)
		if err != nil {
			return err
		}
		for _, d := range differences {
			d.Seq, d.Pending = seq, pending
			p.note(d)
		}
	}
	return nil
}

// pending says why a difference between the ledger and a live resource may be none, and the number of the resource's newest event that the ledger has read.
func (p *page) pending(ctx context.Context, id string) (seq uint64, why string, err error) {
	var newest struct{ Seq, Version uint64 }
	err = p.tx.Raw("SELECT seq, version FROM journal WHERE kind = ? AND resource_id = ? AND type || '' >= ? AND type || '' < ? ORDER BY seq DESC LIMIT 1",
		p.kind, id, p.kind+".", p.kind+"/").Scan(&newest).Error
	switch v := p.living[id]; {
	case err != nil:
		return 0, "", err
	case newest.Seq > p.position:
		return p.position, Behind, nil
	case v == nil:
		_, err := p.live.Get(ctx, id)
		if err == nil {
			return newest.Seq, Changing, nil // it was made after the page had been read
		}
		if !errors.Is(err, resources.ErrNotFound) {
			return 0, "", err
		}
	case newest.Version > resources.ObjectOf(v).Version:
		return newest.Seq, Changing, nil
	}
	return newest.Seq, "", nil
}

// against returns how what is open differs from what a live resource (nil: it is gone) should have open.
func (p *page) against(v any, id string) (found []Difference) {
	d := Difference{Against: AgainstResource, Kind: p.kind, ResourceID: id}
	note := func(reason string, args ...any) {
		d.Reason = fmt.Sprintf(reason, args...)
		found = append(found, d)
	}
	var want []Meter
	if v != nil {
		o := resources.ObjectOf(v)
		want, d.State = running(p.machine, p.meters, o.State, o.Origin), o.State
	}
	for _, i := range p.intervals[id] {
		if i.ClosedSeq != 0 {
			continue
		}
		d.Meter, d.Is, d.Should = i.Meter, i.entry(), nil
		n := slices.IndexFunc(want, func(m Meter) bool { return m.Name == i.Meter })
		switch {
		case v == nil:
			note("runs, but the resource is gone")
			continue
		case n < 0:
			note("runs, but not in %s", d.State)
			continue
		}
		var err error
		if d.Should, err = wanted(want[n], v); err != nil {
			note("runs, but at what size it should can't be told: %v", err)
		} else if d.Should.Tenant != i.Tenant || d.Should.Size != i.Size {
			note("runs for another tenant or at another size")
		}
		want = slices.Delete(want, n, n+1)
	}
	for _, m := range want {
		d.Meter, d.Is = m.Name, nil
		if d.Should, _ = wanted(m, v); d.Should == nil { // without a size there is still a tenant
			d.Should = &Entry{Tenant: resources.ObjectOf(v).Tenant}
		}
		note("doesn't run, but should in %s", d.State)
	}
	return found
}

// wanted is what a meter that runs should have of a resource.
func wanted(m Meter, v any) (*Entry, error) {
	e := &Entry{Tenant: resources.ObjectOf(v).Tenant}
	if m.Size == nil {
		return e, nil
	}
	var err error
	if e.Size, err = m.Size(v); err != nil {
		return nil, fmt.Errorf("meter %s: %w", m.Name, err)
	}
	return e, nil
}
