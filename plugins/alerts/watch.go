package alerts

import (
	"context"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
)

const retryAfter = 5 * time.Second // a check that failed

// watch is the goroutine that looks at the clock: time heals failure rates, and makes positions in the journal unclaimed.
func (p *Plugin) watch(ctx context.Context) error {
	for {
		next, err := p.check(ctx, p.runtime.Now())
		if err != nil && ctx.Err() == nil {
			p.runtime.Logger().Error("alerts can't be checked", "error", err, "again_in", retryAfter)
			next = p.runtime.Now().Add(retryAfter).UnixNano()
		}
		p.alarm.set(next)
		if !p.alarm.wait(ctx, p.runtime.Now) {
			return nil
		}
	}
}

// check clears what time has healed, and looks at the claims if it is time. It returns when to check again.
func (p *Plugin) check(ctx context.Context, now time.Time) (next int64, err error) {
	if next, err = p.checkRates(ctx, now); err != nil {
		return 0, err
	}
	if p.claims.due(now) {
		if err := p.checkClaims(ctx, now); err != nil {
			return 0, err
		}
		p.claims.rest(now)
	}
	if at := p.claims.lookAt.Load(); next == 0 || at < next {
		next = at
	}
	return next, nil
}

// checkRates clears what time has healed. It returns when to check again, 0 if there is nothing that it may heal.
func (p *Plugin) checkRates(ctx context.Context, now time.Time) (next int64, err error) {
	// The alarm may have been set by a batch that isn't committed yet. An empty member waits for it, so that what made the alarm go off is there to be read.
	if err := p.runtime.Write(ctx, func(*journal.Tx) error { return nil }); err != nil {
		return 0, err
	}
	rates, err := p.activeRates(ctx)
	if err != nil || len(rates) == 0 {
		return 0, err
	}
	err = p.runtime.Write(ctx, func(tx *journal.Tx) error {
		for _, kind := range rates {
			if err := p.failures.judge(tx, kind, 0, now); err != nil {
				return err
			}
		}
		return nil
	})
	return now.Add(p.failures.bucket()).UnixNano(), err
}

// activeRates lists the kinds with an active alert of the failure rate, which time may clear.
func (p *Plugin) activeRates(ctx context.Context) (kinds []string, err error) {
	if p.failures == nil {
		return nil, nil
	}
	err = p.runtime.Read().WithContext(ctx).Model(&row{}).Where("name = ? AND cleared_at = 0", FailureRateRule).Pluck("kind", &kinds).Error
	return kinds, err
}
