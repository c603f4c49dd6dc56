package metrics

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/resources"
)

// Options of New. The zero value works.
type Options struct {
	// Registerer gets the metrics. One that wraps another (prometheus.WrapRegistererWith) tells several engines of a process apart.
	// Defaults to prometheus.DefaultRegisterer.
	Registerer prometheus.Registerer
	// CountEvery is how old the number of resources by state may be before a scrape has them counted again. Defaults to 15 s.
	CountEvery time.Duration
	// CountWait is how long a scrape waits for that. Defaults to 1 s.
	CountWait time.Duration
	// CountLimit is how long the count of a kind may take. Defaults to 10 s.
	CountLimit time.Duration
}

// complete fills in the defaults.
func (o *Options) complete() error {
	for _, d := range []struct {
		name      string
		value     *time.Duration
		otherwise time.Duration
	}{
		{"CountEvery", &o.CountEvery, 15 * time.Second},
		{"CountWait", &o.CountWait, time.Second},
		{"CountLimit", &o.CountLimit, 10 * time.Second},
	} {
		if *d.value < 0 {
			return fmt.Errorf("metrics: Options.%s is %v: not below 0", d.name, *d.value)
		}
		*d.value = cmp.Or(*d.value, d.otherwise)
	}
	if o.Registerer == nil {
		o.Registerer = prometheus.DefaultRegisterer
	}
	return nil
}

// ErrWatching: Watch was called before, or after Close.
var ErrWatching = errors.New("metrics: an engine is watched already, or Close was called")

// Metrics is the listener that counts. All methods may be called concurrently.
type Metrics struct {
	opts     Options
	families families
	series   atomic.Pointer[map[string]*series] // by kind; replaced, never altered

	mu         sync.Mutex
	engine     *resources.Engine // nil: none is watched yet
	closed     bool
	plugins    bool // their figures are shown
	census     *census
	registered []prometheus.Collector
}

// New returns a listener, and registers what it counts. Errors: an option that is below zero, what the registerer says.
func New(o Options) (*Metrics, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	m := &Metrics{opts: o, families: newFamilies()}
	m.series.Store(&map[string]*series{})
	if err := m.register(m.families.all()...); err != nil {
		return nil, err
	}
	return m, nil
}

// register registers all of some collectors, or none.
func (m *Metrics) register(all ...prometheus.Collector) error {
	for i, c := range all {
		if err := m.opts.Registerer.Register(c); err != nil {
			for _, done := range all[:i] {
				m.opts.Registerer.Unregister(done)
			}
			return fmt.Errorf("metrics: %w", err)
		}
	}
	m.registered = append(m.registered, all...)
	return nil
}

// Watch has scrapes tell of the engine's resources, its bus, journal and writer too. Errors: ErrWatching, what the registerer says.
func (m *Metrics) Watch(e *resources.Engine) error {
	if e == nil {
		return errors.New("metrics: Watch wants an engine that isn't nil")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.engine != nil || m.closed {
		return ErrWatching
	}
	c := newCensus(e, m.opts)
	if err := m.register(c, &engineCollector{e}, newTraffic(e.Bus())); err != nil {
		return err
	}
	m.engine, m.census = e, c
	m.series.Store(&map[string]*series{}) // what was counted by now is found again
	return nil
}

// Close takes the metrics out of the registry, ends a count that is under way and waits for it. If ctx ends first, that is its error.
func (m *Metrics) Close(ctx context.Context) error {
	m.mu.Lock()
	m.closed = true
	registered, census := m.registered, m.census
	m.registered = nil
	m.mu.Unlock()
	for _, c := range registered {
		m.opts.Registerer.Unregister(c)
	}
	if census == nil {
		return nil
	}
	return census.close(ctx)
}

// Name returns "metrics".
func (*Metrics) Name() string { return "metrics" }

// After counts a call.
func (m *Metrics) After(_ context.Context, c resources.Change, err error) {
	s := m.seriesOf(c.Kind)
	r := place(listeners.ResultOf(c, err))
	switch {
	case c.Trigger != "" || c.Action == resources.Moved:
		s.fired(c.Trigger, r, c.Took())
		if err == nil && c.From != c.To {
			s.left(c.From, c.Trigger, c.Time.Sub(c.Since))
		}
	case c.Action == resources.Created:
		s.creations.at(r).Inc()
	case c.Action == resources.Removed:
		s.removals.at(r).Inc()
	default: // of an update, also one that changes nothing
		s.updates.at(r).Inc()
	}
}

// seriesOf returns what counts a kind.
func (m *Metrics) seriesOf(kind string) *series {
	if s := (*m.series.Load())[kind]; s != nil {
		return s
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	old := *m.series.Load()
	if s := old[kind]; s != nil {
		return s
	}
	s := newSeries(&m.families, kind, m.machine(kind))
	next := make(map[string]*series, len(old)+1)
	for k, v := range old {
		next[k] = v
	}
	next[kind] = s
	m.series.Store(&next)
	return s
}

// machine returns the kind's machine, nil if no engine is watched that has it.
func (m *Metrics) machine(kind string) *fsm.Machine {
	if m.engine == nil {
		return nil
	}
	h, err := m.engine.Kind(kind)
	if err != nil {
		return nil
	}
	return h.Machine()
}

var _ resources.AfterListener = (*Metrics)(nil)
