package alerts

import (
	"context"
	"fmt"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
)

// EventsName is the name of the position in the journal that rules of type event have, if there are any.
const EventsName = "alerts_events"

// subscribeEvents reads what the rules of type event are about: whatever it is, so it isn't decoded.
func (p *Plugin) subscribeEvents(ctx context.Context, c *bus.Client) error {
	options := []bus.Option{bus.From(0)}
	patterns := make(map[string]bool)
	for _, f := range p.trackers {
		for _, pattern := range f.Events {
			patterns[pattern] = true
		}
	}
	if len(patterns) == 0 {
		return p.forgetEvents(ctx)
	}
	for _, pattern := range sortedKeys(patterns) {
		options = append(options, bus.Type(pattern))
	}
	_, err := journal.Subscribe(c, EventsName, p.observeEvents, options...)
	return err
}

// forgetEvents removes the position of rules that are gone: it would keep the journal from forgetting.
func (p *Plugin) forgetEvents(ctx context.Context) error {
	j := p.runtime.Journal()
	if j == nil {
		return nil
	}
	_, known, err := j.Cursor(ctx, EventsName)
	if err != nil || !known {
		return err
	}
	return j.Forget(ctx, EventsName)
}

// observeEvents counts events, in the transaction that moves the position.
func (p *Plugin) observeEvents(_ context.Context, tx *journal.Tx, batch []bus.Event[bus.Raw]) error {
	s, err := p.session(tx, p.runtime.Now())
	if err != nil {
		return err
	}
	seen, err := position(tx.DB(), EventsName)
	if err != nil {
		return err
	}
	for _, e := range batch {
		if e.Seq <= seen {
			continue
		}
		for _, f := range p.trackers {
			if err := f.came(s, e.Header); err != nil {
				return fmt.Errorf("alerts: %s: %w", e.Subject(), err)
			}
		}
		seen = e.Seq
	}
	for _, f := range p.trackers {
		if err := f.settle(s); err != nil {
			return err
		}
	}
	if s.wakeAt != 0 {
		p.alarm.set(s.wakeAt)
	}
	return setPosition(tx.DB(), EventsName, seen)
}

// came counts an event.
func (f *tracker) came(s *session, h bus.Header) error {
	if f.Type != EventRule || len(f.Kinds) > 0 && !f.isAbout(h.Kind) {
		return nil
	}
	for _, pattern := range f.Events {
		p, err := bus.ParsePattern(pattern)
		if err != nil {
			return err // never: Init has checked it
		}
		if !p.Match(h.Type) {
			continue
		}
		about := about{kind: h.Kind, id: h.ResourceID, tenant: h.Tenant}
		return f.happened(s, about, h.Time, 1, fmt.Sprintf("%s came for %s", h.Type, orNothing(h.Subject())))
	}
	return nil
}

func orNothing(subject string) string {
	if subject == "" {
		return "no resource"
	}
	return subject
}
