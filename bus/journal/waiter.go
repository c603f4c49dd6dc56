package journal

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// waiter is one call of Do, in the line for the writer and in the group that its member becomes a part of.
type waiter struct {
	member
	signals chan signal // one at most is outstanding: who sends never blocks
	err     error       // the outcome, set before it is signalled
	verdict error       // what the member itself failed with; its caller learns it with the outcome of those that it may rest on

	first bool // the member begins a group: what came before is committed
	last  bool // the member ends its group
	tries int  // how often the member was rolled back and ran again

	state place // guarded by turns.mu
}

// signal tells a caller that waits what to do.
type signal uint8

const (
	yourTurn signal = iota // run the member, or pass the turn on
	outcome                // err says what became of it
	left                   // ctx ended before the turn came
)

// place is where a waiter stands.
type place uint8

const (
	queued place = iota
	called       // has the turn, or is about to learn so
	joined       // its member is done and a part of the open group
	gone         // nobody waits any more
)

var waiters = sync.Pool{New: func() any { return &waiter{signals: make(chan signal, 1)} }}

func newWaiter() *waiter { return waiters.Get().(*waiter) }

// done gives a waiter back that nobody else refers to.
func (w *waiter) done() {
	*w = waiter{signals: w.signals}
	waiters.Put(w)
}

// settle returns the outcome.
func (w *waiter) settle() error {
	err := w.err
	if w.state != gone {
		w.done()
	}
	return err
}

// wait returns what a waiter is to do next. One whose context ends leaves if its member is in no transaction. Otherwise it waits for the commit for
// a while yet: commits are quick, but a member that comes later in the group may not be.
func (t *turns) wait(ctx context.Context, w *waiter) signal {
	select {
	case s := <-w.signals:
		return s
	case <-ctx.Done():
	}
	if t.leave(w, queued) {
		return left
	}
	timer := time.NewTimer(t.patience)
	defer timer.Stop()
	select {
	case s := <-w.signals:
		return s
	case <-timer.C:
	}
	switch {
	case t.leave(w, joined):
		if w.err = w.verdict; w.err == nil {
			w.err = fmt.Errorf("%w: %w", ErrOutcomeUnknown, ctx.Err())
		}
		return outcome
	case t.leave(w, queued):
		return left
	}
	return <-w.signals // it was sent meanwhile
}

// leave gives a place up if that is where the waiter stands.
func (t *turns) leave(w *waiter, from place) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if w.state != from {
		return false
	}
	w.state = gone
	return true
}
