package journal

import (
	"context"
	"sync"
)

// backgroundShare: a waiting background member gets at least every fourth turn.
const backgroundShare = 4

// turns hands the writer from one member to the next. A turn is passed on directly, so nobody overtakes those who wait.
type turns struct {
	mu         sync.Mutex
	taken      bool
	closed     bool
	idle       chan struct{} // closed when closed is set and the last turn was given back
	foreground queue
	background queue
	streak     int // foreground turns since the last background one
}

type queue []*waiter

type waiter struct {
	turn chan struct{} // receives when the turn has come
	gone bool
	has  bool
}

func newTurns() *turns { return &turns{idle: make(chan struct{})} }

// take waits for a turn. When ctx ends first the waiter leaves with ctx.Err().
func (t *turns) take(ctx context.Context, background bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return ErrClosed
	}
	if !t.taken {
		t.taken = true
		t.mu.Unlock()
		return nil
	}
	w := &waiter{turn: make(chan struct{}, 1)}
	if background {
		t.background = append(t.background, w)
	} else {
		t.foreground = append(t.foreground, w)
	}
	t.mu.Unlock()

	select {
	case <-w.turn:
		return nil
	case <-ctx.Done():
		t.leave(w)
		return ctx.Err()
	}
}

// leave takes a waiter out of its queue; a turn that was handed to it meanwhile goes to the next.
func (t *turns) leave(w *waiter) {
	t.mu.Lock()
	w.gone = true
	has := w.has
	t.mu.Unlock()
	if has {
		t.give()
	}
}

// give ends a turn.
func (t *turns) give() {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.next()
	if w == nil {
		t.taken = false
		t.finish()
		return
	}
	w.has = true
	w.turn <- struct{}{}
}

func (t *turns) next() *waiter {
	if t.streak >= backgroundShare-1 {
		if w := t.background.pop(); w != nil {
			t.streak = 0
			return w
		}
	}
	if w := t.foreground.pop(); w != nil {
		t.streak++
		return w
	}
	t.streak = 0
	return t.background.pop()
}

// close refuses new members and waits until those that are there have ended.
func (t *turns) close(ctx context.Context) error {
	t.mu.Lock()
	if !t.closed {
		t.closed = true
		if !t.taken {
			t.finish()
		}
	}
	t.mu.Unlock()
	select {
	case <-t.idle: // though ctx may have ended too
		return nil
	default:
	}
	select {
	case <-t.idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *turns) finish() {
	if t.closed {
		close(t.idle)
	}
}

// pop returns the first waiter that hasn't left.
func (q *queue) pop() *waiter {
	for len(*q) > 0 {
		w := (*q)[0]
		(*q)[0] = nil
		*q = (*q)[1:]
		if !w.gone {
			return w
		}
	}
	return nil
}
