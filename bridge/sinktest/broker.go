package sinktest

import (
	"context"
	"testing"

	"github.com/cloudbus-go/cloudbus/bridge"
)

// Received is a message as a consumer gets it, the protocol's own prefixes and encodings taken off.
type Received struct {
	ID          string // that the broker tells repeats by; "" if the protocol has none
	Subject     string
	ContentType string
	Attributes  []bridge.Attribute // of the CloudEvent, in any order; other headers aren't listed
	Data        []byte
}

// Repeats says what becomes of a message that the broker has already.
type Repeats int

const (
	// Kept: a consumer gets it again, and tells it by the event's id.
	Kept Repeats = iota
	// Dropped: the broker knows its id, and keeps the first.
	Dropped
)

// Broker is an empty broker made for one test, with what a test does to it. Its functions are called by one goroutine at a time.
type Broker struct {
	// New returns a sink of the broker that isn't open yet. Several live one after the other.
	New func() (bridge.Sink, error)
	// Received returns all that the broker has acknowledged, in the order in which it took it.
	Received func(ctx context.Context) ([]Received, error)
	// Stop takes the broker away, as if it had been shut down; it keeps what it has acknowledged. Start has it come back. Without them what they are for isn't tested.
	Stop, Start func() error
	// Hang has the broker acknowledge nothing until resume is called. Without it that isn't tested.
	Hang func() (resume func(), err error)
	// Repeats says what the broker does with them. Defaults to Kept.
	Repeats Repeats
	// Lose takes away all that the broker keeps, as somebody may who removes its stream, or purges it. Without it that isn't tested; the suite for states (RunState) alone does.
	Lose func() error
	// TooLarge is a size of data, in bytes, that the broker never takes. Defaults to none: that isn't tested.
	TooLarge int
}

// Open makes an empty broker for one test. It shuts it down in t.Cleanup; the suite's sinks are closed before.
type Open func(t *testing.T) *Broker
