package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

const (
	maxBatch = 256
	// batchTime is how long a handler may hold the writer before its batches get smaller.
	batchTime = 5 * time.Millisecond
)

// Subscribe delivers events exactly once: what the handler writes through tx and the position of the subscription called name commit together,
// as a background member. The handler gets batches of events that passed the filters: first of one, then, while it is quick, twice as many each time, up to 256; ctx and tx are valid
// until it returns. If it fails, nothing of the batch is stored, and the batch is halved until the culprit is alone; those before it are committed.
// Then it is parked, together with the cursor behind it, unless the options say Halt. A database that takes nothing at the moment (bus.ErrOutage) is waited for instead. bus.Stop commits the batch and ends the subscription. Live events never come.
// Options and errors are those of bus.SubscribeBatch; a bus whose journal isn't a *Journal is bus.ErrNoJournal.
func Subscribe[T any](c *bus.Client, name string, fn func(ctx context.Context, tx *Tx, batch []bus.Event[T]) error, opts ...bus.Option) (*bus.Subscription, error) {
	j, ok := c.Bus().Journal().(*Journal)
	if !ok {
		return nil, fmt.Errorf("journal: subscribe %q: %w of this package on the bus, but %T", name, bus.ErrNoJournal, c.Bus().Journal())
	}
	if fn == nil {
		return nil, fmt.Errorf("journal: subscribe %q: the handler is nil", name)
	}
	g := &gate[T]{j: j, name: name, fn: fn, size: 1}
	return bus.SubscribeBatch(c, name, g.commit, append([]bus.Option{bus.OnFailure(bus.Park)}, opts...)...)
}

// gate commits the batches of one subscription; the bus calls it from one goroutine.
type gate[T any] struct {
	j      *Journal
	name   string
	fn     func(context.Context, *Tx, []bus.Event[T]) error
	stored uint64 // all up to here is committed
	unsure bool   // perhaps more is
	fence  int64  // of the lease that this is true for
	size   int    // of the next batch
}

// commit hands a page to the handler, in several members if it takes long. When one fails, those before it stay committed:
// their events are left out when the bus tries the page, or a part of it, again.
func (g *gate[T]) commit(ctx context.Context, b bus.Batch[T]) error {
	if fence := g.j.leases.fence(g.name); fence != g.fence {
		g.fence, g.stored, g.unsure = fence, 0, false // another server may have run it since
	}
	if err := g.settle(ctx); err != nil {
		return err
	}
	if len(b.Replayed) > 0 {
		return g.apply(ctx, b.Events, g.stored, func(t *Tx) error { return t.unpark(g.name, b.Replayed) })
	}
	g.stored = max(g.stored, b.From)
	events := b.Events
	park := func(t *Tx) error { return t.park(g.name, b.Park) }
	for len(events) > 0 && events[0].Seq <= g.stored {
		events = events[1:]
	}
	for g.stored < b.To {
		n := min(g.size, len(events))
		to := b.To
		if n < len(events) {
			to = events[n-1].Seq
		}
		if err := g.apply(ctx, events[:n], to, park); err != nil {
			return err
		}
		events, park = events[n:], func(*Tx) error { return nil }
	}
	return nil
}

// settle asks the cursor what became of a commit whose outcome is unknown, lest it be done again.
func (g *gate[T]) settle(ctx context.Context) error {
	if !g.unsure {
		return nil
	}
	var seq, head uint64
	err := g.j.Do(ctx, func(t *Tx) error { return t.QueryRow(t.j.text.cursor, []any{g.name}, &seq, &head) }, Background(), Named("subscription "+g.name))
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	g.stored, g.unsure = max(g.stored, seq), false
	return nil
}

// apply runs the handler, does what belongs to it, and moves the cursor, in one member.
func (g *gate[T]) apply(ctx context.Context, events []bus.Event[T], to uint64, also func(*Tx) error) error {
	var stop error
	var took time.Duration
	err := g.j.Do(ctx, func(t *Tx) error {
		if len(events) > 0 {
			start := time.Now()
			err := g.fn(t.Context(), t, events)
			took = time.Since(start)
			if err != nil && !errors.Is(err, bus.Stop) {
				return err
			}
			stop = err
		}
		if err := t.mayStore(g.name, true); err != nil {
			return err
		}
		if err := also(t); err != nil {
			return err
		}
		return t.raiseCursor(g.name, to)
	}, Background(), Named("subscription "+g.name))
	if err != nil {
		g.unsure = errors.Is(err, ErrOutcomeUnknown)
		return err
	}
	g.stored = to
	if took > batchTime {
		g.size = max(1, len(events)/2)
	} else {
		g.size = max(g.size, min(maxBatch, 2*len(events))) // what a batch of one took says nothing of one of 256
	}
	return stop
}
