package fsm

import "time"

// Machine is a checked, compiled Spec: immutable, shared by all resources of a kind, safe for concurrent use.
type Machine struct{}

func New(s Spec) (*Machine, error)                     { panic("unwritten") } // *SpecError lists all faults
func MustNew(s Spec) *Machine                          { panic("unwritten") }
func (m *Machine) Kind() string                        { panic("unwritten") }
func (m *Machine) Spec() Spec                          { panic("unwritten") } // a copy
func (m *Machine) States() []State                     { panic("unwritten") } // in order of appearance
func (m *Machine) Initial() []State                    { panic("unwritten") }
func (m *Machine) Triggers() []Trigger                 { panic("unwritten") }
func (m *Machine) Has(s State) bool                    { panic("unwritten") }
func (m *Machine) Knows(t Trigger) bool                { panic("unwritten") }
func (m *Machine) Class(s State) (Class, bool)         { panic("unwritten") } // false: not a state of this machine
func (m *Machine) Limit(s State) (time.Duration, bool) { panic("unwritten") }

// WithLimits returns a machine with other limits for states that have one (a state without one is an error).
func (m *Machine) WithLimits(l map[State]time.Duration) (*Machine, error) { panic("unwritten") }

// Next asks what on does to a subject in (from, origin). No lock, no allocation unless refused.
// Errors: *TransitionError (not allowed here, or no guard held), *UnknownError (state or trigger this machine doesn't have), *GuardError (panic, wrong subject type).
func (m *Machine) Next(from, origin State, on Trigger, subject any) (Step, error) { panic("unwritten") }

// Allowed lists the triggers that Next would take now, in order of declaration. Same edges included.
func (m *Machine) Allowed(from, origin State, subject any) ([]Trigger, error) { panic("unwritten") }

// Back reports whether an edge leads from the transitional state s back to its origin.
func (m *Machine) Back(s State) bool { panic("unwritten") }

// Origins lists the origins with which s can be reached; none for steady states.
func (m *Machine) Origins(s State) []State           { panic("unwritten") }
func (m *Machine) Mermaid(opts ...DrawOption) string { panic("unwritten") }
func (m *Machine) DOT(opts ...DrawOption) string     { panic("unwritten") }
func (m *Machine) Table(opts ...DrawOption) string   { panic("unwritten") }

type DrawOption func(*drawing)
type drawing struct{}

// Current marks the state a resource is in.
func Current(s State) DrawOption { panic("unwritten") }

// TransitionError: the machine refuses.
//
//	fsm: vm/42 cannot "stop_requested" in "starting" (allowed: operation_succeeded, …)
type TransitionError struct {
	Kind    string
	ID      string // filled by the engine
	State   State
	Origin  State
	Trigger Trigger
	Allowed []Trigger
	Guards  []string // names of guards that did not hold
}

func (e *TransitionError) Error() string { panic("unwritten") }

// UnknownError: a name this machine doesn't have.
type UnknownError struct {
	Kind  string
	What  string // "state", "trigger"
	Name  string
	Known []string
}

func (e *UnknownError) Error() string { panic("unwritten") }
