package bridge

import "context"

// lifetime of a bridge ends in two steps: first nobody waits for the broker any more, then what is under way is given up.
// The contexts are the bridge's own, beside those of its handlers' calls.
type lifetime struct {
	open   context.Context // until Close begins
	active context.Context // until Close's patience is over
	close  context.CancelFunc
	abort  context.CancelFunc
}

func newLifetime() lifetime {
	var l lifetime
	l.active, l.abort = context.WithCancel(context.Background())
	l.open, l.close = context.WithCancel(l.active)
	return l
}

// within returns a context that ends with ctx and with span, whichever ends first.
func within(ctx, span context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(span, cancel)
	return ctx, func() { stop(); cancel() }
}
