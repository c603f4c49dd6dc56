package alerts

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
)

// claimsEvery is how often the rule "unclaimed" looks.
const claimsEvery = time.Minute

// unclaimed is the rule over durable subscriptions that nobody runs: it follows the journal's warnings, as its claims tell them.
type unclaimed struct {
	Unclaimed
	lookAt atomic.Int64 // in nanoseconds since 1970
}

func (u *unclaimed) due(now time.Time) bool { return now.UnixNano() >= u.lookAt.Load() }

// rest has it look claimsEvery later.
func (u *unclaimed) rest(now time.Time) { u.lookAt.Store(now.Add(claimsEvery).UnixNano()) }

// checkClaims raises what the journal has warned of, and clears what is claimed again, or forgotten.
func (p *Plugin) checkClaims(ctx context.Context, now time.Time) error {
	all, err := p.runtime.Journal().Claims(ctx)
	if err != nil {
		return err
	}
	active, err := p.activeUnclaimed(ctx)
	if err != nil {
		return err
	}
	warned := make(map[string]string)
	for _, c := range all {
		if !c.WarnedAt.IsZero() && !c.EndsAt.IsZero() {
			warned[c.Name] = messageOf(c)
		}
	}
	if !p.claims.news(warned, active) {
		return nil
	}
	return p.runtime.Write(ctx, func(tx *journal.Tx) error { return p.claims.judge(tx, warned, active, now) })
}

// activeUnclaimed returns the messages of the rule's active alerts by the subscription's name.
func (p *Plugin) activeUnclaimed(ctx context.Context) (map[string]string, error) {
	var rows []row
	if err := p.runtime.Read().WithContext(ctx).Where("name = ? AND cleared_at = 0", UnclaimedRule).Find(&rows).Error; err != nil {
		return nil, err
	}
	active := make(map[string]string, len(rows))
	for _, r := range rows {
		active[r.ResourceID] = r.Message
	}
	return active, nil
}

// news reports whether there is anything to write.
func (u *unclaimed) news(warned, active map[string]string) bool {
	for name, message := range warned {
		if active[name] != message && !u.Disabled {
			return true
		}
	}
	for name := range active {
		if _, still := warned[name]; !still {
			return true
		}
	}
	return false
}

func (u *unclaimed) judge(tx *journal.Tx, warned, active map[string]string, now time.Time) error {
	for _, name := range sortedKeys(warned) {
		if u.Disabled {
			break
		}
		if err := u.raise(tx, name, warned[name], now); err != nil {
			return err
		}
	}
	for _, name := range sortedKeys(active) {
		if _, still := warned[name]; still {
			continue
		}
		if err := clearAlert(tx, UnclaimedRule, SubscriptionKind, name, now); err != nil {
			return err
		}
	}
	return nil
}

// raise raises, or counts as a repeat that there is something new to say. Another server on the database may have said it.
func (u *unclaimed) raise(tx *journal.Tx, name, message string, now time.Time) error {
	a, err := activeAlert(tx, UnclaimedRule, SubscriptionKind, name)
	if err != nil || a != nil && a.Message == message {
		return err
	}
	return raiseAlert(tx, row{Name: UnclaimedRule, Kind: SubscriptionKind, ResourceID: name, Severity: u.Severity, Message: message}, now, 1)
}

// messageOf says what is going to happen, or has: nothing that changes from day to day.
func messageOf(c journal.Claim) string {
	since, ends := c.UpdatedAt.UTC().Format(time.RFC3339), c.EndsAt.UTC().Format(time.RFC3339)
	if c.Holds {
		return fmt.Sprintf("the durable subscription %q hasn't run since %s; from %s on the events that it hasn't read may be removed", c.Name, since, ends)
	}
	return fmt.Sprintf("the durable subscription %q hasn't run since %s; since %s the events that it hasn't read may be removed", c.Name, since, ends)
}
