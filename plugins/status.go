package plugins

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// Status says how a plugin is.
type Status struct {
	Name     string
	Required bool
	Running  bool
	Err      error // *PluginError: why it isn't running, or what isn't well
}

// healthTimeout is how long Health may take if the caller sets no deadline.
const healthTimeout = 5 * time.Second

// Status returns the status of all plugins in the order in which they were added. A running plugin's Err is a subscription of its that has halted, or what its Health says;
// all are asked at once.
func (m *Manager) Status(ctx context.Context) []Status {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	m.mu.Lock()
	guests := m.guests[:len(m.guests):len(m.guests)]
	m.mu.Unlock()
	subscriptions := m.bus.Inspect().Subscriptions
	all := make([]Status, len(guests))
	var asked sync.WaitGroup
	for i, g := range guests {
		asked.Go(func() { all[i] = g.status(ctx, subscriptions) })
	}
	asked.Wait()
	return all
}

func (g *guest) status(ctx context.Context, subscriptions []bus.Info) Status {
	g.mu.Lock()
	s := Status{Name: g.name, Required: g.required, Running: g.phase == running, Err: g.err}
	busy, client := g.work["Health"] > 0, g.client
	g.mu.Unlock()
	if !s.Running || s.Err != nil {
		return s
	}
	if s.Err = g.halted(client, subscriptions); s.Err != nil {
		return s
	}
	p, ok := g.plugin.(Healther)
	if !ok {
		return s
	}
	if busy {
		s.Err = &PluginError{Plugin: g.name, Phase: PhaseHealth, Err: errors.New("still busy with an earlier question")}
		return s
	}
	if err := g.call(ctx, "Health", func() error { return p.Health(ctx) }); err != nil {
		s.Err = &PluginError{Plugin: g.name, Phase: PhaseHealth, Err: err}
	}
	return s
}

// halted names a subscription of the plugin that gave up.
func (g *guest) halted(c *bus.Client, subscriptions []bus.Info) error {
	for _, s := range subscriptions {
		if s.Client == c.Name() && s.State == "halted" {
			return &PluginError{Plugin: g.name, Phase: PhaseRun, Err: fmt.Errorf("subscription %s halted: %w", s.Name, s.Err)}
		}
	}
	return nil
}
