package fsm

import "time"

// State and Trigger are names: [a-z][a-z0-9_]*.
type (
	State   string
	Trigger string
)

const (
	Origin State = "origin" // as a target: back to the steady state the resource came from
	Same   State = "="      // as a target: accepted, nothing happens, no event

	OperationSucceeded Trigger = "operation_succeeded"
	OperationFailed    Trigger = "operation_failed"
)

func States(s ...State) []State { return s }

type Spec struct {
	Kind    string
	Initial []State // several: the first is Create's default
	Final   []State
	Endless bool                    // steady states need no way to a final one
	Limits  map[State]time.Duration // what has a limit is transitional
	Succeed []Trigger               // Defaults to operation_succeeded.
	Fail    []Trigger               // Defaults to operation_failed.
	Edges   []Edge
}

type Edge struct {
	From []State
	On   Trigger
	To   State
	If   Guard // zero: none
}

// Guard is a named condition on the subject.
type Guard struct {
	name  string
	check func(subject any) (bool, error)
}

func If[T any](name string, holds func(T) bool) Guard { panic("unwritten") }
func (g Guard) Name() string                          { return g.name }

// Class of a state.
type Class int

const (
	Steady Class = iota + 1
	Transitional
	Final
)

// Step is what a trigger does.
type Step struct {
	To     State
	Origin State // after the step; "" in a steady state
	Moved  bool  // false: a Same edge
}
