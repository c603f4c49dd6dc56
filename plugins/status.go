package plugins

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Status says how a plugin is.
type Status struct {
	Name     string
	Required bool
	Running  bool
	Err      error // why it isn't running, or what Health says
}

// healthTimeout is how long Health may take if the caller sets no deadline.
const healthTimeout = 5 * time.Second

// Status returns the status of all plugins in the order in which they were added, after asking those with a Health for it, all at once.
func (m *Manager) Status(ctx context.Context) []Status {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	m.mu.Lock()
	guests := m.guests[:len(m.guests):len(m.guests)]
	m.mu.Unlock()
	all := make([]Status, len(guests))
	var asked sync.WaitGroup
	for i, g := range guests {
		asked.Go(func() { all[i] = g.status(ctx) })
	}
	asked.Wait()
	return all
}

func (g *guest) status(ctx context.Context) Status {
	g.mu.Lock()
	s := Status{Name: g.name, Required: g.required, Running: g.phase == running, Err: g.err}
	busy := g.work["Health"] > 0
	g.mu.Unlock()
	p, ok := g.plugin.(Healther)
	if !s.Running || s.Err != nil || !ok {
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
