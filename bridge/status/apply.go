package status

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
)

// errAnew: what is stored isn't what the batch was planned on.
var errAnew = errors.New("status: another server has written observations of the same resources meanwhile")

// tries is how often a batch is planned again because another server came between.
const tries = 8

func closed(err error) bool { return errors.Is(err, journal.ErrClosed) }

// apply takes items in one transaction, in their order: observations, moves and events of those that are news, what is rejected into the
// quarantine. The caller holds applying.
func (i *Ingest) apply(ctx context.Context, items []*item) error {
	for try := 1; ; try++ {
		err := i.tryApply(ctx, items)
		if err == nil || !errors.Is(err, errAnew) || try == tries {
			return err
		}
	}
}

func (i *Ingest) tryApply(ctx context.Context, items []*item) error {
	known, err := i.known(ctx, items)
	if err != nil {
		return err
	}
	now := i.runtime.Now()
	shots, shooters := make([]resources.Shot, 0, len(items)), make([]*item, 0, len(items))
	for _, it := range items {
		if it.rejected == nil || it.owner != "" {
			it.decide(known, now.UnixNano())
		}
		if it.outcome == applied {
			shots, shooters, it.shot = append(shots, i.shot(it, now)), append(shooters, it), true
		}
	}
	var watch stopwatch
	fired, err := i.options.Engine.FireBatch(ctx, watch.on(shots))
	if err != nil {
		return err
	}
	i.size.measured(len(shots), &watch)
	if err := i.quarantine(ctx, items, now); err != nil {
		return err
	}
	for n, f := range fired {
		i.tally(shooters[n], f)
	}
	for _, it := range items {
		i.counts.note(it)
	}
	return nil
}

// known reads what is stored of the resources that items are about.
func (i *Ingest) known(ctx context.Context, items []*item) (map[place]*row, error) {
	ids := map[string][]string{}
	seen := make(map[place]bool, len(items))
	for _, it := range items {
		if at := it.place(); it.intake != nil && !seen[at] {
			seen[at] = true
			ids[at.kind] = append(ids[at.kind], at.id)
		}
	}
	known := make(map[place]*row, len(seen))
	for kind, ids := range ids {
		held, err := i.held(ctx, "WHERE kind = ? AND resource_id IN ?", kind, ids)
		if err != nil {
			return nil, fmt.Errorf("status: %w", err)
		}
		stored, err := i.observations(ctx, "WHERE kind = ? AND resource_id IN ?", kind, ids)
		if err != nil {
			return nil, fmt.Errorf("status: %w", err)
		}
		for _, r := range held {
			known[r.place()] = r
		}
		for _, r := range stored { // an observation goes before what is held from an earlier life of the id
			if held := known[r.place()]; held != nil {
				r.heldToo = held
			}
			known[r.place()] = r
		}
	}
	return known, nil
}

// decide compares an item with what is stored, or will be by the items before it.
func (it *item) decide(known map[place]*row, now int64) {
	prev := known[it.place()]
	it.rejected, it.owner = nil, ""
	if it.fromHeld && prev != nil && prev.isHeld {
		prev = nil // that is itself
	}
	switch {
	case prev != nil && prev.same(it.mark):
		it.outcome, it.prev = duplicate, prev
	case prev != nil && prev.provider != "" && prev.provider != it.report.Provider:
		it.owner = prev.provider
		it.reject(&RejectError{Reason: WrongProvider, Detail: fmt.Sprintf("%s/%s belongs to %q", it.report.Kind, it.report.ResourceID, prev.provider)})
	case prev != nil && !it.mark.after(prev.mark):
		it.outcome = stale
	default:
		it.outcome, it.prev, it.next = applied, prev, it.row(now)
		known[it.place()] = it.next
	}
}

// shot is the item's part in the batch.
func (i *Ingest) shot(it *item, now time.Time) resources.Shot {
	return resources.Shot{
		Kind: it.report.Kind, ID: it.report.ResourceID, Trigger: it.intake.Triggers[it.report.Status], Options: it.options(now),
		First: func(tx resources.Tx, c resources.Change, why error) error {
			writer := journal.TxOf(tx)
			if writer == nil {
				return plain("the engine's store isn't the journal's database")
			}
			if errors.Is(why, resources.ErrNotFound) {
				return i.hold(tx, writer, it)
			}
			return i.observe(tx, writer, it, c)
		},
	}
}

type plain string

func (p plain) Error() string { return "status: " + string(p) }

// observe writes an observation, with its event, in the transaction that moves the resource.
func (i *Ingest) observe(tx resources.Tx, writer *journal.Tx, it *item, c resources.Change) error {
	if err := stillSo(tx, it, c); err != nil {
		return err
	}
	next, prev := it.next, it.prev
	it.outcome, next.isHeld = applied, false
	next.tenant, next.state, next.version = c.Tenant, c.To, int64(c.Version)
	next.revision, next.changed, next.differs, next.told = 1, next.time, 0, 0
	if prev != nil && !prev.isHeld {
		next.follow(prev)
	}
	over := next.compare(it.intake, next.received)
	written, err := next.observe(writer, &i.text)
	if err != nil {
		return err
	}
	if !written {
		return errAnew
	}
	if err := i.unhold(tx, writer, it); err != nil {
		return err
	}
	if over != nil {
		if _, err := tx.Append(*over, at(next.received)); err != nil {
			return err
		}
	}
	if prev != nil && !prev.isHeld && prev.status == next.status && prev.raw == next.raw && prev.provider == next.provider {
		return nil
	}
	_, err = tx.Append(next.observed(prev))
	return err
}

// stillSo looks again at a resource that isn't written, and may have been purged, or moved, since the batch was planned. Whoever moves one
// of which something was observed before changes that row, too, and is noticed by its revision.
func stillSo(tx resources.Tx, it *item, c resources.Change) error {
	class, _ := it.intake.handle.Machine().Class(c.From)
	if c.Changed() || class != fsm.Final && it.prev != nil && !it.prev.isHeld {
		return nil
	}
	state, err := tx.State(c.Kind, c.ResourceID)
	if errors.Is(err, resources.ErrNotFound) || err == nil && state != c.To {
		return resources.ErrConflict
	}
	return err
}

// follow takes over what an observation leaves to the next.
func (r *row) follow(prev *row) {
	r.revision, r.differs, r.told = prev.revision+1, prev.differs, prev.told
	if prev.status == r.status && prev.raw == r.raw {
		r.changed = prev.changed
	}
}

// compare notes since when own state and observed status disagree, and returns the event that they agree again, if it was told that they didn't.
func (r *row) compare(t *intake, now int64) (over *resources.Disagreed) {
	if !t.agrees(t.handle.Machine(), r.status, r.state) {
		if r.differs == 0 {
			r.differs = now
		}
		return nil
	}
	if r.told != 0 {
		d := r.disagreed(true)
		over = &d
	}
	r.differs, r.told = 0, 0
	return over
}

func (r *row) disagreed(over bool) resources.Disagreed {
	return resources.Disagreed{
		Kind: r.kind, ResourceID: r.id, Tenant: r.tenant, Provider: r.provider, Status: string(r.status), State: r.state, Since: journal.TimeOf(r.differs), Over: over,
	}
}

func (r *row) observed(prev *row) resources.Observed {
	o := resources.Observed{
		Kind: r.kind, ResourceID: r.id, Tenant: r.tenant, Provider: r.provider, Status: string(r.status), Raw: r.raw, Message: r.message,
		Time: journal.TimeOf(r.time), State: r.state, Version: uint64(r.version),
	}
	if prev != nil && !prev.isHeld {
		o.Previous = string(prev.status)
	}
	return o
}

// at stamps an event with a time of its own.
func at(ns int64) bus.Stamp {
	return func(h *bus.Header) { h.Time = journal.TimeOf(ns) }
}

// tally counts what the engine has made of an item.
func (i *Ingest) tally(it *item, f resources.Fired) {
	var refused *fsm.TransitionError
	switch {
	case it.outcome != applied || f.Err == nil:
	case errors.As(f.Err, &refused):
		i.counts.refused.Add(1)
	default:
		i.counts.vetoed.Add(1)
		i.complain(context.Background(), "a report's move was vetoed", "error", f.Err)
	}
}
