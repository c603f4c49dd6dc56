package alerts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// parked finds the durable subscriptions that have set events aside, as the journal keeps them for all servers, and those that have halted here.
func (p *Plugin) parked(ctx context.Context) (found findings, err error) {
	found = findings{wrong: make(map[string]string), unsure: make(map[string]bool)}
	all, err := p.runtime.Journal().Cursors(ctx)
	if err != nil {
		return found, err
	}
	for _, c := range all {
		resources, err := p.runtime.Bus().ParkedResources(ctx, c.Name)
		if err != nil {
			return found, err
		}
		if len(resources) > 0 {
			found.wrong[c.Name] = parkedMessage(c.Name, resources[0])
		}
	}
	for _, s := range p.runtime.Bus().Inspect().Subscriptions {
		switch {
		case s.Kind != "durable" && s.Kind != "batch":
		case s.State == "halted":
			found.wrong[s.Name] = haltedMessage(s)
		case s.State == "standby": // whether it has halted is for the server to say that runs it
			found.unsure[s.Name] = true
		}
	}
	return found, nil
}

func parkedMessage(name string, first bus.ParkedResource) string {
	return fmt.Sprintf("the durable subscription %q has set events aside that it can't handle, and what follows of their resources; the oldest is event %d, a %s about %s/%s, at %s: %s",
		name, first.First, first.Type, first.Kind, first.ResourceID, first.At.UTC().Format(time.RFC3339), first.Reason)
}

func haltedMessage(s bus.Info) string {
	halt := new(bus.HaltError)
	if !errors.As(s.Err, &halt) {
		return fmt.Sprintf("the durable subscription %q has halted, and handles nothing until a restart: %v", s.Name, s.Err)
	}
	return fmt.Sprintf("the durable subscription %q has halted at event %d, a %s about %s, and handles nothing until a restart: %v", s.Name, halt.Event.Seq, halt.Event.Type, halt.Event.Subject(), halt.Err)
}
