package evbus

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// Publish calls the topic's synchronous handlers and queues the call for the asynchronous ones. What fails is counted and logged,
// and hits nobody else. A nil argument is the zero value of its parameter.
func (b *Bus) Publish(topic string, args ...any) {
	_ = b.publish(context.Background(), topic, args) // logged
}

// PublishContext is Publish for those who want to know. The event on the bus below inherits ctx's correlation.
// Errors, joined: a *HandlerError of each synchronous handler that failed, those of bus.Publish, and bus.ErrClosed.
func (b *Bus) PublishContext(ctx context.Context, topic string, args ...any) error {
	return b.publish(ctx, topic, args)
}

func (b *Bus) publish(ctx context.Context, topic string, args []any) error {
	r := b.route(topic)
	if r == nil {
		return b.publishUnheard(ctx, topic, args)
	}
	var failed []error
	posted := false
	for _, h := range r.handlers {
		var err error
		switch {
		case h.mailbox == nil && h.claim():
			err = h.run(args)
		case h.mailbox != nil && !posted:
			posted = true
			err = b.post(ctx, topic, r.event, args)
		}
		if err != nil {
			failed = append(failed, err)
		}
	}
	if !posted && b.opts.Announce {
		failed = append(failed, b.post(ctx, topic, r.event, args))
	}
	return errors.Join(failed...)
}

// publishUnheard is for a topic that has no handlers.
func (b *Bus) publishUnheard(ctx context.Context, topic string, args []any) error {
	if b.closed.Load() {
		return bus.ErrClosed
	}
	if !b.opts.Announce {
		return nil
	}
	return b.post(ctx, topic, eventType(b.client.Name(), topic), args)
}

// post publishes a call on the bus below. Its handlers there are asked by their admit, and have it queued when post returns.
func (b *Bus) post(ctx context.Context, topic, event string, args []any) error {
	c := Call{event: event, topic: topic, args: slices.Clone(args)} // the publisher may use its slice again
	if b.slots != nil {
		c.slot = b.slots[b.next.Add(1)%uint64(len(b.slots))]
	}
	err := bus.Publish(ctx, b.client, c)
	if b.attention.Load() != 0 {
		b.settle()
	}
	if err != nil {
		b.unposted(topic, err)
	}
	return err
}

// unposted counts and logs what the bus below refused.
func (b *Bus) unposted(topic string, err error) {
	b.failed.Add(1)
	if more, ok := b.downs.allow(time.Now()); ok {
		b.log.Error("evbus: the bus refuses a call", "topic", topic, "error", err, "not_logged", more)
	}
}

// settle looks at calls that were dropped, which nothing else tells of.
func (b *Bus) settle() {
	for _, h := range b.pending() {
		h.settle()
	}
}
