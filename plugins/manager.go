package plugins

import (
	"context"
	"encoding/json"
	"errors"
	"expvar"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
)

// Options configure a Manager.
type Options struct {
	Bus    *bus.Bus                   // Required.
	Logger *slog.Logger               // Defaults to slog.Default().
	Now    func() time.Time           // Defaults to the bus's clock.
	Mux    *http.ServeMux             // Where plugins' routes go. Defaults to one of its own (Manager.Handler).
	Config map[string]json.RawMessage // By plugin name; one that no plugin has is an error at Start. Defaults to none.
}

// Manager owns the plugins of a server. All methods may be called concurrently.
type Manager struct {
	bus     *bus.Bus
	journal *journal.Journal // nil: no database
	log     *slog.Logger
	now     func() time.Time
	mux     *http.ServeMux
	config  map[string]json.RawMessage
	metrics *expvar.Map

	mu      sync.Mutex
	guests  []*guest
	began   bool
	closed  bool
	started chan struct{}      // closed when Start has returned; nil before it was called
	cancel  context.CancelFunc // ends Start

	closing  sync.Once
	closeErr error
}

// NewManager returns a manager without plugins. Error: no bus.
func NewManager(o Options) (*Manager, error) {
	if o.Bus == nil {
		return nil, errors.New("plugins: Options.Bus is required")
	}
	m := &Manager{bus: o.Bus, log: o.Logger, now: o.Now, mux: o.Mux, config: maps.Clone(o.Config), metrics: new(expvar.Map).Init()}
	m.journal, _ = o.Bus.Journal().(*journal.Journal)
	if m.log == nil {
		m.log = slog.Default()
	}
	if m.now == nil {
		m.now = o.Bus.Now
	}
	if m.mux == nil {
		m.mux = http.NewServeMux()
	}
	return m, nil
}

// AddOption is an option of Add.
type AddOption func(*guest)

// Required makes a failing start-up of this plugin fatal.
func Required() AddOption { return func(g *guest) { g.required = true } }

var validName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)

// Add adds a plugin. Errors: *NameError (no name, or taken), *PluginError (Name panics), ErrStarted, ErrClosed.
func (m *Manager) Add(p Plugin, opts ...AddOption) error {
	if p == nil {
		return errors.New("plugins: plugin is nil")
	}
	var name string
	if err := protect(func() error { name = p.Name(); return nil }); err != nil {
		return &PluginError{Plugin: "?", Phase: "name", Err: err}
	}
	if !validName.MatchString(name) {
		return &NameError{Name: name, Reason: "doesn't match [a-z][a-z0-9_]*, at most 32 bytes"}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.closed:
		return ErrClosed
	case m.began:
		return ErrStarted
	case slices.Contains(m.names(), name):
		return &NameError{Name: name, Reason: "is taken by another plugin"}
	}
	g := newGuest(m, name, p)
	for _, o := range opts {
		if o == nil {
			return errors.New("plugins: add " + name + ": nil is no AddOption")
		}
		o(g)
	}
	m.guests = append(m.guests, g)
	m.metrics.Set(name, g.metrics)
	return nil
}

// names lists the plugins; m.mu is held.
func (m *Manager) names() []string {
	names := make([]string, len(m.guests))
	for i, g := range m.guests {
		names[i] = g.name
	}
	return names
}

// Start brings the plugins up: migrations and Init of each, then Subscribe of each. A plugin that fails is disabled; a Required one ends the start: everything is
// closed again, and its *PluginError returned. Other errors: *UnknownPluginError, ErrStarted, ErrClosed, the context's.
//
// Register kinds, and the server's own payload types, before Start: a subscription passes over events of types that aren't registered.
func (m *Manager) Start(ctx context.Context) error {
	ctx, err := m.begin(ctx)
	if err != nil {
		return err
	}
	defer m.cancel()
	err = m.checkConfig()
	if err == nil {
		err = m.bringUp(ctx)
	}
	close(m.started)
	if err != nil {
		undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), disableTimeout)
		defer cancel()
		return errors.Join(err, m.Close(undo))
	}
	return nil
}

func (m *Manager) begin(ctx context.Context) (context.Context, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, ErrClosed
	}
	if m.began {
		return nil, ErrStarted
	}
	m.began, m.started = true, make(chan struct{})
	ctx, m.cancel = context.WithCancel(ctx)
	return ctx, nil
}

func (m *Manager) checkConfig() error {
	known := m.names()
	for _, name := range slices.Sorted(maps.Keys(m.config)) {
		if !slices.Contains(known, name) {
			return &UnknownPluginError{Name: name, Known: known}
		}
	}
	return nil
}

func (m *Manager) bringUp(ctx context.Context) error {
	for _, step := range []func(*guest, context.Context) error{(*guest).init, (*guest).subscribe} {
		for _, g := range m.guests {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := step(g, ctx); err != nil && g.required {
				return err
			}
		}
	}
	for _, g := range m.guests {
		if g.run() {
			m.log.Info("plugin runs", "plugin", g.name)
		} else if g.required {
			return g.failure()
		}
	}
	return nil
}

// Close shuts the plugins down in reverse order, waiting as long as ctx allows, and returns what went wrong: for each plugin that failed to close or didn't end in time a
// *PluginError. It ends a Start that is under way. Later calls wait for the first and return the same.
func (m *Manager) Close(ctx context.Context) error {
	m.mu.Lock()
	m.closed = true
	started := m.started
	if m.cancel != nil {
		m.cancel()
	}
	m.mu.Unlock()
	if started != nil && !waitFor(ctx, started) {
		return &UnfinishedError{Left: []string{"Start"}, Err: context.Cause(ctx)}
	}
	m.closing.Do(func() { m.closeErr = m.closeAll(ctx) })
	return m.closeErr
}

func (m *Manager) closeAll(ctx context.Context) error {
	var errs []error
	for i, g := range slices.Backward(m.guests) {
		share, cancel := shareOf(ctx, i+1)
		if err := g.stop(share); err != nil {
			errs = append(errs, err)
		}
		cancel()
	}
	return errors.Join(errs...)
}

// shareOf gives the next of n an n-th of the time that is left.
func shareOf(ctx context.Context, n int) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, time.Until(deadline)/time.Duration(n))
}

// Handler serves the routes of all plugins.
func (m *Manager) Handler() http.Handler { return m.mux }

// Metrics returns the metrics of all plugins, each under its name. It isn't published with expvar, which knows no second server in a process.
func (m *Manager) Metrics() *expvar.Map { return m.metrics }

func (m *Manager) migrate(ctx context.Context, g *guest, files fs.FS) error {
	if files == nil {
		return nil
	}
	if m.journal == nil {
		return ErrNoDatabase
	}
	return m.journal.Migrate(ctx, "plugin_"+g.name, files)
}
