package journal

import (
	"context"
	"sync"
	"time"
)

const (
	// backgroundShare: a waiting background member gets at least every fourth place.
	backgroundShare = 4
	// placeTime is what a background member may take to count as a place. If it takes longer its share is one of time:
	// those who wait in the foreground have the writer for three times as long before the next one comes.
	placeTime = 100 * time.Microsecond
	// slowTime: after a background member that took longer the next one doesn't join a group, whose members would wait for it, but begins one.
	slowTime = time.Millisecond
	// maxRest bounds how long background members make room after one of them.
	maxRest = time.Second
)

// turns hands the writer from one member to the next. A turn is passed on directly, so nobody overtakes those who wait.
type turns struct {
	patience            time.Duration // of a caller whose context has ended, for the commit of its group
	placeTime, slowTime time.Duration

	mu         sync.Mutex
	taken      bool
	closed     bool
	idle       chan struct{} // closed when closed is set and nobody has or wants the writer
	end        sync.Once     // for idle
	again      queue         // members that run again, before all others
	foreground queue
	background queue
	streak     int // foreground turns since the last background one

	came  bool      // a foreground member has come since the last background one began
	slow  bool      // the last background member took long
	rest  time.Time // background members make room until then, if somebody came
	alarm *time.Timer
}

func newTurns(patience time.Duration) *turns {
	return &turns{patience: patience, placeTime: placeTime, slowTime: slowTime, idle: make(chan struct{})}
}

// take waits for a turn; ctx may have ended when it comes. If it ends before, the waiter leaves with ctx.Err().
func (t *turns) take(ctx context.Context, w *waiter) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return ErrClosed
	}
	t.came = t.came || !w.background
	if !t.taken && t.foreground.empty() && t.background.empty() && !(w.background && t.resting()) {
		t.taken = true
		t.begin(w)
		t.mu.Unlock()
		return nil
	}
	w.state = queued
	if w.background {
		t.background.push(w)
	} else {
		t.foreground.push(w)
	}
	if !t.taken {
		t.dispatch()
	}
	t.mu.Unlock()
	if t.wait(ctx, w) == left {
		return ctx.Err()
	}
	return nil
}

// handOn passes the turn on, and the open group with it, to the next that may join; w waits for the outcome. False: there is nobody,
// w keeps the turn. A nil w only passes on.
func (t *turns) handOn(w *waiter) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	q := t.choose()
	if q == nil {
		return false
	}
	if next := q.head(); next.first || next.background && t.slow {
		return false
	}
	if w != nil {
		w.state = joined
	}
	t.call(q)
	return true
}

// give ends a turn, and the group with it.
func (t *turns) give() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dispatch()
}

// repeat puts members that were rolled back at the head of the line, in their order; those whose callers have left stay away.
func (t *turns) repeat(members []*waiter) {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make(queue, 0, len(members)+len(t.again))
	for _, w := range members {
		if w.state != gone {
			w.state = queued
			all = append(all, w)
		}
	}
	t.again = append(all, t.again...)
}

// took notes how long a background member ran.
func (t *turns) took(d time.Duration) {
	t.mu.Lock()
	t.slow = d > t.slowTime
	t.mu.Unlock()
	t.makeRoom(d)
}

// makeRoom keeps background members from the writer for a while, after they have had it for d with nobody else in the group.
func (t *turns) makeRoom(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rest = time.Time{}
	if d > t.placeTime {
		t.rest = time.Now().Add(min((backgroundShare-1)*d, maxRest))
	}
}

// dispatch calls the next, or sets the writer free.
func (t *turns) dispatch() {
	q := t.choose()
	t.taken = q != nil
	if t.taken {
		t.call(q)
		return
	}
	switch {
	case t.background.head() != nil:
		t.ring(time.Until(t.rest))
	case t.closed:
		t.end.Do(func() { close(t.idle) })
	}
}

// call gives the turn to the first of a queue.
func (t *turns) call(q *queue) {
	w := q.pop()
	switch q {
	case &t.foreground:
		t.streak++
	case &t.background:
		t.streak = 0
	}
	t.begin(w)
	w.signals <- yourTurn
}

func (t *turns) begin(w *waiter) {
	w.state = called
	if w.background {
		t.came = !t.foreground.empty()
	}
}

// choose returns the queue whose first waiter is next; nil: nobody is.
func (t *turns) choose() *queue {
	if t.again.head() != nil {
		return &t.again
	}
	someone, background := t.foreground.head() != nil, t.background.head() != nil
	switch {
	case background && (!someone || t.streak >= backgroundShare-1) && !t.resting():
		return &t.background
	case someone:
		return &t.foreground
	}
	return nil
}

// resting: background members make room for those in the foreground, who may come at any moment.
func (t *turns) resting() bool {
	return t.came && !t.closed && !t.rest.IsZero() && time.Now().Before(t.rest)
}

// ring dispatches after a while, unless somebody has the writer by then.
func (t *turns) ring(after time.Duration) {
	if t.alarm != nil {
		t.alarm.Reset(after)
		return
	}
	t.alarm = time.AfterFunc(after, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if !t.taken {
			t.dispatch()
		}
	})
}

// waiting counts those who wait for a turn.
func (t *turns) waiting() (foreground, background int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.foreground.count(), t.background.count()
}

// close refuses new members and waits until those that are there have ended.
func (t *turns) close(ctx context.Context) error {
	t.mu.Lock()
	if !t.closed {
		t.closed = true
		if !t.taken {
			t.dispatch()
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
