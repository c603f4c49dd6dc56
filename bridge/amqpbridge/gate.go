package amqpbridge

import (
	"context"
	"sync"
)

// gate is open while messages can be sent: connected, the exchange is there, and the broker isn't blocked.
type gate struct {
	mu      sync.Mutex
	ready   chan struct{}           // closed while open
	why     error                   // what shut it; nil while open
	session *session                // that the messages go to; nil while shut
	span    context.Context         // from opening to shutting
	end     context.CancelCauseFunc // of span
}

func newGate(why error) *gate {
	return &gate{ready: make(chan struct{}), why: why}
}

func (g *gate) open(s *session) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.why == nil {
		return
	}
	g.why, g.session = nil, s
	g.span, g.end = context.WithCancelCause(context.Background())
	close(g.ready)
}

// shut ends all that passed the gate, with why as the cause. A gate that is shut learns the newer reason.
func (g *gate) shut(why error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.why == nil {
		g.end(why)
		g.ready = make(chan struct{})
		g.session = nil
	}
	g.why = why
}

// pass returns the session and a context that ends when the gate is shut, or why it is.
func (g *gate) pass() (*session, context.Context, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.session, g.span, g.why
}

// wait returns nil when the gate is open.
func (g *gate) wait(ctx context.Context) error {
	for {
		g.mu.Lock()
		ready, why := g.ready, g.why
		g.mu.Unlock()
		if why == nil {
			return nil
		}
		select {
		case <-ready:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
