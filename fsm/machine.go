package fsm

import (
	"fmt"
	"slices"
	"time"
)

// Class of a state.
type Class int

const (
	Steady       Class = iota + 1 // a resource may stay here for as long as it likes
	Transitional                  // something is being done; there is a limit to how long it may take
	Final                         // nothing comes after it
)

// String is the class's name in lower case.
func (c Class) String() string {
	switch c {
	case Steady:
		return "steady"
	case Transitional:
		return "transitional"
	case Final:
		return "final"
	}
	return fmt.Sprintf("class(%d)", int(c))
}

// Machine is a checked, compiled Spec: immutable, shared by all resources of a kind, safe for concurrent use.
type Machine struct {
	plan  *plan
	rules lookup
}

// New checks and compiles a Spec. The error is a *SpecError that lists all faults.
func New(s Spec) (*Machine, error) {
	p := newPlan(s.clone())
	if faults := p.check(); len(faults) > 0 {
		return nil, &SpecError{Kind: s.Kind, Faults: faults}
	}
	return &Machine{plan: p, rules: p.compile()}, nil
}

// MustNew is New for package variables: it panics if the Spec has faults.
func MustNew(s Spec) *Machine {
	m, err := New(s)
	if err != nil {
		panic(err)
	}
	return m
}

// Kind is the name of the kind that the machine is for.
func (m *Machine) Kind() string { return m.plan.spec.Kind }

// Spec returns a copy of what the machine was made of, limits of WithLimits included.
func (m *Machine) Spec() Spec { return m.plan.spec.clone() }

// States lists all states: initial ones first, then in order of appearance.
func (m *Machine) States() []State { return slices.Clone(m.plan.states) }

// Initial lists the states a resource can begin in; the first is the one it begins in if nobody says.
func (m *Machine) Initial() []State { return slices.Clone(m.plan.spec.Initial) }

// Triggers lists all triggers in order of appearance.
func (m *Machine) Triggers() []Trigger { return slices.Clone(m.plan.triggers) }

// Has reports whether s is a state of this machine.
func (m *Machine) Has(s State) bool { return m.plan.has(s) }

// Knows reports whether some edge of this machine is on t.
func (m *Machine) Knows(t Trigger) bool { return slices.Contains(m.plan.triggers, t) }

// Class of a state; false if it isn't one of this machine.
func (m *Machine) Class(s State) (Class, bool) {
	c, ok := m.plan.class[s]
	return c, ok
}

// Limit is how long a transitional state may take; false for all others.
func (m *Machine) Limit(s State) (time.Duration, bool) {
	d, ok := m.plan.spec.Limits[s]
	return d, ok
}

// WithLimits returns a machine with other limits for states that have one. Others of l are a *SpecError.
func (m *Machine) WithLimits(l map[State]time.Duration) (*Machine, error) {
	spec := m.Spec()
	var faults []Fault
	for _, s := range sortedKeys(l) {
		if _, ok := spec.Limits[s]; !ok {
			faults = append(faults, Fault{stateLabel(s), "is not transitional, so it can have no limit"})
			continue
		}
		spec.Limits[s] = l[s]
	}
	if len(faults) > 0 {
		return nil, &SpecError{Kind: m.Kind(), Faults: faults}
	}
	return New(spec)
}

// Origins lists the origins that s can have: empty for steady and final states.
func (m *Machine) Origins(s State) []State { return m.plan.origins(s) }

// Back reports whether an edge leads from the transitional state s back to origin, one of those it can have. Guards are
// taken as holding.
func (m *Machine) Back(s, origin State) bool {
	return slices.Contains(m.plan.origins(s), origin) &&
		slices.ContainsFunc(m.plan.out[s], func(r row) bool { return r.to == Origin || r.to == origin })
}
