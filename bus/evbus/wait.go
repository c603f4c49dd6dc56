package evbus

import (
	"context"
	"slices"
	"sync"
)

// WaitAsync waits until no asynchronous call is queued or running, those included that are published meanwhile.
// Called by an asynchronous handler it would wait for itself.
func (b *Bus) WaitAsync() {
	_ = b.Wait(context.Background()) // never ends
}

// Wait is WaitAsync until ctx ends; then it returns the context's cause.
func (b *Bus) Wait(ctx context.Context) error {
	b.attention.Add(1)
	defer b.attention.Add(-1)
	for {
		rung := b.bell.next()
		h := b.busy()
		if h == nil {
			return nil
		}
		select {
		case <-rung:
		case <-h.mailbox.sub.Done():
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// busy returns a handler that isn't idle, nil if at one instant none was.
func (b *Bus) busy() *handler {
	for {
		all := b.pending()
		offered := make([]uint64, len(all))
		for i, h := range all {
			offered[i] = h.mailbox.offered.Load()
			if !h.idle() {
				return h
			}
		}
		if b.unchanged(all, offered) {
			return nil
		}
	}
}

// unchanged reports whether nothing was offered since the handlers were looked at.
func (b *Bus) unchanged(all []*handler, offered []uint64) bool {
	for i, h := range all {
		if h.mailbox.offered.Load() != offered[i] {
			return false
		}
	}
	return slices.Equal(all, b.pending())
}

// pending lists the asynchronous handlers that may have calls left.
func (b *Bus) pending() []*handler {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.asyncs
}

// bell wakes everyone who listens. The zero bell works.
type bell struct {
	mu sync.Mutex
	ch chan struct{} // closed by the next ring
}

// next returns a channel that the next ring closes.
func (b *bell) next() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ch == nil {
		b.ch = make(chan struct{})
	}
	return b.ch
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ch != nil {
		close(b.ch)
		b.ch = nil
	}
}
