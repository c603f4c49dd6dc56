package natsbridge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	defaultAckWait = 5 * time.Second
	leastAckWait   = 100 * time.Millisecond
)

// TransportOptions of a Transport. The zero value connects to a NATS server on this machine.
type TransportOptions struct {
	URL        string                     // Of the server, or several with commas between. Defaults to nats://127.0.0.1:4222.
	InProcess  nats.InProcessConnProvider // A NATS server embedded in this process (*server.Server), instead of URL. Defaults to none.
	Conn       *nats.Conn                 // A connection to use instead, which stays the caller's. Defaults to one of the transport's own.
	Name       string                     // Of the transport's own connection, as NATS shows it. Defaults to "cloudbus".
	Login      Login                      // Who the transport is to the broker, and by what it knows the broker. Defaults to nobody.
	Connection []nats.Option              // For the transport's own connection, what Login doesn't say: timeouts, proxies. Defaults to none.

	AckTimeout time.Duration // How long a publish waits for its acknowledgement. Defaults to 5 s.
	AckWait    time.Duration // How long the broker waits for a sign of life of who received a letter before it delivers it again; at least 100 ms. Defaults to 5 s.
	Logger     *slog.Logger  // Defaults to slog.Default().
}

func (o TransportOptions) withDefaults() (TransportOptions, error) {
	switch {
	case o.AckTimeout < 0:
		return o, &bridge.OptionError{Option: "AckTimeout", Value: o.AckTimeout, Reason: "must not be negative"}
	case o.AckWait < 0 || o.AckWait > 0 && o.AckWait < leastAckWait:
		return o, &bridge.OptionError{Option: "AckWait", Value: o.AckWait, Reason: "must be at least 100ms"}
	}
	o.AckTimeout = cmp.Or(o.AckTimeout, defaultAckTimeout)
	o.AckWait = cmp.Or(o.AckWait, defaultAckWait)
	o.Logger = cmp.Or(o.Logger, slog.Default())
	return o, nil
}

func (o TransportOptions) address() address {
	return address{url: o.URL, inProcess: o.InProcess, conn: o.Conn, name: o.Name, login: o.Login, connection: o.Connection}
}

// Transport is a bridge.Transport over JetStream. All methods may be called concurrently.
type Transport struct {
	options TransportOptions
	keeper  *keeper
	life    context.Context // ends at Close
	end     context.CancelCauseFunc

	mu         sync.Mutex
	receptions map[*reception]error // what is wrong with each that runs; nil: nothing
	running    sync.WaitGroup       // receptions
}

// NewTransport begins to connect, in the background, again and again until Close. Errors: *bridge.OptionError.
func NewTransport(o TransportOptions) (*Transport, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	link, err := newLink(o.address())
	if err != nil {
		return nil, err
	}
	t := &Transport{options: o, receptions: map[*reception]error{}}
	t.life, t.end = context.WithCancelCause(context.Background())
	// Streams are the receivers' business: a publisher may not even be allowed to look at them.
	t.keeper = newKeeper(link, func(context.Context, jetstream.JetStream) error { return nil })
	t.keeper.start(context.Background(), o.Logger)
	return t, nil
}

// Close ends each Receive with ErrClosed, and the connection if it is the transport's own. It waits for the handlers that run.
func (t *Transport) Close(ctx context.Context) error {
	t.mu.Lock()
	t.end(ErrClosed)
	t.mu.Unlock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		t.running.Wait()
		t.keeper.close()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("natsbridge: close transport: a handler doesn't return: %w", ctx.Err())
	}
}

// Conn returns the connection, nil before there was one. It belongs to the transport.
func (t *Transport) Conn() *nats.Conn {
	if js := t.keeper.jetStream(); js != nil {
		return js.Conn()
	}
	return nil
}

// Ready returns nil when there is a connection.
func (t *Transport) Ready(ctx context.Context) error { return t.keeper.gate.wait(ctx) }

// Health says what keeps letters from being sent or received: ErrAway, ErrClosed, *StreamError.
func (t *Transport) Health(context.Context) error {
	if err := t.keeper.health(); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []error
	for _, err := range t.receptions {
		if err != nil {
			all = append(all, err)
		}
	}
	return errors.Join(all...)
}

// Publish waits until JetStream has acknowledged l. Errors: *bridge.RejectedError (too large, no subject), ErrAway, ErrNoAck, ErrClosed,
// *StreamError if no stream takes the subject, what else the broker says.
func (t *Transport) Publish(ctx context.Context, l bridge.Letter) error {
	span, err := t.keeper.pass()
	if err != nil {
		return err
	}
	_, err = t.keeper.publish(ctx, span, letterMessage(l), t.options.AckTimeout)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case span.Err() != nil:
		return t.keeper.link.explain(context.Cause(span))
	case errors.Is(err, ErrNoAck):
		return t.keeper.link.explain(fmt.Errorf("%w of letter %s within %v", ErrNoAck, l.ID, t.options.AckTimeout))
	}
	return judgeLetter(l, err)
}

// Send publishes l without JetStream's acknowledgement; who listens to its subject has it, a stream too. Errors: as of Publish, where the client can tell.
func (t *Transport) Send(_ context.Context, l bridge.Letter) error {
	if _, err := t.keeper.pass(); err != nil {
		return err
	}
	err := checkSubject(l.Subject)
	if err == nil {
		err = t.keeper.jetStream().Conn().PublishMsg(letterMessage(l))
	}
	if err != nil {
		return judgeLetter(l, err)
	}
	return nil
}

// letterMessage has the letter's id in its header.
func letterMessage(l bridge.Letter) *nats.Msg {
	m := &nats.Msg{Subject: l.Subject, Data: l.Data, Header: make(nats.Header, len(l.Header)+1)}
	for key, values := range l.Header {
		m.Header[key] = values
	}
	if l.ID != "" {
		m.Header[jetstream.MsgIDHeader] = []string{l.ID}
	}
	return m
}

func judgeLetter(l bridge.Letter, err error) error {
	switch {
	case neverTaken(err):
		return &bridge.RejectedError{ID: l.ID, Subject: l.Subject, Err: err}
	case errors.Is(err, jetstream.ErrNoStreamResponse):
		return &StreamError{Stream: "on subject " + l.Subject, Err: err}
	}
	return fmt.Errorf("natsbridge: publish letter %s on %s: %w", l.ID, l.Subject, err)
}

var _ bridge.Transport = (*Transport)(nil)
