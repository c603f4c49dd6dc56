package bus

import (
	"context"
	"fmt"
	"slices"
)

// Close ends all subscriptions and the journal's attachment: nothing can be published or subscribed any more; committed events that are known are shown,
// live queues are worked off, durable subscriptions finish the event at hand and store their cursor (the rest stays in the journal).
// It waits until ctx ends; then the handlers' contexts are cancelled, no further handler starts, and *LeftError says what was left.
// With a handler's context it returns ErrInHandler, with that of a member of the journal's writer ErrInWriter, and nothing is closed.
func (b *Bus) Close(ctx context.Context) error {
	if err := b.mayWait(ctx); err != nil {
		return err
	}
	b.closed.Store(true)
	b.mu.Lock()
	clients := slices.Clone(b.clients)
	b.mu.Unlock()
	if b.pump != nil {
		b.stopPump(ctx)
	}
	var subs []*Subscription
	for _, c := range clients {
		c.closed.Store(true)
		subs = append(subs, b.subscriptionsOf(c)...)
	}
	err := drain(ctx, subs)
	b.watcher.stop(ctx)
	b.cancel()
	if b.detach != nil {
		b.detaching.Do(b.detach)
	}
	return err
}

// stopPump lets the pump show what is known to be committed, and ends it.
func (b *Bus) stopPump(ctx context.Context) {
	select {
	case <-b.pump.reached(b.pump.known.Load()):
	case <-ctx.Done():
	}
	b.pump.halt()
	select {
	case <-b.pump.done:
	case <-ctx.Done():
		b.cancel() // a journal that doesn't answer
		<-b.pump.done
	}
}

// Close ends the client's subscriptions, as Bus.Close does; the name is free then.
// ErrInHandler: ctx is that of a handler of this client.
func (c *Client) Close(ctx context.Context) error {
	if c.bus.journal != nil && InWriter(ctx, c.bus.journal) {
		return ErrInWriter
	}
	if s := handlerOf(ctx); s != nil && s.client == c {
		return ErrInHandler
	}
	c.closed.Store(true)
	err := drain(ctx, c.bus.subscriptionsOf(c))
	c.bus.mu.Lock()
	c.bus.clients = slices.DeleteFunc(c.bus.clients, func(o *Client) bool { return o == c })
	c.bus.mu.Unlock()
	return err
}

// mayWait refuses to wait for oneself.
func (b *Bus) mayWait(ctx context.Context) error {
	if b.journal != nil && InWriter(ctx, b.journal) {
		return ErrInWriter
	}
	if inHandler(ctx, b) {
		return ErrInHandler
	}
	return nil
}

func (b *Bus) subscriptionsOf(c *Client) []*Subscription {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(c.subs)
}

// drain ends subscriptions and waits for them until ctx ends.
func drain(ctx context.Context, subs []*Subscription) error {
	var missed error
	for i := 0; i < len(subs) && missed == nil; i++ {
		missed = subs[i].catchUp(ctx)
	}
	for _, s := range subs {
		s.drain()
	}
	late := false
	for _, s := range subs {
		if !late {
			select {
			case <-s.done:
				continue
			case <-ctx.Done():
				late = true
			}
		}
		s.end(nil)
	}
	if !late {
		return missed
	}
	left := &LeftError{Err: context.Cause(ctx)}
	for _, s := range subs {
		if l := s.leftover(); l.Events+l.Running > 0 {
			left.Left = append(left.Left, l)
		}
	}
	if len(left.Left) == 0 {
		return missed
	}
	return left
}

// catchUp waits until what is known to be committed has come to a live subscription: who takes its place begins after that.
func (s *Subscription) catchUp(ctx context.Context) error {
	p := s.bus.pump
	if p == nil || s.mode.stored() || s.mode == modeFrom || s.isClosing() {
		return nil
	}
	newest := p.newest()
	ch, end := p.reached(newest), p.done
	if s.mode == modeBlock {
		ch, end = s.inner.reached(newest), s.done
	}
	if ch == nil {
		return nil
	}
	if err := await(ctx, ch, end); err != nil {
		return fmt.Errorf("bus: subscription %q (%s) was closed before all recorded events up to %d had come: %w", s.name, s.site, newest, err)
	}
	return nil
}

// drain lets the subscription end when its queues are empty.
func (s *Subscription) drain() {
	s.mu.Lock()
	s.forgotten = true
	finished := s.finished
	s.mu.Unlock()
	if finished {
		s.bus.forget(s)
		return
	}
	s.inner.drain()
}

// leftover is what the subscription hadn't done when it was cut off.
func (s *Subscription) leftover() Left {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Left{Subscription: s.name, Events: s.left, Running: s.inner.busy()}
}
