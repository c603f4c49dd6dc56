package fsm

import (
	"maps"
	"slices"
	"time"
)

// State and Trigger are names of the form [a-z][a-z0-9_]*.
type (
	State   string
	Trigger string
)

const (
	// Origin as an edge's target leads back to the steady state the resource came from.
	Origin State = "origin"
	// Same as an edge's target accepts the trigger and does nothing: no move, no event.
	Same State = "="

	// OperationSucceeded is what transitional states must lead out on, unless Spec.Succeed says otherwise.
	OperationSucceeded Trigger = "operation_succeeded"
	// OperationFailed is what transitional states must answer, unless Spec.Fail says otherwise.
	OperationFailed Trigger = "operation_failed"
)

// States makes a list of states.
func States(s ...State) []State { return s }

// Spec is the table of a machine as it is written down. New checks and compiles it.
type Spec struct {
	Kind    string                  // What the machine belongs to, a name like a state's. Required.
	Initial []State                 // Where resources begin; the first is the one they begin in if nobody says. Required.
	Final   []State                 // Where they end: nothing but Same edges leads on.
	Endless bool                    // Steady states need neither an exit nor a way to a final state. Defaults to false.
	Limits  map[State]time.Duration // How long a transitional state may take. What has a limit is transitional, all others are steady or final.
	Succeed []Trigger               // What ends an operation well. Defaults to OperationSucceeded.
	Fail    []Trigger               // What ends an operation badly. Defaults to OperationFailed.
	Edges   []Edge                  // In order; several for one (from, trigger) are told apart by their guards.
}

// Edge is one row of the table. It holds for each state of From.
type Edge struct {
	From []State
	On   Trigger
	To   State // a state, Origin or Same; From's own state is a move to itself
	If   Guard // Defaults to none.
}

// clone returns a copy that shares nothing that can be written to.
func (s Spec) clone() Spec {
	s.Initial = slices.Clone(s.Initial)
	s.Final = slices.Clone(s.Final)
	s.Limits = maps.Clone(s.Limits)
	s.Succeed = slices.Clone(s.Succeed)
	s.Fail = slices.Clone(s.Fail)
	s.Edges = slices.Clone(s.Edges)
	for i := range s.Edges {
		s.Edges[i].From = slices.Clone(s.Edges[i].From)
	}
	return s
}

// success returns the triggers that end an operation well.
func (s Spec) success() []Trigger {
	if len(s.Succeed) == 0 {
		return []Trigger{OperationSucceeded}
	}
	return s.Succeed
}

// failure returns the triggers that end an operation badly.
func (s Spec) failure() []Trigger {
	if len(s.Fail) == 0 {
		return []Trigger{OperationFailed}
	}
	return s.Fail
}
