package bridge

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

const (
	firstBackoff = 50 * time.Millisecond
	maxBackoff   = 5 * time.Second
)

// handle sends one event and returns when the broker has acknowledged it, so the subscription's cursor covers nothing else.
// It returns an error only for an event that can't be sent at all, which the bus logs, and when the bridge closes.
func (b *Bridge) handle(ctx context.Context, e bus.Event[bus.Raw]) error {
	m, err := message(e)
	if err == nil {
		err = b.relay(ctx, m)
	}
	if err != nil && !errors.Is(err, errClosing) {
		b.counts.rejected.Add(1)
	}
	return err
}

func message(e bus.Event[bus.Raw]) (Message, error) {
	subject, err := Subject(e.Tenant, e.Type)
	if err != nil {
		return Message{}, &EncodeError{ID: e.ID.String(), Attribute: "type", Reason: err.Error()}
	}
	data, err := Encode(e)
	if err != nil {
		return Message{}, err
	}
	return Message{ID: e.ID.String(), Subject: subject, ContentType: ContentType, Data: data, Header: e.Header}, nil
}

// relay repeats a message until it is acknowledged or rejected, or the bridge closes.
func (b *Bridge) relay(ctx context.Context, m Message) (err error) {
	defer func() { b.settle(m, err) }()
	for attempt := 0; ; attempt++ {
		if err = b.send(ctx, m); err == nil {
			b.counts.sent.Add(1)
			return nil
		}
		var rejected *RejectedError
		if errors.As(err, &rejected) {
			return err
		}
		b.counts.retries.Add(1)
		if b.trouble.begin(m.Header, err) {
			b.log.Warn("broker doesn't take events; they wait in the journal", "type", m.Header.Type, "seq", m.Header.Seq, "error", err)
		}
		if err := b.pause(ctx, attempt); err != nil {
			return err
		}
	}
}

// settle ends the trouble with a message, however it ended.
func (b *Bridge) settle(m Message, err error) {
	if after, last := b.trouble.end(m.Header); last && err == nil {
		b.log.Info("broker takes events again", "after", after.Round(time.Millisecond))
	}
}

func (b *Bridge) send(ctx context.Context, m Message) error {
	ctx, cancel := within(ctx, b.life.active)
	defer cancel()
	ctx, stop := context.WithTimeout(ctx, SendTimeout)
	defer stop()
	return b.sink.Send(ctx, m)
}

// pause waits before the next attempt: a while that grows with the attempts, and then until the sink says that the broker is there.
func (b *Bridge) pause(ctx context.Context, attempt int) error {
	ctx, cancel := within(ctx, b.life.open)
	defer cancel()
	timer := time.NewTimer(backoff(attempt))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	if readier, ok := b.sink.(Readier); ok && ctx.Err() == nil {
		// An error that isn't ctx's end is as good as a failed send: the next one tells more.
		_ = readier.Ready(ctx)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", errClosing, context.Cause(ctx))
	}
	return nil
}

// backoff doubles up to maxBackoff; half of it is chance, so that lanes that failed together don't come back together.
func backoff(attempt int) time.Duration {
	d := maxBackoff
	if attempt < 7 {
		d = min(maxBackoff, firstBackoff<<attempt)
	}
	return d/2 + rand.N(d/2)
}
