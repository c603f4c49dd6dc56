package plugins

import (
	"context"
	"errors"
	"expvar"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// disableTimeout is for closing a plugin that failed.
const disableTimeout = 10 * time.Second

type phase int

const (
	added phase = iota
	starting
	ready // Init has returned
	subscribed
	running
	stopping
	stopped
)

// guest is a plugin and all that runs on its behalf.
type guest struct {
	manager  *Manager
	name     string
	plugin   Plugin
	required bool
	log      *slog.Logger
	metrics  *expvar.Map

	life   context.Context // of its goroutines and requests
	cancel context.CancelFunc

	mu         sync.Mutex
	phase      phase
	err        error // why it isn't running
	client     *bus.Client
	inited     bool           // Init was called
	configured bool           // Init read the configuration
	work       map[string]int // what runs now, by name
	idle       chan struct{}  // closed when it's stopping and nothing runs any more

	done     chan struct{} // closed when it has stopped
	closeErr error         // written before done is closed
}

func newGuest(m *Manager, name string, p Plugin) *guest {
	g := &guest{
		manager: m, name: name, plugin: p, log: m.log.With("plugin", name), metrics: new(expvar.Map).Init(),
		work: make(map[string]int), idle: make(chan struct{}), done: make(chan struct{}),
	}
	g.life, g.cancel = context.WithCancel(context.Background())
	return g
}

func (g *guest) init(ctx context.Context) error {
	g.setPhase(starting)
	if p, ok := g.plugin.(Migrator); ok {
		err := g.call(ctx, "Migrations", func() error { return g.manager.migrate(ctx, g, p.Migrations()) })
		if err != nil {
			return g.fail(ctx, PhaseMigrate, err)
		}
	}
	g.mu.Lock()
	g.inited = true
	g.mu.Unlock()
	err := g.call(ctx, "Init", func() error { return g.plugin.Init(ctx, &Runtime{g}) })
	if err == nil {
		err = g.checkConfigRead()
	}
	if err != nil {
		return g.fail(ctx, PhaseInit, err)
	}
	g.setPhase(ready)
	return nil
}

func (g *guest) checkConfigRead() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.configured && !saysNothing(g.manager.config[g.name]) {
		return &ConfigError{Plugin: g.name, Reason: "there is one, but this plugin takes none"}
	}
	return nil
}

func (g *guest) subscribe(ctx context.Context) error {
	g.mu.Lock()
	if g.phase != ready {
		g.mu.Unlock()
		return g.failure()
	}
	c := g.manager.bus.Client(g.name)
	g.client = c
	g.mu.Unlock()
	if err := g.call(ctx, "Subscribe", func() error { return g.plugin.Subscribe(c) }); err != nil {
		return g.fail(ctx, PhaseSubscribe, err)
	}
	g.setPhase(subscribed)
	return nil
}

// run opens the plugin's routes.
func (g *guest) run() bool { return g.setPhase(running) }

// setPhase moves on in the life of a plugin; false if it is at its end already.
func (g *guest) setPhase(p phase) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.phase >= stopping {
		return false
	}
	g.phase = p
	return true
}

// fail notes why the plugin can't run and stops it.
func (g *guest) fail(ctx context.Context, phase string, err error) error {
	failure := g.note(phase, err)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), disableTimeout)
	defer cancel()
	if err := g.stop(ctx); err != nil {
		g.log.Error("plugin didn't close cleanly", "error", err)
	}
	return failure
}

// note logs a failure and returns the one that disabled the plugin, which may be an earlier one.
func (g *guest) note(phase string, err error) error {
	failure := &PluginError{Plugin: g.name, Phase: phase, Err: err}
	g.mu.Lock()
	first := g.err == nil && g.phase < stopping
	if first {
		g.err = failure
	}
	cause := g.err
	g.mu.Unlock()
	attrs := []any{"phase", phase, "error", err}
	if p, ok := errors.AsType[*PanicError](err); ok {
		attrs = append(attrs, "stack", string(p.Stack))
	}
	if first {
		g.log.Error("plugin failed and is disabled", attrs...)
	} else {
		g.log.Error("plugin failed", attrs...)
	}
	if cause == nil {
		return failure
	}
	return cause
}

func (g *guest) failure() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err
}

// stop ends all that runs on the plugin's behalf, then closes it. The first caller does it, others wait for him.
func (g *guest) stop(ctx context.Context) error {
	g.mu.Lock()
	first := g.phase < stopping
	if first {
		g.phase = stopping
		if len(g.work) == 0 {
			close(g.idle)
		}
	}
	g.mu.Unlock()
	if !first {
		if !waitFor(ctx, g.done) {
			return g.unfinished(ctx)
		}
		return g.closeErr
	}
	g.closeErr = g.shutDown(ctx)
	g.setStopped()
	return g.closeErr
}

func (g *guest) shutDown(ctx context.Context) error {
	var errs []error
	g.mu.Lock()
	client, inited := g.client, g.inited
	g.mu.Unlock()
	if client != nil {
		errs = append(errs, g.drain(ctx), client.Close(ctx))
	}
	g.cancel()
	errs = append(errs, g.wait(ctx))
	if inited {
		errs = append(errs, call(ctx, "Close", func() error { return g.plugin.Close(ctx) }))
	}
	if err := errors.Join(errs...); err != nil {
		return &PluginError{Plugin: g.name, Phase: PhaseClose, Err: err}
	}
	return nil
}

// drain lets a plugin whose handlers wait for something outside tell them to end, as its client waits for them.
func (g *guest) drain(ctx context.Context) error {
	p, ok := g.plugin.(Drainer)
	if !ok {
		return nil
	}
	return call(ctx, "Drain", func() error { return p.Drain(ctx) })
}

func (g *guest) setStopped() {
	g.mu.Lock()
	g.phase = stopped
	g.mu.Unlock()
	close(g.done)
}

// wait waits until nothing of the plugin runs any more.
func (g *guest) wait(ctx context.Context) error {
	if waitFor(ctx, g.idle) {
		return nil
	}
	return g.unfinished(ctx)
}

func (g *guest) unfinished(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return &UnfinishedError{Left: slices.Sorted(maps.Keys(g.work)), Err: context.Cause(ctx)}
}

// enter notes that something begins to run on the plugin's behalf; false: it must not any more.
func (g *guest) enter(what string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.phase >= stopping {
		return false
	}
	g.work[what]++
	return true
}

func (g *guest) leave(what string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.work[what]--; g.work[what] == 0 {
		delete(g.work, what)
	}
	if g.phase >= stopping && len(g.work) == 0 {
		close(g.idle)
	}
}

// call runs a method of the plugin as part of its work.
func (g *guest) call(ctx context.Context, what string, fn func() error) error {
	if !g.enter(what) {
		return ErrClosed
	}
	return call(ctx, what, func() error {
		defer g.leave(what)
		return fn()
	})
}
