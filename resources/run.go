package resources

import (
	"context"
	"sync"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

const (
	checkEvery = time.Minute           // at the latest: clocks jump, and other servers move resources too
	checkGap   = 10 * time.Millisecond // at the earliest: what is due meanwhile is reported together
	retryAfter = 5 * time.Second       // a check that failed
	purgeEvery = time.Hour
)

// Run does what has to happen by the clock, until ctx ends: it reports resources that are stuck (ReportStuck), at once and whenever one
// is due, purges kinds that were registered with PurgeAfter, and closes abandoned actions (CloseActions), at once and, where other servers
// may go, as often as needed. What fails is logged and tried again. There is one timer for all resources. Run it once, beside the server,
// on as many servers as there are; on its return nothing of it is left.
// Errors: ErrRunning; ErrInWriter if ctx is a member's.
func (e *Engine) Run(ctx context.Context) error {
	if bus.InWriter(ctx, e.store.Journal()) {
		return ErrInWriter
	}
	if !e.pulse.running.CompareAndSwap(false, true) {
		return ErrRunning
	}
	defer e.pulse.running.Store(false)
	var actions sync.WaitGroup
	actions.Go(func() { e.tendActions(ctx) })
	defer actions.Wait()
	purgeAt := e.clock()
	for ctx.Err() == nil {
		now := e.clock()
		if !now.Before(purgeAt) {
			e.purgeAll(ctx)
			purgeAt = now.Add(purgeEvery)
		}
		e.pulse.wait(ctx, e.check(ctx))
	}
	return nil
}

// check reports what is due, and returns how long nothing will be.
func (e *Engine) check(ctx context.Context) time.Duration {
	now := e.clock()
	e.pulse.next.Store(now.Add(checkEvery).UnixNano()) // who sets a resource off while we look wakes us again
	_, next, err := e.checkLimits(ctx, now)
	if err != nil {
		e.pulse.next.Store(0) // nobody wakes us before
		if ctx.Err() == nil {
			e.log.ErrorContext(ctx, "can't look for resources that are stuck", "error", err, "again_in", retryAfter)
		}
		return retryAfter
	}
	nap := checkEvery
	if !next.IsZero() {
		nap = min(nap, max(checkGap, next.Sub(e.clock())))
	}
	e.pulse.next.Store(now.Add(nap).UnixNano())
	return nap
}

// expect has Run look when a resource that entered a transitional state will be due, if it wouldn't look before.
func (e *Engine) expect(h *Handle, c *Change) {
	if !e.pulse.running.Load() || c.Operation.IsZero() || c.Operation != c.ID {
		return
	}
	if limit, ok := h.info.Machine.Limit(c.To); ok {
		e.pulse.expect(c.Time.Add(limit))
	}
}
