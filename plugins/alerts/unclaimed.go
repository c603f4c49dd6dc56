package alerts

import (
	"context"
	"fmt"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
)

// unclaimed finds the durable subscriptions that the journal has warned of: nobody runs them.
func (p *Plugin) unclaimed(ctx context.Context) (found findings, err error) {
	all, err := p.runtime.Journal().Claims(ctx)
	if err != nil {
		return found, err
	}
	found.wrong = make(map[string]string)
	for _, c := range all {
		if !c.WarnedAt.IsZero() && !c.EndsAt.IsZero() {
			found.wrong[c.Name] = messageOf(c)
		}
	}
	return found, nil
}

// messageOf says what is going to happen, or has: nothing that changes from day to day.
func messageOf(c journal.Claim) string {
	since, ends := c.UpdatedAt.UTC().Format(time.RFC3339), c.EndsAt.UTC().Format(time.RFC3339)
	if c.Holds {
		return fmt.Sprintf("the durable subscription %q hasn't run since %s; from %s on the events that it hasn't read may be removed", c.Name, since, ends)
	}
	return fmt.Sprintf("the durable subscription %q hasn't run since %s; since %s the events that it hasn't read may be removed", c.Name, since, ends)
}
