package resources

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// Options of New.
type Options struct {
	Store     Store            // Required.
	Bus       *bus.Bus         // Required. Its journal must be the store's.
	Listeners []Listener       // In this order. Defaults to none (nothing is posted without listeners.Post).
	Logger    *slog.Logger     // Defaults to slog.Default().
	Now       func() time.Time // Defaults to the bus's.
}

// Engine moves resources. It keeps nothing about a single resource in memory, and all its methods may be called concurrently.
type Engine struct {
	store     Store
	bus       *bus.Bus
	listeners []Listener
	log       *slog.Logger
	clock     func() time.Time
	counts    counts
	pulse     pulse
	late      lateEnds

	mu    sync.RWMutex
	kinds map[string]*Handle // nil: being registered
}

type counts struct{ lifted, conflicts atomic.Uint64 }

// Stats counts since New.
type Stats struct {
	Lifted    uint64 // changes whose time lay before StateSince and was lifted to it
	Conflicts uint64 // tries that had to begin again since somebody else had changed the resource
}

// New returns an engine without kinds: Register adds them.
func New(o Options) (*Engine, error) {
	switch {
	case o.Store == nil:
		return nil, errors.New("resources: Options.Store is missing")
	case o.Bus == nil:
		return nil, errors.New("resources: Options.Bus is missing")
	case o.Bus.Journal() != o.Store.Journal():
		return nil, errors.New("resources: the bus's journal is not the store's: give bus.New Options{Journal: store.Journal()}")
	}
	if _, err := newChain(o.Listeners); err != nil {
		return nil, err
	}
	if err := bus.Register[Acted](o.Bus, "action.>", 1); err != nil {
		return nil, fmt.Errorf("resources: %w", err)
	}
	e := &Engine{
		store: o.Store, bus: o.Bus, listeners: slices.Clone(o.Listeners),
		log: o.Logger, clock: o.Now, kinds: map[string]*Handle{}, pulse: newPulse(), late: newLateEnds(),
	}
	if e.log == nil {
		e.log = slog.Default()
	}
	if e.clock == nil {
		e.clock = o.Bus.Now
	}
	return e, nil
}

// Bus returns the bus the engine was made with.
func (e *Engine) Bus() *bus.Bus { return e.bus }

// Stats returns the counters.
func (e *Engine) Stats() Stats {
	return Stats{Lifted: e.counts.lifted.Load(), Conflicts: e.counts.conflicts.Load()}
}

// Kinds lists the registered kinds in alphabetical order.
func (e *Engine) Kinds() []string {
	e.mu.RLock()
	defer e.mu.RUnlock()
	names := slices.Sorted(maps.Keys(e.kinds))
	return slices.DeleteFunc(names, func(n string) bool { return e.kinds[n] == nil })
}

// Kind returns the untyped face of a kind; *UnknownError names those there are.
func (e *Engine) Kind(name string) (*Handle, error) {
	h := e.registered(name)
	if h == nil {
		return nil, &UnknownError{What: "kind", Name: name, Known: e.Kinds()}
	}
	return h, nil
}

// registered returns a kind, or nil if there is none of that name.
func (e *Engine) registered(name string) *Handle {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.kinds[name]
}

// reserve takes a kind's name until settle, so that two Registers of one kind at a time can't both go on.
func (e *Engine) reserve(i *Info) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, ok := e.kinds[i.Name]; ok {
		return i.invalid("", "is registered already")
	}
	for name, h := range e.kinds {
		if h != nil && h.info.Type == i.Type {
			return i.invalid("", "%v is registered already, as %q", i.Type, name)
		}
	}
	e.kinds[i.Name] = nil
	return nil
}

func (e *Engine) settle(name string, h *Handle) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if h == nil {
		delete(e.kinds, name)
		return
	}
	e.kinds[name] = h
}
