package alerts

import (
	"context"
	"fmt"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
)

const (
	checkAtOnce = 256             // resources in one transaction
	recheck     = time.Second     // for a resource whose newest change hasn't been seen yet
	retryAfter  = 5 * time.Second // a check that failed
)

// watch is the goroutine that looks at the clock: it checks what is due at start-up, and from then on when something is.
func (p *Plugin) watch(ctx context.Context) error {
	for {
		next, err := p.check(ctx, p.runtime.Now())
		if err != nil && ctx.Err() == nil {
			p.runtime.Logger().Error("alerts can't be checked", "error", err, "again_in", retryAfter)
			next = p.runtime.Now().Add(retryAfter).UnixNano()
		}
		if next != 0 {
			p.alarm.set(next)
		}
		if !p.alarm.wait(ctx, p.runtime.Now) {
			return nil
		}
	}
}

// check raises what is due and clears what time has healed. It returns when to check again, 0 if nothing is pending.
func (p *Plugin) check(ctx context.Context, now time.Time) (next int64, err error) {
	// The alarm may have been set by a batch that isn't committed yet. An empty member waits for it, so that what made the alarm go off is there to be read.
	if err := p.runtime.Write(ctx, func(*journal.Tx) error { return nil }); err != nil {
		return 0, err
	}
	due, err := p.due(ctx, now)
	if err != nil {
		return 0, err
	}
	rates, err := p.activeRates(ctx)
	if err != nil {
		return 0, err
	}
	if len(due.stuck) > 0 || len(rates) > 0 {
		err = p.runtime.Write(ctx, func(tx *journal.Tx) error { return p.checkIn(tx, due.stuck, rates, now) })
		if err != nil {
			return 0, err
		}
	}
	return p.next(ctx, now, due, len(rates) > 0)
}

func (p *Plugin) checkIn(tx *journal.Tx, due []pending, rates []string, now time.Time) error {
	for _, d := range due {
		if err := p.stuck.check(tx, d, now); err != nil {
			return err
		}
	}
	for _, kind := range rates {
		if err := p.failures.judge(tx, kind, 0, now); err != nil {
			return err
		}
	}
	return nil
}

// dueNow is the resources whose time has come.
type dueNow struct {
	stuck []pending
	moved int  // those that have changed since, so that the subscription is about to deal with them
	more  bool // there are more than fit
}

func (p *Plugin) due(ctx context.Context, now time.Time) (d dueNow, err error) {
	if p.options.Stuck.Disabled {
		return d, nil
	}
	var found []pending
	err = p.runtime.Read().WithContext(ctx).Where("due_at <= ?", now.UnixNano()).Order("due_at").Limit(checkAtOnce).Find(&found).Error
	if err != nil {
		return d, err
	}
	d.more = len(found) == checkAtOnce
	for _, f := range found {
		moved, err := p.hasMoved(ctx, f)
		if err != nil {
			return d, err
		}
		if moved {
			d.moved++
		} else {
			d.stuck = append(d.stuck, f)
		}
	}
	return d, nil
}

// hasMoved reports whether the journal has a change of the resource that the rules haven't seen.
func (p *Plugin) hasMoved(ctx context.Context, f pending) (bool, error) {
	for _, pattern := range []string{".state.>", ".updated", ".removed"} {
		newer, err := p.runtime.Journal().Query(ctx, journal.Query{Type: f.Kind + pattern, Kind: f.Kind, ResourceID: f.ResourceID, After: f.Seq, Limit: 1})
		if err != nil {
			return false, fmt.Errorf("alerts: %s/%s: %w", f.Kind, f.ResourceID, err)
		}
		if len(newer) > 0 {
			return true, nil
		}
	}
	return false, nil
}

// activeRates lists the kinds with an active alert of the failure rate, which time may clear.
func (p *Plugin) activeRates(ctx context.Context) (kinds []string, err error) {
	if p.failures == nil {
		return nil, nil
	}
	err = p.runtime.Read().WithContext(ctx).Model(&row{}).Where("name = ? AND cleared_at = 0", FailureRateRule).Pluck("kind", &kinds).Error
	return kinds, err
}

// next is the earliest time at which there is something to do, 0 if there is none.
func (p *Plugin) next(ctx context.Context, now time.Time, d dueNow, rates bool) (next int64, err error) {
	if !p.options.Stuck.Disabled {
		err = p.runtime.Read().WithContext(ctx).Model(&pending{}).Select("COALESCE(MIN(due_at), 0)").Scan(&next).Error
		if err != nil {
			return 0, err
		}
		if d.moved > 0 && !d.more || len(d.stuck) == 0 && d.more {
			next = max(next, now.Add(recheck).UnixNano())
		}
	}
	if rates {
		if judge := now.Add(p.failures.bucket()).UnixNano(); next == 0 || judge < next {
			next = judge
		}
	}
	return next, nil
}
