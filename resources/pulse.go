package resources

import (
	"context"
	"sync/atomic"
	"time"
)

// pulse is the one timer of an engine.
type pulse struct {
	running atomic.Bool
	next    atomic.Int64  // when Run looks next, in nanoseconds since 1970
	wake    chan struct{} // holds a token: look now
}

func newPulse() pulse { return pulse{wake: make(chan struct{}, 1)} }

// expect makes Run look again if something is due before it would.
func (p *pulse) expect(due time.Time) {
	if due.UnixNano() >= p.next.Load() {
		return
	}
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// wait sleeps for d, or until somebody is expected earlier, or ctx ends.
func (p *pulse) wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-p.wake:
		_ = sleep(ctx, checkGap) // who comes meanwhile is looked for together
	case <-ctx.Done():
	}
}
