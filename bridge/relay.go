package bridge

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/plugins"
)

const (
	firstBackoff = 50 * time.Millisecond
	maxBackoff   = 5 * time.Second
)

// sending is the context of an event's send: the handler's own ends no earlier than Drain ends b.life.active.
func (b *Bridge) sending() context.Context { return b.patience.send(b.life.active) }

// handle sends one event, unless it came in from elsewhere, and returns when the broker has acknowledged it, so the subscription's cursor covers nothing else.
// It returns an error only for an event that can't be sent at all, which the bus tries again and then parks, and when the bridge closes.
func (b *Bridge) handle(ctx context.Context, e bus.Event[bus.Raw]) error {
	foreign, err := b.sources.foreign(ctx, e.Source)
	if errors.Is(err, plugins.ErrClosed) {
		return fmt.Errorf("%w: %w", errClosing, err)
	}
	if err != nil {
		return err
	}
	if foreign {
		b.counts.foreign.Add(1)
		return nil
	}
	m, err := b.options.message(&e, true)
	if err == nil {
		err = b.confirm(ctx, m)
	}
	if err == nil {
		err = b.alone(ctx, m, b.sending, b.reader.wait)
	}
	if err != nil && !errors.Is(err, errClosing) {
		b.counts.rejected.Add(1)
	}
	return err
}

// relay repeats a message until it is acknowledged or rejected, span ends, or the bridge closes. Each attempt has a context from sending.
func (b *Bridge) relay(ctx context.Context, m Message, sending, span func() context.Context) (err error) {
	defer func() { b.settle(m, err) }()
	for attempt := 0; ; attempt++ {
		if err = b.send(m, sending); err == nil {
			b.counts.sent.Add(1)
			b.counts.bytes.Add(int64(len(m.Data)))
			b.counts.rate.add()
			return nil
		}
		if errors.Is(err, errClosing) {
			return err
		}
		var rejected *RejectedError
		if errors.As(err, &rejected) {
			return err
		}
		b.counts.retries.Add(1)
		b.complain(m, err)
		if err := b.pause(ctx, span(), attempt); err != nil {
			return err
		}
	}
}

// complain notes the trouble with a message, and logs it if it is the first.
func (b *Bridge) complain(m Message, err error) {
	if b.trouble.begin(m.ID, err) {
		b.log.Warn("broker doesn't take events; they wait in the journal", "type", m.Header.Type, "seq", m.Header.Seq, "error", err)
	}
}

// settle ends the trouble with a message, however it ended.
func (b *Bridge) settle(m Message, err error) {
	if after, last := b.trouble.end(m.ID); last && err == nil {
		b.log.Info("broker takes events again", "after", after.Round(time.Millisecond))
	}
}

// send tries once.
func (b *Bridge) send(m Message, sending func() context.Context) error {
	taken, err := b.window.take(b.life.open, int64(len(m.Data)))
	if err != nil {
		return fmt.Errorf("%w: %w", errClosing, err)
	}
	defer b.window.give(taken)
	b.counts.flying.Add(1)
	defer b.counts.flying.Add(-1)
	return b.sink.Send(sending(), m)
}

// pause waits before the next attempt: a while that grows with the attempts, and then until the sink says that the broker is there.
func (b *Bridge) pause(ctx, span context.Context, attempt int) error {
	ctx, cancel := within(ctx, b.life.open)
	defer cancel()
	defer context.AfterFunc(span, cancel)()
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
