package amqpbridge

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/cloudbus-go/cloudbus/bridge"
	amqp "github.com/rabbitmq/amqp091-go"
)

// Sink publishes to a topic exchange of RabbitMQ. It is a bridge.Sink. After Open all methods may be called concurrently.
type Sink struct {
	options  Options
	log      *slog.Logger
	gate     *gate
	suspects suspects
	opened   atomic.Bool
	stop     context.CancelFunc
	keeper   sync.WaitGroup
}

// New returns a sink, which connects when the bridge opens it. Errors: *bridge.OptionError.
func New(o Options) (*Sink, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Sink{options: o, gate: newGate(ErrClosed)}, nil
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

// Close ends the connection. A broker that doesn't answer is given a second.
func (s *Sink) Close(context.Context) error {
	if s.stop != nil {
		s.stop()
	}
	s.keeper.Wait()
	s.gate.shut(ErrClosed)
	return nil
}

// Ready returns nil when there is a connection, the exchange is as it must be, and the broker takes messages.
func (s *Sink) Ready(ctx context.Context) error { return s.gate.wait(ctx) }

// Health says what keeps messages from being sent: ErrAway, *BlockedError, *ExchangeError, ErrClosed.
func (s *Sink) Health(context.Context) error {
	_, _, why := s.gate.pass()
	return why
}

// Send publishes m and waits until the broker has confirmed it. Errors: *bridge.RejectedError (too large, or a routing key of more than 255 bytes), ErrAway,
// *BlockedError, *ExchangeError, ErrNack, ErrUnroutable, ErrNoConfirm with ctx's error.
//
// A message whose Send was given up and that comes again isn't published again while the first may still be confirmed.
func (s *Sink) Send(ctx context.Context, m bridge.Message) error {
	if err := check(m); err != nil {
		return err
	}
	to, span, err := s.gate.pass()
	if err != nil {
		return err
	}
	pc, err := to.post(ctx, span, m, s.suspects.has(m.ID))
	if err != nil {
		return err
	}
	select {
	case <-pc.settled:
	case <-span.Done():
	case <-ctx.Done():
	}
	switch {
	case pc.isSettled():
		to.forget(pc)
		return s.judge(m, pc)
	case ctx.Err() != nil:
		return fmt.Errorf("%w of event %s: %w", ErrNoConfirm, m.ID, ctx.Err())
	}
	return context.Cause(span)
}

// judge tells what is wrong with the message from the rest, which passes.
func (s *Sink) judge(m bridge.Message, pc *parcel) error {
	if pc.err == nil {
		s.suspects.remove(m.ID)
		return nil
	}
	// Only what was alone on its channel is known to be why the channel ended. Who may publish what (403) is changed by people, not by another message.
	if code := codeOf(pc.err); pc.alone && (code == amqp.PreconditionFailed || code == amqp.ContentTooLarge) {
		return &bridge.RejectedError{ID: m.ID, Subject: m.Subject, Err: pc.err}
	}
	return pc.err
}

var (
	_ bridge.Sink     = (*Sink)(nil)
	_ bridge.Opener   = (*Sink)(nil)
	_ bridge.Readier  = (*Sink)(nil)
	_ bridge.Healther = (*Sink)(nil)
	_ bridge.Closer   = (*Sink)(nil)
)
