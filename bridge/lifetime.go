package bridge

import (
	"context"
	"sync"
	"time"
)

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

// patience makes the contexts of sends. Those that begin in the same second share one: a context and its timer for each event cost more than encoding it.
type patience struct {
	mu     sync.Mutex
	ctx    context.Context
	cancel context.CancelFunc // of ctx; its timer calls it, as nobody knows when the last send has returned
	began  time.Time
}

// send returns a context that ends with span, and SendTimeout from now, or up to a second earlier.
func (p *patience) send(span context.Context) context.Context {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx == nil || now.Sub(p.began) >= time.Second {
		p.ctx, p.cancel = context.WithTimeout(span, SendTimeout)
		p.began = now
	}
	return p.ctx
}

// within returns a context that ends with ctx and with span, whichever ends first.
func within(ctx, span context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(span, cancel)
	return ctx, func() { stop(); cancel() }
}
