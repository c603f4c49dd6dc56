package natsbridge

import (
	"errors"
	"fmt"
)

var (
	// ErrAway: there is no connection to the broker. The sink goes on trying.
	ErrAway = errors.New("natsbridge: no connection to the broker")
	// ErrNoAck: the broker has not acknowledged a message in time. It may have it nevertheless.
	ErrNoAck = errors.New("natsbridge: no acknowledgement")
	// ErrClosed: the sink is closed, or was never opened.
	ErrClosed = errors.New("natsbridge: closed")
	// ErrOpened: the sink was opened before. Each bridge, and each start of a server, has a sink of its own.
	ErrOpened = errors.New("natsbridge: the sink was opened before, by this bridge or another: make one for each with New")
)

// StreamError: the stream can't be used as it is. The sink looks at it again every second.
type StreamError struct {
	Stream  string
	Setting string // what is wrong with it: "storage"; "" if it couldn't be looked up or created
	Have    string
	Want    string
	Err     error // of the lookup
}

func (e *StreamError) Error() string {
	if e.Setting == "" {
		return fmt.Sprintf("natsbridge: stream %s: %v", e.Stream, e.Err)
	}
	return fmt.Sprintf("natsbridge: stream %s: %s is %s, must be %s", e.Stream, e.Setting, e.Have, e.Want)
}

func (e *StreamError) Unwrap() error { return e.Err }
