package natsbridge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	options Options
	keeper  *keeper
	memory  memory
	states  states
	opened  atomic.Bool
}

// New returns a sink, which connects when the bridge opens it. Errors: *bridge.OptionError.
func New(o Options) (*Sink, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	link, err := newLink(o.address())
	if err != nil {
		return nil, err
	}
	s := &Sink{options: o, states: states{renewed: make(chan struct{}, 1)}}
	s.keeper = newKeeper(link, s.ensureStream)
	return s, nil
}

// Open begins to connect, in the background, again and again for ever. Errors: ErrOpened.
func (s *Sink) Open(ctx context.Context, log *slog.Logger) error {
	if !s.opened.CompareAndSwap(false, true) {
		return ErrOpened
	}
	s.keeper.start(ctx, log)
	return nil
}

// Close ends the connection if it is the sink's own.
func (s *Sink) Close(context.Context) error {
	s.keeper.close()
	return nil
}

// Ready returns nil when there is a connection and the stream is as it must be.
func (s *Sink) Ready(ctx context.Context) error { return s.keeper.gate.wait(ctx) }

// Health says what keeps messages from being sent: ErrAway, *StreamError, ErrClosed.
func (s *Sink) Health(context.Context) error { return s.keeper.health() }

// Send publishes m and waits until JetStream has acknowledged it. Errors: *bridge.RejectedError (too large), ErrAway, ErrNoAck, *StreamError, what else the broker says.
func (s *Sink) Send(ctx context.Context, m bridge.Message) error {
	span, err := s.keeper.pass()
	if err != nil {
		return err
	}
	receipt, err := s.publish(ctx, span, m)
	switch {
	case err == nil:
		s.memory.acknowledged(receipt.Sequence, m.ID)
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case span.Err() != nil:
		return s.keeper.link.explain(context.Cause(span))
	case errors.Is(err, ErrNoAck):
		return s.keeper.link.explain(fmt.Errorf("event %s: %w", m.ID, err))
	}
	return s.judge(m, err)
}

func (s *Sink) publish(ctx, span context.Context, m bridge.Message) (jetstream.PubAck, error) {
	if s.options.State {
		return s.sendState(ctx, span, m)
	}
	return s.keeper.publish(ctx, span, s.message(m), s.options.AckTimeout)
}

// message is m in the mode that it has, as JetStream takes it: known by its ID, and for this stream only.
func (s *Sink) message(m bridge.Message) *nats.Msg {
	header := bridge.WriteHeader(m.ContentType, m.Attributes)
	header[jetstream.MsgIDHeader], header[jetstream.ExpectedStreamHeader] = []string{m.ID}, []string{s.options.Stream}
	return &nats.Msg{Subject: m.Subject, Data: m.Data, Header: header}
}

// maxSubject is what a server's line (max_control_line, 4,096 bytes unless it was changed) leaves for a subject beside the one to answer to, and two lengths.
const maxSubject = 4000

// checkSubject finds one for which a server would end the connection, and not say whose it was.
func checkSubject(subject string) error {
	if len(subject) > maxSubject {
		return fmt.Errorf("%w: it has %d bytes, a server takes %d", nats.ErrBadSubject, len(subject), maxSubject)
	}
	return nil
}

// neverTaken reports whether the broker, or our client for it, will refuse the same message again.
func neverTaken(err error) bool {
	var api *jetstream.APIError
	return errors.Is(err, nats.ErrMaxPayload) || errors.Is(err, nats.ErrBadSubject) || errors.Is(err, nats.ErrBadHeaderMsg) ||
		errors.As(err, &api) && api.ErrorCode == jetstream.JSErrCodeStreamMessageExceedsMaximum
}

// judge tells what is wrong with the message from what is wrong with the stream, and from the rest, which passes.
func (s *Sink) judge(m bridge.Message, err error) error {
	var api *jetstream.APIError
	errors.As(err, &api)
	code := func(c jetstream.ErrorCode) bool { return api != nil && api.ErrorCode == c }
	switch {
	case neverTaken(err):
		return &bridge.RejectedError{ID: m.ID, Subject: m.Subject, Err: err}
	case errors.Is(err, jetstream.ErrNoStreamResponse), errors.Is(err, nats.ErrNoResponders), errors.Is(err, jetstream.ErrStreamNotFound),
		code(codeStreamNotMatch), code(codeStreamSealed):
		err = &StreamError{Stream: s.options.Stream, Err: err}
		s.keeper.gate.shut(err)
		s.keeper.doubt()
		return err
	}
	return fmt.Errorf("natsbridge: publish event %s: %w", m.ID, err)
}

var (
	_ bridge.Sink     = (*Sink)(nil)
	_ bridge.Opener   = (*Sink)(nil)
	_ bridge.Readier  = (*Sink)(nil)
	_ bridge.Healther = (*Sink)(nil)
	_ bridge.Closer   = (*Sink)(nil)
)
