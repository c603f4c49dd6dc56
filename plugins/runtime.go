package plugins

import (
	"context"
	"errors"
	"expvar"
	"log/slog"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"gorm.io/gorm"
)

// Runtime is what a plugin is given. It may be kept, and used from any goroutine, until the plugin is closed.
type Runtime struct{ g *guest }

// Name returns the plugin's name.
func (r *Runtime) Name() string { return r.g.name }

// Logger returns a logger that names the plugin.
func (r *Runtime) Logger() *slog.Logger { return r.g.log }

// Now reads the server's clock.
func (r *Runtime) Now() time.Time { return r.g.manager.now() }

// Bus returns the server's bus, to register payload types on.
func (r *Runtime) Bus() *bus.Bus { return r.g.manager.bus }

// Journal returns the journal; nil if the bus has none in a database.
func (r *Runtime) Journal() *journal.Journal { return r.g.manager.journal }

// Metrics returns the plugin's own metrics. The manager adds "panics" of its HTTP handlers.
func (r *Runtime) Metrics() *expvar.Map { return r.g.metrics }

// Read returns the database for reading, with transactions for several reads of one state. What would write fails with ErrReadOnly; without a database everything fails with ErrNoDatabase.
func (r *Runtime) Read() *gorm.DB {
	if j := r.g.manager.journal; j != nil {
		return readOnly(j.DB())
	}
	return nowhere()
}

// Write runs fn as a member of the writer's next transaction, after the members that callers of the engine wait for. fn must not wait for the writer, nor do anything slow.
// Errors: fn's, the journal's (see journal.Journal.Do), ErrNoDatabase, ErrClosed after the plugin has been closed.
func (r *Runtime) Write(ctx context.Context, fn func(*journal.Tx) error) error {
	j := r.g.manager.journal
	switch {
	case j == nil:
		return ErrNoDatabase
	case r.g.hasStopped():
		return ErrClosed
	}
	return j.Do(ctx, fn, journal.Background(), journal.Named("plugin "+r.g.name))
}

// Config decodes the plugin's section of the configuration into the struct that into points to; what isn't configured stays as it is. Errors: *ConfigError for keys that the
// struct doesn't have, at any depth, and for values of the wrong type.
func (r *Runtime) Config(into any) error {
	r.g.mu.Lock()
	r.g.configured = true
	r.g.mu.Unlock()
	return decodeConfig(r.g.name, r.g.manager.config[r.g.name], into)
}

// Go runs fn on a goroutine that belongs to the plugin. Its context is cancelled when the plugin is closed, and Close waits for it. An error (other than the context's, after it was
// cancelled) or a panic disables the plugin. After Close has begun fn isn't run any more.
func (r *Runtime) Go(name string, fn func(ctx context.Context) error) {
	g := r.g
	if !g.enter(name) {
		g.log.Warn("goroutine not started: the plugin is being closed", "goroutine", name)
		return
	}
	go g.background(name, fn)
}

func (g *guest) background(name string, fn func(ctx context.Context) error) {
	var err error = new(PanicError) // what runtime.Goexit leaves behind
	defer func() {
		if err == nil || g.life.Err() != nil && errors.Is(err, context.Canceled) {
			g.leave(name)
			return
		}
		_ = g.note(PhaseRun, &goroutineError{name, err})
		g.leave(name)
		g.disable()
	}()
	err = protect(func() error { return fn(g.life) })
}

// disable stops a plugin that failed while it ran. It's called on the goroutine that failed, after that has left the plugin's work.
func (g *guest) disable() {
	ctx, cancel := context.WithTimeout(context.Background(), disableTimeout)
	defer cancel()
	if err := g.stop(ctx); err != nil {
		g.log.Error("plugin didn't close cleanly", "error", err)
	}
}

// goroutineError names the goroutine that failed.
type goroutineError struct {
	name string
	err  error
}

func (e *goroutineError) Error() string { return "goroutine " + e.name + ": " + e.err.Error() }
func (e *goroutineError) Unwrap() error { return e.err }

func (g *guest) hasStopped() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.phase == stopped
}
