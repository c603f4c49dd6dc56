package bus

import (
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"strings"
)

var (
	// ErrClosed: the bus, client or subscription is closed.
	ErrClosed = errors.New("bus: closed")
	// ErrInWriter: the caller is itself a member of the writer it would wait for.
	ErrInWriter = errors.New("bus: called from inside a member of the writer, which would wait for itself")
	// ErrInHandler: Flush or Close was called with a handler's context and would wait for that handler.
	ErrInHandler = errors.New("bus: called from a handler, which would wait for itself")
	// ErrNoJournal: the option needs a journal, and the bus has none.
	ErrNoJournal = errors.New("bus: no journal")
	// ErrOutage: the database can't take anything at the moment: it is full, read-only, locked, or gone. What a handler returns with this error in it is no
	// failure of the event: a durable subscription tries it again until it goes, and doesn't count the tries.
	ErrOutage = errors.New("bus: the database takes nothing at the moment")
	// ErrCursorPastEnd: a position is above the newest number, as after a restore of an older backup.
	ErrCursorPastEnd = errors.New("bus: cursor is past the end of the journal")
	// ErrAttached: the journal serves another bus.
	ErrAttached = errors.New("bus: journal is attached to another bus")
	// Stop, returned by a handler (wrapped or not), ends its own subscription. The event counts as handled.
	Stop = errors.New("bus: stop this subscription")
)

// OptionError: an option of Subscribe that is wrong, or excludes another one.
type OptionError struct {
	Option string // "Queue"
	With   string // the option it excludes, or ""
	Reason string
}

func (e *OptionError) Error() string {
	if e.With == "" {
		return fmt.Sprintf("bus: option %s: %s", e.Option, e.Reason)
	}
	return fmt.Sprintf("bus: option %s excludes %s: %s", e.Option, e.With, e.Reason)
}

var errNilHandler = &OptionError{Option: "handler", Reason: "nil function"}

// PatternError: a string that is no pattern.
type PatternError struct {
	Pattern string
	Reason  string
}

func (e *PatternError) Error() string {
	return fmt.Sprintf("bus: pattern %q: %s (allowed: tokens of a-z 0-9 _ - joined by dots, * for one token, > for the rest at the end)", e.Pattern, e.Reason)
}

// PayloadError: a payload, or a type of payloads, that the bus can't take.
type PayloadError struct {
	Type   reflect.Type // of the payload; nil for a nil payload
	Reason string
	Err    error // the cause, if there is one
}

func (e *PayloadError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("bus: payload %v: %s: %v", e.Type, e.Reason, e.Err)
	}
	return fmt.Sprintf("bus: payload %v: %s", e.Type, e.Reason)
}

func (e *PayloadError) Unwrap() error { return e.Err }

// HeaderError: a field of an event's header that doesn't fit.
type HeaderError struct {
	Field  string // "Type"
	Value  string
	Reason string
}

func (e *HeaderError) Error() string {
	return fmt.Sprintf("bus: header field %s %q: %s", e.Field, e.Value, e.Reason)
}

// UnregisteredError: only payloads of registered types can be recorded.
type UnregisteredError struct {
	GoType    reflect.Type
	EventType string
}

func (e *UnregisteredError) Error() string {
	return fmt.Sprintf("bus: %v isn't registered for %q and can't be recorded (call bus.Register[%v] with a pattern that matches it)", e.GoType, e.EventType, e.GoType)
}

// DecodeError: a recorded event of a registered type whose data don't decode.
type DecodeError struct {
	Seq    uint64
	Type   string
	Schema int
	GoType reflect.Type
	Err    error
}

func (e *DecodeError) Error() string {
	return fmt.Sprintf("bus: event %d (%s, schema %d) doesn't decode to %v: %v", e.Seq, e.Type, e.Schema, e.GoType, e.Err)
}

func (e *DecodeError) Unwrap() error { return e.Err }

// DuplicateError: a durable name that another subscription of this bus uses.
type DuplicateError struct {
	Name string
	By   string // where the other one was made: file:line
}

func (e *DuplicateError) Error() string {
	return fmt.Sprintf("bus: durable subscription %q is in use (subscribed at %s)", e.Name, e.By)
}

// PanicError: a handler panicked.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("bus: handler panicked: %v", e.Value) }

func newPanicError(value any) *PanicError { return &PanicError{Value: value, Stack: debug.Stack()} }

// Unwrap returns what was panicked with, if it was an error that can be asked.
func (e *PanicError) Unwrap() error {
	if err, ok := e.Value.(error); ok && faultOf(err) == nil {
		return err
	}
	return nil
}

// GapError: a Stream, or an Await, has missed events.
type GapError struct{ Gap }

func (e *GapError) Error() string {
	if e.FirstSeq == 0 {
		return fmt.Sprintf("bus: %d events missed", e.Count)
	}
	return fmt.Sprintf("bus: %d events missed (numbers %d to %d)", e.Count, e.FirstSeq, e.LastSeq)
}

// HaltError: a subscription halted at an event that its handler failed to handle.
type HaltError struct {
	Subscription string
	Event        Header
	Tries        int
	Err          error
}

func (e *HaltError) Error() string {
	return fmt.Sprintf("bus: subscription %q halted at %s (seq %d, id %s) after %d tries: %v", e.Subscription, e.Event.Type, e.Event.Seq, e.Event.ID, e.Tries, e.Err)
}

func (e *HaltError) Unwrap() error { return e.Err }

// Left is what a subscription had not done when Close gave up.
type Left struct {
	Subscription string
	Events       int // waiting in its queue
	Running      int // handlers that haven't returned
}

// LeftError reports, per subscription, what was left when Close's context ended.
type LeftError struct {
	Left []Left
	Err  error // of the context
}

func (e *LeftError) Error() string {
	parts := make([]string, len(e.Left))
	for i, l := range e.Left {
		parts[i] = fmt.Sprintf("%s: %d queued, %d running", l.Subscription, l.Events, l.Running)
	}
	return fmt.Sprintf("bus: closed with work left (%s): %v", strings.Join(parts, "; "), e.Err)
}

func (e *LeftError) Unwrap() error { return e.Err }
