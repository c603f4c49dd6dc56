package bridge

import (
	"cmp"
	"context"
	"time"
)

// Letter is a message as it lies on the wire between a provider and a server.
type Letter struct {
	ID      string              // of the message, the same at every repeat: what a broker tells repeats by; "" if it has none
	Subject string              // where it is sent, or lay
	Header  map[string][]string // as on the wire
	Data    []byte              // as on the wire
}

// Delivery is a Letter that came out of a stream.
type Delivery struct {
	Letter
	Seq   uint64    // its number in the stream
	Time  time.Time // when the stream stored it
	Tries int       // how often it was delivered, this time included
}

// Inlet says what is received, and as whom.
type Inlet struct {
	Stream   string        // Joined if it is there, its configuration left alone; made with the limits below if it isn't. A stream of another name that holds the subjects already is joined instead.
	Subjects []string      // Of a stream that is made, and what of it is received.
	Durable  string        // The receiver's name: its place is kept by the broker under it.
	Batch    int           // How many letters are handed over at a time at most. Defaults to 256.
	MaxAge   time.Duration // Of letters in a stream that is made. Defaults to 7 days.
	MaxBytes int64         // Of a stream that is made. Defaults to 1 GiB.
}

const (
	defaultInletBatch    = 256
	defaultInletMaxAge   = 7 * 24 * time.Hour
	defaultInletMaxBytes = 1 << 30
)

// WithDefaults returns in with its defaults set. Errors: *OptionError. It is for those who write a Transport.
func (in Inlet) WithDefaults() (Inlet, error) {
	switch {
	case in.Stream == "":
		return in, &OptionError{Option: "Inlet.Stream", Reason: "is required"}
	case in.Durable == "":
		return in, &OptionError{Option: "Inlet.Durable", Reason: "is required"}
	case len(in.Subjects) == 0:
		return in, &OptionError{Option: "Inlet.Subjects", Reason: "is required"}
	case in.Batch < 0:
		return in, &OptionError{Option: "Inlet.Batch", Value: in.Batch, Reason: "must not be negative"}
	case in.MaxAge < 0:
		return in, &OptionError{Option: "Inlet.MaxAge", Value: in.MaxAge, Reason: "must not be negative"}
	case in.MaxBytes < 0:
		return in, &OptionError{Option: "Inlet.MaxBytes", Value: in.MaxBytes, Reason: "must not be negative"}
	}
	in.Batch = cmp.Or(in.Batch, defaultInletBatch)
	in.MaxAge = cmp.Or(in.MaxAge, defaultInletMaxAge)
	in.MaxBytes = cmp.Or(in.MaxBytes, defaultInletMaxBytes)
	return in, nil
}

// Transport is the way between providers and servers. All methods may be called concurrently.
type Transport interface {
	// Publish returns nil when the broker has acknowledged that it keeps l.
	// *RejectedError: it never will. Everything else may be tried again, with the same ID. A broker that is away is an error at once.
	Publish(ctx context.Context, l Letter) error
	// Send hands l over without an acknowledgement: it may be lost. It fails as Publish does where it can tell.
	Send(ctx context.Context, l Letter) error
	// Receive hands batches, in the stream's order, to handle, on one goroutine, until ctx ends (its error is then ctx's)
	// or the inlet can't be used for a reason that waiting won't cure.
	//
	// nil from handle acknowledges the whole batch; after an error the same batch comes again, after a pause that grows.
	// Whatever was not acknowledged comes again after a restart. A batch is never empty. While the broker is away Receive waits, for ever.
	Receive(ctx context.Context, in Inlet, handle func(ctx context.Context, batch []Delivery) error) error
	// Ready waits until a Publish is worth trying, or ctx ends.
	Ready(ctx context.Context) error
	// Health says what is wrong with the broker, without waiting.
	Health(ctx context.Context) error
	// Close ends the connection, and each Receive with an error. It is called once, when nothing is published any more.
	Close(ctx context.Context) error
}
