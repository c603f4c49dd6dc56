package bus

import "context"

// Channel is a subscription whose events are received from a channel, for those who have to select. It starts at once, and ends, with the channel
// closed, when ctx ends or the client or the bus is closed. The channel has no room of its own: what isn't received waits in the queue that the
// options give, by its policy; OnGap is called before the event after a gap is sent. Whoever stops receiving must end ctx: until then
// Client.Close and Bus.Close wait for him as for a handler. It excludes Lanes, Retry and Durable. Errors: those of Subscribe.
func Channel[T any](ctx context.Context, c *Client, opts ...Option) (<-chan Event[T], error) {
	set, err := faceChannel.settings(opts)
	if err != nil {
		return nil, err
	}
	events := make(chan Event[T])
	sub, err := subscribeFace(c, set, func(handler context.Context, e Event[T]) error {
		select {
		case events <- e:
			return nil
		case <-ctx.Done():
		case <-handler.Done():
		}
		return Stop
	}, func() { close(events) })
	if err != nil {
		return nil, err
	}
	sub.endWith(ctx, sub.Close)
	return events, nil
}
