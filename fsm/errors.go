package fsm

import (
	"fmt"
	"strings"
)

// Fault is one thing wrong with a Spec.
type Fault struct {
	Where  string // what it is about: `state "starting"`, `edge 3 (stopped, start_requested)`
	Reason string
}

func (f Fault) String() string { return f.Where + ": " + f.Reason }

// SpecError lists all that is wrong with a Spec, in a stable order.
type SpecError struct {
	Kind   string
	Faults []Fault
}

func (e *SpecError) Error() string {
	faults := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		faults[i] = f.String()
	}
	noun := "faults"
	if len(faults) == 1 {
		noun = "fault"
	}
	return fmt.Sprintf("fsm: machine %q has %d %s: %s", e.Kind, len(faults), noun, strings.Join(faults, "; "))
}

// TransitionError is a refusal: the trigger exists, but not here and now.
//
//	fsm: vm/42 cannot "stop_requested" in "starting" (allowed: operation_succeeded, operation_failed)
type TransitionError struct {
	Kind    string
	ID      string // the resource's; Next knows none, whoever asked for one fills it in
	State   State
	Origin  State
	Trigger Trigger
	Allowed []Trigger // what Next would take, Same edges included
	Guards  []string  // names of the guards that did not hold; empty if there is no such edge at all
}

func (e *TransitionError) Error() string {
	var b strings.Builder
	b.WriteString("fsm: " + e.Kind)
	if e.ID != "" {
		b.WriteString("/" + e.ID)
	}
	fmt.Fprintf(&b, " cannot %q in %q (", e.Trigger, e.State)
	if len(e.Guards) > 0 {
		b.WriteString("not " + strings.Join(e.Guards, ", not ") + "; ")
	}
	b.WriteString("allowed: " + list(e.Allowed) + ")")
	return b.String()
}

// UnknownError is a name that a machine doesn't have.
type UnknownError struct {
	Kind  string
	What  string // "state", "trigger", "origin"
	Name  string
	State State    // of an origin: the state that can't have it
	Known []string // in order of appearance
}

func (e *UnknownError) Error() string {
	in := ""
	if e.State != "" {
		in = fmt.Sprintf(" in %q", e.State)
	}
	return fmt.Sprintf("fsm: %s has no %s %q%s (known: %s)", e.Kind, e.What, e.Name, in, list(e.Known))
}

// list joins names for an error.
func list[S ~string](names []S) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(texts(names), ", ")
}

func texts[S ~string](names []S) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = string(n)
	}
	return out
}
