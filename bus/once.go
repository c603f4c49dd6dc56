package bus

import "context"

// Once is a subscription that ends with the first event that fn handles without an error. One that fails is tried and given up as the options
// say; then the next has its turn. It excludes Lanes. Errors: those of Subscribe.
func Once[T any](c *Client, fn func(context.Context, Event[T]) error, opts ...Option) (*Subscription, error) {
	set, err := faceOnce.settings(opts)
	if err != nil {
		return nil, err
	}
	if fn == nil {
		return nil, errNilHandler
	}
	return subscribeFace(c, set, func(ctx context.Context, e Event[T]) error {
		if err := fn(ctx, e); err != nil {
			return err
		}
		return Stop
	}, nil)
}
