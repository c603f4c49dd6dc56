package fsm

import (
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
)

// Guard is a named condition on the subject of a trigger. The zero Guard always holds.
type Guard struct {
	name  string
	given bool
	check func(subject any) (bool, error)
}

// ErrNoSubject is what a *GuardError wraps when a guarded edge is asked about a nil subject.
var ErrNoSubject = errors.New("fsm: a guard needs a subject, got nil")

// If makes a guard that looks at a subject of type T, usually a pointer to the resource. holds must be safe for
// concurrent use, may read the subject and nothing else, and should be quick.
// A subject of another type, and a panic of holds, are a *GuardError from Next and Allowed.
func If[T any](name string, holds func(T) bool) Guard {
	g := Guard{name: name, given: true}
	if holds == nil {
		return g
	}
	g.check = func(subject any) (ok bool, err error) {
		v, fits := subject.(T)
		if !fits {
			return false, mismatch[T](subject)
		}
		defer func() {
			if p := recover(); p != nil {
				ok, err = false, &panicError{value: p, stack: debug.Stack()}
			}
		}()
		return holds(v), nil
	}
	return g
}

// Name is the guard's name; empty for the zero Guard.
func (g Guard) Name() string { return g.name }

func mismatch[T any](subject any) error {
	if subject == nil {
		return ErrNoSubject
	}
	return fmt.Errorf("subject is of type %T, the guard needs %v", subject, reflect.TypeFor[T]())
}

type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// Unwrap gives the panic's value if it was an error.
func (e *panicError) Unwrap() error {
	err, _ := e.value.(error)
	return err
}

// GuardError says that a guard could not answer: it got a subject of a wrong type or none, or it panicked.
type GuardError struct {
	Kind    string
	Guard   string
	State   State
	Trigger Trigger
	Err     error  // wraps ErrNoSubject, or the panic's value if that was an error
	Stack   []byte // of the panic; nil if there was none
}

func (e *GuardError) Error() string {
	return fmt.Sprintf("fsm: %s: guard %q of %q in %q: %v", e.Kind, e.Guard, e.Trigger, e.State, e.Err)
}

func (e *GuardError) Unwrap() error { return e.Err }

func newGuardError(kind, guard string, from State, on Trigger, err error) *GuardError {
	e := &GuardError{Kind: kind, Guard: guard, State: from, Trigger: on, Err: err}
	var p *panicError
	if errors.As(err, &p) {
		e.Stack = p.stack
	}
	return e
}
