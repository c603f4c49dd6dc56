package evbus

import (
	"errors"
	"fmt"
)

var (
	// ErrHandler: what was given as handler is no func, or a nil one.
	ErrHandler = errors.New("evbus: no handler")
	// ErrSignature: no arguments (nil aside) suit both this handler and one that the topic has.
	ErrSignature = errors.New("evbus: signature doesn't fit the topic's other handlers")
	// ErrArguments: the published arguments don't suit the handler.
	ErrArguments = errors.New("evbus: wrong arguments")
	// ErrNotSubscribed: the topic has no such handler.
	ErrNotSubscribed = errors.New("evbus: not subscribed")
	// ErrAmbiguous: several handlers of the topic could be meant.
	ErrAmbiguous = errors.New("evbus: several handlers could be meant")
	// ErrTopic: the topic is too long for an event type.
	ErrTopic = errors.New("evbus: topic too long")
	// ErrLinked: the two buses are linked already, or the topic is received already.
	ErrLinked = errors.New("evbus: linked already")
)

// HandlerError says what is wrong with a handler, or what went wrong in it.
type HandlerError struct {
	Topic   string
	Handler string // the function's name and type
	Reason  string // what is allowed, or was given
	Err     error  // one of the sentinels, *bus.PanicError, or what the handler returned
}

func (e *HandlerError) Error() string {
	if e.Reason == "" {
		return fmt.Sprintf("evbus: handler %s of topic %q: %v", e.Handler, e.Topic, e.Err)
	}
	return fmt.Sprintf("%v: handler %s of topic %q: %s", e.Err, e.Handler, e.Topic, e.Reason)
}

func (e *HandlerError) Unwrap() error { return e.Err }
