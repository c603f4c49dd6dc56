package resources

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
)

// KindOption configures a kind at Register.
type KindOption func(*kindSettings)

type kindSettings struct {
	limits    map[fsm.State]time.Duration
	listeners []Listener

	purgeAfter *time.Duration
}

// Limit gives a transitional state another limit than the machine's.
func Limit(s fsm.State, d time.Duration) KindOption {
	return func(k *kindSettings) {
		if k.limits == nil {
			k.limits = map[fsm.State]time.Duration{}
		}
		k.limits[s] = d
	}
}

// Listen adds listeners for this kind only. They come after the engine's.
func Listen(l ...Listener) KindOption {
	return func(k *kindSettings) { k.listeners = append(k.listeners, l...) }
}

// Register adds a kind: its payload types on the bus, Changed[T] for "<kind>.>", Stuck for "<kind>.stuck", and what is about reports for
// "status.<kind>.…" (Refused, Observed, Disagreed, Orphaned, Misreported); its table in the store.
//
// It refuses, with an *InvalidError, a T that isn't a struct or doesn't embed Object by value, a missing machine, names and Go types
// that are taken, and limits for states that have none; and, with a *StatesError that counts them, stored resources in
// states that the machine doesn't have. A kind that was refused isn't registered.
func Register[T any](e *Engine, m *fsm.Machine, opts ...KindOption) (*Kind[T], error) {
	build := func(c Change, snapshot any) bus.Payload {
		return Changed[T]{Change: c, Resource: *snapshot.(*T)}
	}
	announce := func(kind string) error { return announceKind[T](e.bus, kind) }
	h, err := register(e, reflect.TypeFor[T](), m, build, announce, opts)
	if err != nil {
		return nil, err
	}
	return &Kind[T]{h}, nil
}

// RegisterPayloads registers the payload types of a kind, as Register does, and of actions, on a bus without an engine: one that hears of resources that others keep.
// Errors: those of bus.Register.
func RegisterPayloads[T any](b *bus.Bus, m *fsm.Machine) error {
	if b == nil || m == nil {
		return &InvalidError{Reason: fmt.Sprintf("RegisterPayloads of %v needs a bus and a machine", reflect.TypeFor[T]())}
	}
	return errors.Join(bus.Register[Acted](b, "action.>", 1), announceKind[T](b, m.Kind()))
}

func announceKind[T any](b *bus.Bus, kind string) error {
	if err := bus.Register[Changed[T]](b, kind+".>", 1); err != nil {
		return err
	}
	return errors.Join(bus.Register[Stuck](b, kind+".stuck", 1), registerReports(b, kind))
}

func register(e *Engine, t reflect.Type, m *fsm.Machine, build func(Change, any) bus.Payload, announce func(string) error, opts []KindOption) (*Handle, error) {
	if e == nil || m == nil {
		return nil, &InvalidError{Reason: fmt.Sprintf("Register of %v needs an engine and a machine", t)}
	}
	s, m, err := settings(m, opts)
	if err != nil {
		return nil, err
	}
	info, err := newInfo(t, m)
	if err != nil {
		return nil, err
	}
	listeners, err := newChain(e.listeners, s.listeners)
	if err != nil {
		return nil, err
	}
	h := &Handle{engine: e, info: info, chain: listeners, build: build, limits: limitsOf(m), purgeAfter: s.purgeAfter}
	if err := e.reserve(info); err != nil {
		return nil, err
	}
	if err := h.bind(announce); err != nil {
		e.settle(info.Name, nil)
		return nil, err
	}
	e.settle(info.Name, h)
	return h, nil
}

func settings(m *fsm.Machine, opts []KindOption) (kindSettings, *fsm.Machine, error) {
	var s kindSettings
	for i, o := range opts {
		if o == nil {
			return s, nil, &InvalidError{Kind: m.Kind(), Reason: fmt.Sprintf("option %d of Register is nil", i)}
		}
		o(&s)
	}
	if d := s.purgeAfter; d != nil && *d < 0 {
		return s, nil, &InvalidError{Kind: m.Kind(), Field: "PurgeAfter", Reason: fmt.Sprintf("%v is below 0", *d)}
	}
	if s.limits == nil {
		return s, m, nil
	}
	limited, err := m.WithLimits(s.limits)
	if err != nil {
		return s, nil, &InvalidError{Kind: m.Kind(), Field: "Limit", Reason: err.Error(), Err: err}
	}
	return s, limited, nil
}

// bind tells the bus and the store about the kind and looks whether the machine knows the states of all stored resources.
func (h *Handle) bind(announce func(kind string) error) error {
	if err := announce(h.info.Name); err != nil {
		return fmt.Errorf("resources: %s: %w", h.info.Name, err)
	}
	ctx := context.Background()
	if err := h.engine.store.Bind(ctx, h.info); err != nil {
		return fmt.Errorf("resources: %s: %w", h.info.Name, err)
	}
	return h.checkStates(ctx)
}

// checkStates counts the rows in states that the machine doesn't know.
func (h *Handle) checkStates(ctx context.Context) error {
	if s, ok := h.engine.store.(StateLister); ok {
		states, err := s.States(ctx, h.info)
		if err != nil {
			return fmt.Errorf("resources: %s: %w", h.info.Name, err)
		}
		if !slices.ContainsFunc(states, func(s fsm.State) bool { return !h.info.Machine.Has(s) }) {
			return nil
		}
	}
	counts, err := h.engine.store.CountStates(ctx, h.info)
	if err != nil {
		return fmt.Errorf("resources: %s: %w", h.info.Name, err)
	}
	unknown := map[fsm.State]int64{}
	for s, n := range counts {
		if !h.info.Machine.Has(s) {
			unknown[s] = n
		}
	}
	if len(unknown) > 0 {
		return &StatesError{Kind: h.info.Name, Counts: unknown, Known: h.info.Machine.States()}
	}
	return nil
}
