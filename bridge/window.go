package bridge

import (
	"context"
	"sync"
)

// window bounds the bytes of messages that are under way. What doesn't fit waits, the first comer first.
type window struct {
	size int64

	mu      sync.Mutex
	free    int64
	waiting []*waiter
}

type waiter struct {
	bytes int64
	ready chan struct{} // closed when the bytes are its own
}

// take returns when n bytes fit, with how many were taken: a message that is larger than the window takes all of it. Errors: ctx's.
func (w *window) take(ctx context.Context, n int64) (taken int64, err error) {
	n = min(n, w.size)
	w.mu.Lock()
	if len(w.waiting) == 0 && w.free >= n {
		w.free -= n
		w.mu.Unlock()
		return n, nil
	}
	turn := &waiter{bytes: n, ready: make(chan struct{})}
	w.waiting = append(w.waiting, turn)
	w.mu.Unlock()
	select {
	case <-turn.ready:
		return n, nil
	case <-ctx.Done():
	}
	w.leave(turn)
	return 0, context.Cause(ctx)
}

// leave takes a waiter out of the queue, or gives back what it has got meanwhile.
func (w *window) leave(turn *waiter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, other := range w.waiting {
		if other == turn {
			w.waiting = append(w.waiting[:i], w.waiting[i+1:]...)
			w.admit() // those behind it may fit
			return
		}
	}
	w.free += turn.bytes
	w.admit()
}

// give returns bytes.
func (w *window) give(n int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.free += n
	w.admit()
}

// admit lets those in that fit, in their order. w.mu is held.
func (w *window) admit() {
	for len(w.waiting) > 0 && w.waiting[0].bytes <= w.free {
		w.free -= w.waiting[0].bytes
		close(w.waiting[0].ready)
		w.waiting = w.waiting[1:]
	}
}
