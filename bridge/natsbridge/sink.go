package natsbridge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Error codes of the JetStream API that the client has no names for.
const (
	codeStreamNotMatch jetstream.ErrorCode = 10060 // the subject belongs to another stream
	codeStreamSealed   jetstream.ErrorCode = 10109
)

// Sink publishes to a JetStream stream. It is a bridge.Sink. After Open all methods may be called concurrently.
type Sink struct {
	options    Options
	connection nats.Options // of the sink's own
	log        *slog.Logger
	gate       *gate
	doubts     chan struct{} // asks the keeper to look at the stream again
	opened     atomic.Bool
	stop       context.CancelFunc
	keeper     sync.WaitGroup

	mu     sync.Mutex
	stream jetstream.JetStream // of the connection; nil before the first
	last   error               // what the connection complained about last; nil when the stream is looked at anew
}

// New returns a sink, which connects when the bridge opens it. Errors: *bridge.OptionError.
func New(o Options) (*Sink, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Sink{options: o, gate: newGate(ErrClosed), doubts: make(chan struct{}, 1)}
	if o.Conn == nil {
		if s.connection, err = o.connection(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Open begins to connect, in the background, again and again for ever. Errors: ErrOpened.
func (s *Sink) Open(ctx context.Context, log *slog.Logger) error {
	if !s.opened.CompareAndSwap(false, true) {
		return ErrOpened
	}
	s.log = log
	s.gate.shut(ErrAway)
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	s.keeper.Go(func() { s.keep(ctx) })
	return nil
}

// Close ends the connection if it is the sink's own.
func (s *Sink) Close(context.Context) error {
	if s.stop != nil {
		s.stop()
	}
	s.keeper.Wait()
	s.gate.shut(ErrClosed)
	return nil
}

// Ready returns nil when there is a connection and the stream is as it must be.
func (s *Sink) Ready(ctx context.Context) error { return s.gate.wait(ctx) }

// Health says what keeps messages from being sent: ErrAway, *StreamError, ErrClosed.
func (s *Sink) Health(context.Context) error {
	_, why := s.gate.pass()
	return s.explain(why)
}

// Send publishes m and waits until JetStream has acknowledged it. Errors: *bridge.RejectedError (too large), ErrAway, ErrNoAck, *StreamError, what else the broker says.
func (s *Sink) Send(ctx context.Context, m bridge.Message) error {
	span, err := s.gate.pass()
	if err != nil {
		return s.explain(err)
	}
	ack, cancel := context.WithTimeout(ctx, s.options.AckTimeout)
	defer cancel()
	defer context.AfterFunc(span, cancel)()
	_, err = s.jetStream().PublishMsg(ack, message(m),
		jetstream.WithMsgID(m.ID), jetstream.WithExpectStream(s.options.Stream), jetstream.WithRetryAttempts(0))
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case span.Err() != nil:
		return s.explain(context.Cause(span))
	case ack.Err() != nil:
		return s.explain(fmt.Errorf("%w of event %s within %v", ErrNoAck, m.ID, s.options.AckTimeout))
	}
	return s.judge(m, err)
}

func message(m bridge.Message) *nats.Msg {
	return &nats.Msg{Subject: m.Subject, Data: m.Data, Header: nats.Header{"Content-Type": {m.ContentType}}}
}

// judge tells what is wrong with the message from what is wrong with the stream, and from the rest, which passes.
func (s *Sink) judge(m bridge.Message, err error) error {
	var api *jetstream.APIError
	errors.As(err, &api)
	code := func(c jetstream.ErrorCode) bool { return api != nil && api.ErrorCode == c }
	switch {
	case errors.Is(err, nats.ErrMaxPayload), errors.Is(err, nats.ErrBadSubject), code(jetstream.JSErrCodeStreamMessageExceedsMaximum):
		return &bridge.RejectedError{ID: m.ID, Subject: m.Subject, Err: err}
	case errors.Is(err, jetstream.ErrNoStreamResponse), code(codeStreamNotMatch), code(codeStreamSealed):
		err = &StreamError{Stream: s.options.Stream, Err: err}
		s.gate.shut(err)
		s.doubt()
		return err
	}
	return fmt.Errorf("natsbridge: publish event %s: %w", m.ID, err)
}

// explain adds what the connection has said about why there is no answer.
func (s *Sink) explain(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	silence := errors.Is(err, ErrAway) || errors.Is(err, ErrNoAck) || errors.Is(err, context.DeadlineExceeded)
	if s.last == nil || !silence || errors.Is(err, s.last) {
		return err
	}
	return fmt.Errorf("%w: %w", err, s.last)
}

func (s *Sink) doubt() {
	select {
	case s.doubts <- struct{}{}:
	default:
	}
}

func (s *Sink) jetStream() jetstream.JetStream {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stream
}

var (
	_ bridge.Sink     = (*Sink)(nil)
	_ bridge.Opener   = (*Sink)(nil)
	_ bridge.Readier  = (*Sink)(nil)
	_ bridge.Healther = (*Sink)(nil)
	_ bridge.Closer   = (*Sink)(nil)
)
