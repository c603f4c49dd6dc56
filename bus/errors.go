package bus

import "errors"

var (
	// ErrClosed: the bus, client or subscription is closed.
	ErrClosed = errors.New("bus: closed")
	// ErrInWriter: the caller is itself a member of the writer it would wait for.
	ErrInWriter = errors.New("bus: called from inside a member of the writer, which would wait for itself")
	// ErrInHandler: Flush or Close was called with a handler's context and would wait for that handler.
	ErrInHandler = errors.New("bus: called from a handler, which would wait for itself")
	// ErrNoJournal: the option needs a journal, and the bus has none.
	ErrNoJournal = errors.New("bus: no journal")
	// ErrAttached: the journal serves another bus.
	ErrAttached = errors.New("bus: journal is attached to another bus")
	// Stop, returned by a handler, ends its own subscription.
	Stop = errors.New("bus: stop this subscription")
)

// OptionError: an option that is wrong, or excludes another one.
type OptionError struct {
	Option string // "Queue"
	With   string // the option it excludes, or ""
	Reason string
}

func (e *OptionError) Error() string { panic("unwritten") }
