package natsbridge

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/nats-io/nats.go"
)

// Options of a Sink. The zero value publishes to a NATS server on this machine.
type Options struct {
	URL        string                     // Of the server, or several with commas between. Defaults to nats://127.0.0.1:4222.
	InProcess  nats.InProcessConnProvider // A NATS server embedded in this process (*server.Server), instead of URL. Defaults to none.
	Conn       *nats.Conn                 // A connection to use instead, which stays the caller's. Defaults to one of the sink's own.
	Name       string                     // Of the sink's own connection, as NATS shows it. Defaults to "cloudbus".
	Login      Login                      // Who the sink is to the broker, and by what it knows the broker. Defaults to nobody.
	Connection []nats.Option              // For the sink's own connection, what Login doesn't say: timeouts, proxies. Defaults to none.

	State      bool          // Keeps states, one message for each resource, for a bridge.Bridge with bridge.Options.State. Defaults to no.
	Stream     string        // Defaults to "cloudbus", with State "cloudbus-state".
	Replicas   int           // Of a stream that the sink creates. Defaults to 1.
	MaxAge     time.Duration // Of messages in a stream that the sink creates. Defaults to for ever.
	MaxBytes   int64         // Of a stream that the sink creates; beyond it the oldest messages go. Defaults to without end.
	MaxMsgs    int64         // Of a stream that the sink creates; beyond it the oldest messages go. Defaults to without end.
	Duplicates time.Duration // How long a stream that the sink creates knows repeats by their id. Defaults to 10 minutes, or MaxAge if that is less.
	AckTimeout time.Duration // How long one publish waits for its acknowledgement before it is repeated; at most bridge.SendTimeout. Defaults to 5 s.
}

const (
	defaultStream     = "cloudbus"
	defaultDuplicates = 10 * time.Minute
	defaultAckTimeout = 5 * time.Second
)

func (o Options) withDefaults() (Options, error) {
	if err := o.check(); err != nil {
		return o, err
	}
	if o.State {
		o.Stream = cmp.Or(o.Stream, bridge.StateRoot)
	}
	o.Stream = cmp.Or(o.Stream, defaultStream)
	o.Replicas = cmp.Or(o.Replicas, 1)
	o.AckTimeout = cmp.Or(o.AckTimeout, defaultAckTimeout)
	if o.Duplicates == 0 {
		o.Duplicates = defaultDuplicates
		if o.MaxAge > 0 {
			o.Duplicates = min(o.Duplicates, o.MaxAge)
		}
	}
	return o, nil
}

func (o Options) check() error {
	wrong := func(option string, value any, reason string) error {
		return &bridge.OptionError{Option: option, Value: value, Reason: reason}
	}
	switch {
	case strings.ContainsAny(o.Stream, ". *>/\\\t\r\n"):
		return wrong("Stream", o.Stream, `must not contain spaces, ".", "*", ">", "/" or "\"`)
	case o.Replicas < 0 || o.Replicas > 5:
		return wrong("Replicas", o.Replicas, "must be 1 to 5")
	case o.MaxAge < 0:
		return wrong("MaxAge", o.MaxAge, "must not be negative")
	case o.MaxBytes < 0:
		return wrong("MaxBytes", o.MaxBytes, "must not be negative")
	case o.State && (o.MaxAge != 0 || o.MaxBytes != 0 || o.MaxMsgs != 0 || o.Duplicates != 0):
		return wrong("State", o.State, "excludes MaxAge, MaxBytes, MaxMsgs and Duplicates: every resource has its state")
	case o.MaxMsgs < 0:
		return wrong("MaxMsgs", o.MaxMsgs, "must not be negative")
	case o.Duplicates < 0 || o.Duplicates > 0 && o.Duplicates < 100*time.Millisecond:
		return wrong("Duplicates", o.Duplicates, "must be at least 100ms")
	case o.MaxAge > 0 && o.Duplicates > o.MaxAge:
		return wrong("Duplicates", o.Duplicates, "must not be longer than MaxAge")
	}
	return checkAckTimeout(o.AckTimeout)
}

func checkAckTimeout(d time.Duration) error {
	switch {
	case d < 0:
		return &bridge.OptionError{Option: "AckTimeout", Value: d, Reason: "must not be negative"}
	case d > bridge.SendTimeout:
		return &bridge.OptionError{Option: "AckTimeout", Value: d, Reason: fmt.Sprintf("must be at most %v, when the bridge gives a publish up", bridge.SendTimeout)}
	}
	return nil
}

func (o Options) address() address {
	return address{url: o.URL, inProcess: o.InProcess, conn: o.Conn, name: o.Name, login: o.Login, connection: o.Connection}
}
