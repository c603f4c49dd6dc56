package bus

import "context"

// Await subscribes at once, and returns a function that waits for the first event that match accepts (any event, if match is nil).
// So what causes the event can be done between the two, and the event can't be missed:
//
//	running := bus.Await(ctx, c, func(e bus.Event[vm.Changed]) bool { return e.Payload.To == vm.Running }, bus.Resource("vm", id))
//	vms.Fire(ctx, id, vm.StartRequested)
//	e, err := running()
//
// It ends, and its subscription with it, with the first event accepted, with ctx, or with the bus; the function may be called
// any number of times, and need not be called. match runs on the subscription's goroutine.
// Errors of the function: those of Subscribe, ctx's cause, ErrClosed, *GapError (events were missed, the awaited one may be among them),
// *PanicError (match panicked), *DecodeError (an event can't be read). It excludes Lanes, Retry, OnGap and Durable.
func Await[T any](ctx context.Context, c *Client, match func(Event[T]) bool, opts ...Option) func() (Event[T], error) {
	a := &awaited[T]{match: match, over: make(chan struct{})}
	sub, err := a.subscribe(c, opts)
	if err != nil {
		return func() (Event[T], error) { return Event[T]{}, err }
	}
	sub.endWith(ctx, sub.Close)
	return func() (Event[T], error) {
		<-a.over
		if !a.found && a.err == nil {
			return Event[T]{}, sub.whyEnded(ctx)
		}
		return a.event, a.err
	}
}

// awaited is what Await waits for. The subscription's goroutine writes, then over is closed.
type awaited[T any] struct {
	match func(Event[T]) bool
	over  chan struct{}
	event Event[T]
	found bool
	err   error
}

func (a *awaited[T]) subscribe(c *Client, opts []Option) (*Subscription, error) {
	set, err := faceAwait.settings(opts)
	if err != nil {
		return nil, err
	}
	set.onGap = func(_ context.Context, g Gap) { a.err = &GapError{g} }
	set.failure = Halt // at an event that can't be read
	return subscribeFace(c, set, a.look, func() { close(a.over) })
}

func (a *awaited[T]) look(_ context.Context, e Event[T]) error {
	if a.err == nil {
		a.found, a.err = a.accepts(e)
	}
	switch {
	case a.err != nil:
		return Stop
	case a.found:
		a.event = e
		return Stop
	default:
		return nil
	}
}

func (a *awaited[T]) accepts(e Event[T]) (ok bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			ok, err = false, newPanicError(r)
		}
	}()
	return a.match == nil || a.match(e), nil
}
