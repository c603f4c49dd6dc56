package alerts

import (
	"context"
	"sync"
	"time"
)

// alarm waits for the earliest of the times it was set to.
type alarm struct {
	changed chan struct{}

	mu sync.Mutex
	at int64 // nanoseconds since 1970; 0: not set
}

// longestNap is how long the alarm trusts its timer: the clock that counts may jump.
const longestNap = time.Minute

func newAlarm() *alarm { return &alarm{changed: make(chan struct{}, 1)} }

// set makes the alarm go off at that time, unless it's set to an earlier one.
func (a *alarm) set(at int64) {
	a.mu.Lock()
	earlier := a.at == 0 || at < a.at
	if earlier {
		a.at = at
	}
	a.mu.Unlock()
	if !earlier {
		return
	}
	select {
	case a.changed <- struct{}{}:
	default:
	}
}

// wait returns true when the time has come, and unsets the alarm; false when ctx has ended.
func (a *alarm) wait(ctx context.Context, now func() time.Time) bool {
	for {
		nap := a.nap(now())
		if nap <= 0 {
			return ctx.Err() == nil
		}
		t := time.NewTimer(nap)
		select {
		case <-t.C:
		case <-a.changed:
		case <-ctx.Done():
			t.Stop()
			return false
		}
		t.Stop()
	}
}

// nap returns how long to sleep; 0 or less, and the alarm unset, if the time has come.
func (a *alarm) nap(now time.Time) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.at == 0 {
		return longestNap
	}
	left := time.Duration(a.at - now.UnixNano())
	if left <= 0 {
		a.at = 0
	}
	return min(left, longestNap)
}
