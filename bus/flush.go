package bus

import (
	"context"
	"fmt"
)

// Flush waits until everyone has handled what was there when it was called: live events that were published, and recorded ones that were committed.
// What handlers publish meanwhile isn't waited for. A halted subscription is an error that names it (*HaltError inside); a failing one is waited for until ctx ends.
// With a handler's context it returns ErrInHandler, with that of a member of the journal's writer ErrInWriter.
func (b *Bus) Flush(ctx context.Context) error {
	if err := b.mayWait(ctx); err != nil {
		return err
	}
	if err := b.usable(); err != nil {
		return err
	}
	last := uint64(0)
	if b.pump != nil {
		var err error
		if _, last, err = b.journal.Bounds(ctx); err != nil {
			return fmt.Errorf("bus: flush: %w", err)
		}
		b.pump.notify(last)
		if err := await(ctx, b.pump.reached(last), nil); err != nil {
			return fmt.Errorf("bus: flush: the journal's reader is at %d of %d: %w", b.pump.pos.Load(), last, err)
		}
	}
	for _, s := range b.listed() {
		if err := s.flush(ctx, last); err != nil {
			return err
		}
	}
	return nil
}

// flush waits for one subscription.
func (s *Subscription) flush(ctx context.Context, last uint64) error {
	waits := s.inner.flushed()
	if ch := s.inner.reached(last); ch != nil {
		waits = append(waits, ch)
	}
	for _, ch := range waits {
		if err := await(ctx, ch, s.done); err != nil {
			return fmt.Errorf("bus: flush: subscription %q (%s) isn't done: %w", s.name, s.site, err)
		}
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("bus: flush: %w", err)
	}
	return nil
}

// await waits for ch, or for end.
func await(ctx context.Context, ch, end <-chan struct{}) error {
	select {
	case <-ch:
		return nil
	default:
	}
	select {
	case <-ch:
		return nil
	case <-end:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// listed returns all subscriptions, halted ones included.
func (b *Bus) listed() []*Subscription {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []*Subscription
	for _, c := range b.clients {
		all = append(all, c.subs...)
	}
	return all
}
