package bridge

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// SendTimeout is how long one Send may take, or up to a second less, before it is given up and repeated; the broker tells repeats by their id.
const SendTimeout = 15 * time.Second

// Sink is the broker's side of a bridge.
//
// A sink may also implement Opener, Readier, Healther and Closer.
type Sink interface {
	// Send hands m to the broker and returns nil only when the broker has acknowledged that it keeps m for good.
	//
	// It is called from many goroutines at once, but never for two messages about the same resource at the same time:
	// the second is sent after the first was acknowledged. The same message can come again, after an error and after
	// a restart. A broker that is away is an error at once, not a wait (Readier waits).
	//
	// A *RejectedError says that the broker will never take m; every other error is tried again for ever.
	// When ctx ends, after SendTimeout at the latest, Send returns soon, with an error if the acknowledgement isn't there.
	Send(ctx context.Context, m Message) error
}

type (
	// Opener is a Sink that has something to start. Open is called once, before everything else, and doesn't wait for the broker:
	// it fails only for what waiting would not cure. What it starts goes on until Close, whatever becomes of ctx.
	Opener interface {
		Open(ctx context.Context, log *slog.Logger) error
	}
	// Readier is a Sink that knows when its broker is there. Ready returns nil as soon as a Send is worth trying, or an error when ctx ends.
	// It may be called from many goroutines at once.
	Readier interface {
		Ready(ctx context.Context) error
	}
	// Healther is a Sink that can say what is wrong with its broker. It may be called at any time between Open and Close, and doesn't wait for the broker.
	Healther interface {
		Health(ctx context.Context) error
	}
	// Closer is a Sink that has something to stop. Close is called once, after the last Send has returned.
	Closer interface {
		Close(ctx context.Context) error
	}
)

// RejectedError: the broker will never take this message, however often it is sent.
type RejectedError struct {
	ID      string // of the event
	Subject string
	Err     error // why
}

func (e *RejectedError) Error() string {
	return fmt.Sprintf("bridge: event %s on %s was rejected for good: %v", e.ID, e.Subject, e.Err)
}

func (e *RejectedError) Unwrap() error { return e.Err }
