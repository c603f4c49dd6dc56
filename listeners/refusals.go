package listeners

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
)

// RefusalOptions of NewRefusals. The zero value works.
type RefusalOptions struct {
	Triggers func(fsm.Trigger) bool // Whose refusals are recorded. Defaults to those that begin with report_.
	Every    time.Duration          // One record at most in that time for the same resource, trigger and state; it counts the others. Defaults to 5m.
	Remember int                    // How many resources, triggers and states are remembered for that. Defaults to 4,096.
	Queue    int                    // How many may wait for the writer. Defaults to 256.
	Logger   *slog.Logger           // Defaults to slog.Default().
	Now      func() time.Time       // Defaults to time.Now.
}

// RefusalStats counts since NewRefusals.
type RefusalStats struct {
	Recorded uint64 // events
	Repeated uint64 // refusals that the next record counts
	Dropped  uint64 // refusals for which the queue had no room
	Failed   uint64 // records that the store didn't take
}

// Refusals is the listener that records refused reports as events (resources.Refused). A refusal changes nothing, so there is no transaction to ride in: each record is a
// member of the writer of its own, behind those that somebody waits for, made by one goroutine. Whoever is refused never waits for it. What a full queue or a failing store
// loses is logged and counted, and recorded with the next refusal of the same.
type Refusals struct {
	store resources.Store
	o     RefusalOptions
	queue chan refusal
	done  chan struct{}
	warn  atomic.Int64 // when the log was told last, in nanoseconds since 1970

	recorded, repeated, dropped, failed atomic.Uint64

	mu     sync.Mutex
	memory *memory
	closed bool
}

// refusal is what waits to be recorded. Its context has the values of the refused call's, but not its end.
type refusal struct {
	ctx context.Context
	key refusalKey
	resources.Refused
}

// NewRefusals returns the listener, which runs until it is closed. Close it before the store.
func NewRefusals(store resources.Store, o RefusalOptions) *Refusals {
	if o.Triggers == nil {
		o.Triggers = func(t fsm.Trigger) bool { return strings.HasPrefix(string(t), "report_") }
	}
	if o.Every <= 0 {
		o.Every = 5 * time.Minute
	}
	if o.Remember <= 0 {
		o.Remember = 4096
	}
	if o.Queue <= 0 {
		o.Queue = 256
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	r := &Refusals{store: store, o: o, queue: make(chan refusal, o.Queue), done: make(chan struct{}), memory: newMemory(o.Remember)}
	go r.run()
	return r
}

// Name returns "refusals".
func (*Refusals) Name() string { return "refusals" }

// After notes a refusal of the machine; other outcomes are nothing to it.
func (r *Refusals) After(ctx context.Context, c resources.Change, err error) {
	refused, ok := errors.AsType[*fsm.TransitionError](err)
	if !ok || !r.o.Triggers(refused.Trigger) {
		return
	}
	key := refusalKey{c.Kind, c.ResourceID, refused.Trigger, refused.State}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	count, due := r.memory.note(key, r.o.Now(), r.o.Every)
	if !due {
		r.repeated.Add(1)
		return
	}
	select {
	case r.queue <- refusal{context.WithoutCancel(ctx), key, resources.Refused{
		Kind: c.Kind, ResourceID: c.ResourceID, Tenant: c.Tenant, Trigger: refused.Trigger, State: refused.State, Origin: refused.Origin,
		Allowed: refused.Allowed, Guards: refused.Guards, Count: count, Time: c.Time, Actor: c.Actor, Version: c.Version,
	}}:
	default:
		r.memory.undo(key, count)
		r.dropped.Add(1)
		r.complain("too many refusals at once: some aren't recorded", nil)
	}
}

// Stats returns the counters.
func (r *Refusals) Stats() RefusalStats {
	return RefusalStats{Recorded: r.recorded.Load(), Repeated: r.repeated.Load(), Dropped: r.dropped.Load(), Failed: r.failed.Load()}
}

// Close records what waits, unless ctx ends before, and ends the listener: later refusals pass unnoticed. A second Close waits like the first.
func (r *Refusals) Close(ctx context.Context) error {
	r.mu.Lock()
	if !r.closed {
		r.closed = true
		close(r.queue)
	}
	r.mu.Unlock()
	select {
	case <-r.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *Refusals) run() {
	defer close(r.done)
	for f := range r.queue {
		if err := r.record(f); err != nil {
			r.mu.Lock()
			r.memory.undo(f.key, f.Count)
			r.mu.Unlock()
			r.failed.Add(1)
			r.complain("a refusal can't be recorded", err)
			continue
		}
		r.recorded.Add(1)
	}
}

func (r *Refusals) record(f refusal) error {
	do := r.store.Do
	if b, ok := r.store.(resources.BackgroundStore); ok {
		do = b.DoInBackground
	}
	return do(f.ctx, func(tx resources.StoreTx) error {
		_, err := tx.Append(f.Refused, func(h *bus.Header) { h.Time, h.Actor, h.Version = f.Time, f.Actor, f.Version })
		return err
	})
}

// complain tells the log, once a minute at most.
func (r *Refusals) complain(message string, err error) {
	now, last := r.o.Now().UnixNano(), r.warn.Load()
	if now-last < int64(time.Minute) && last != 0 || !r.warn.CompareAndSwap(last, now) {
		return
	}
	r.o.Logger.Warn(message, "error", err, "dropped", r.dropped.Load(), "failed", r.failed.Load())
}

var _ resources.AfterListener = (*Refusals)(nil)
