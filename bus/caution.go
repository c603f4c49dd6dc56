package bus

import (
	"context"
	"sync"
	"sync/atomic"
)

// maxReachDoublings bounds how far caution reaches after many deaths.
const maxReachDoublings = 20

// caution makes the death of the process count as a try of the events that were being handled. While a durable subscription runs, a mark in the
// journal says so. Who finds one at its start is careful: each event that may have been in hand is noted in the journal before its handler is called.
type caution struct {
	sub  *Subscription
	keep AttemptKeeper

	on     atomic.Bool   // events are noted
	left   atomic.Int64  // how many more
	head   atomic.Uint64 // the newest event that may have been in hand
	marked bool          // the reader's own, as is lives
	lives  int           // in a row, of which all but this one ended uncleanly

	hands sync.RWMutex // who has died before is handled alone

	mu    sync.Mutex
	tries map[uint64]int  // from earlier lives
	held  map[uint64]bool // noted in this one
}

// newCaution returns nil if the journal keeps no attempts, or the subscription stores nothing.
func newCaution(s *Subscription) *caution {
	keep, ok := s.bus.journal.(AttemptKeeper)
	if !ok || !s.mode.stored() {
		return nil
	}
	return &caution{sub: s, keep: keep}
}

// begin learns how the last life ended, before the first event is handed over; false: the subscription is closed, or runs elsewhere.
func (c *caution) begin(at uint64) bool {
	if c == nil || c.marked {
		return true
	}
	return !c.sub.tenure.over() && c.sub.insist(func() error { return c.load(at) })
}

func (c *caution) load(at uint64) error {
	ctx := c.sub.bus.base
	stored, err := c.keep.Attempts(ctx, c.sub.durable)
	if err != nil {
		return err
	}
	_, head, err := c.sub.bus.journal.Bounds(ctx)
	if err != nil {
		return err
	}
	deaths, tries, mark := 0, make(map[uint64]int), []Attempt{{Tries: 1}}
	for _, a := range stored {
		switch {
		case a.Seq == 0:
			deaths = a.Tries
			mark[0].Tries = deaths + 1
		case a.Seq <= at: // done
			mark = append(mark, Attempt{Seq: a.Seq})
		default:
			tries[a.Seq] = a.Tries
		}
	}
	if err := c.keep.StoreAttempts(ctx, c.sub.durable, mark...); err != nil {
		return err
	}
	c.mu.Lock()
	c.tries, c.held = tries, make(map[uint64]bool)
	c.mu.Unlock()
	c.marked, c.lives = true, mark[0].Tries
	c.head.Store(head)
	c.left.Store(c.reach(deaths))
	c.on.Store(deaths > 0 && head > at)
	if c.on.Load() {
		c.sub.bus.log.Warn("bus: a durable subscription didn't end cleanly: each event is noted before it is handled, until what was in hand is behind it",
			c.sub.attrs(nil, "after", at, "up_to", head, "times", deaths)...)
	}
	return nil
}

// reach is how many events are noted: as many as a batch has, or as a cursor may be late and a queue hold. Lanes that ran ahead of a slow one may
// have been further: it is twice as far with each life that ends uncleanly.
func (c *caution) reach(deaths int) int64 {
	if c.sub.mode == modeBatch {
		return defaultPage
	}
	near := int64(c.sub.lanes*c.sub.capacity + saveAfter)
	if c.sub.lanes == 1 {
		return near
	}
	return near << min(max(deaths-1, 0), maxReachDoublings)
}

// watches reports whether an event has to be noted before it is handled.
func (c *caution) watches(seq uint64) bool {
	return c != nil && c.on.Load() && seq <= c.head.Load()
}

// take notes that an event is about to be handled, and returns how often the process has died at it. If that is as often as it may be tried, it isn't
// to be handled. False: the subscription is closed, or runs elsewhere.
func (c *caution) take(seq uint64) (tries int, ok bool) {
	c.mu.Lock()
	tries, held := c.tries[seq], c.held[seq]
	c.mu.Unlock()
	if held || tries >= c.sub.tries {
		return tries, true
	}
	if !c.sub.insist(func() error {
		return c.keep.StoreAttempts(c.sub.bus.base, c.sub.durable, Attempt{Seq: seq, Tries: tries + 1})
	}) {
		return tries, false
	}
	c.mu.Lock()
	c.held[seq] = true
	c.mu.Unlock()
	if c.left.Add(-1) <= 0 {
		c.on.Store(false)
	}
	return tries, true
}

// enter waits until an event may be handled beside others: one at which the process has died is handled alone, so that what only was in hand at the
// same time isn't blamed again. leave says that it is out of hand.
func (c *caution) enter(seq uint64) (leave func()) {
	c.mu.Lock()
	suspect := c.tries[seq] > 0
	c.mu.Unlock()
	if suspect {
		c.hands.Lock()
		return c.hands.Unlock
	}
	c.hands.RLock()
	return c.hands.RUnlock
}

// release notes that an event is out of hand.
func (c *caution) release(seq uint64) {
	c.mu.Lock()
	_, tried := c.tries[seq]
	stored := tried || c.held[seq]
	delete(c.tries, seq)
	delete(c.held, seq)
	c.mu.Unlock()
	if stored {
		c.sub.insist(func() error { return c.keep.StoreAttempts(c.sub.bus.base, c.sub.durable, Attempt{Seq: seq}) })
	}
}

// reached follows the position: behind what may have been in hand, this life is the first again.
func (c *caution) reached(at uint64) {
	if c == nil || c.lives <= 1 || at < c.head.Load() || c.sub.tenure.over() {
		return
	}
	c.on.Store(false)
	err := c.keep.StoreAttempts(c.sub.bus.base, c.sub.durable, Attempt{Tries: 1})
	c.sub.noteJournal(err)
	if err == nil {
		c.lives = 1
	}
}

// end notes a clean end, unless the subscription runs elsewhere now.
func (c *caution) end() {
	if c == nil || !c.marked {
		return
	}
	c.marked = false
	if c.sub.tenure.over() {
		return
	}
	ctx, cancel := context.WithTimeout(c.sub.bus.base, subscribeTime)
	defer cancel()
	c.sub.noteJournal(c.keep.ForgetAttempts(ctx, c.sub.durable))
}

// putDown notes that the event at hand, before which the lane was careful, is over.
func (l *lane[T]) putDown(n *news[T]) {
	if l.noted {
		l.noted = false
		l.reader.caution.release(n.event.Seq)
	}
	l.leave()
	l.leave = nil
}

// beCareful notes an event that is alone in its batch before it is committed; tries is how often the process has died at it.
// Over: it isn't to be handled, and the subscription goes on or not.
func (r *batchReader[T]) beCareful(b *Batch[T]) (tries int, over, goesOn bool) {
	if len(b.Events) != 1 || !r.caution.watches(r.at.Seq) {
		return 0, false, true
	}
	tries, ok := r.caution.take(r.at.Seq)
	if !ok {
		return tries, true, false
	}
	if tries >= r.sub.tries {
		return tries, true, r.giveUp(r.at, &DiedError{Seq: r.at.Seq, Deaths: tries}, tries)
	}
	return tries, false, true
}

// leave is called when the subscription is to run elsewhere: what is stored is to be read anew.
func (c *caution) leave() {
	if c != nil {
		c.marked = false
		c.on.Store(false)
	}
}

// beCareful notes the event at hand before it is handled, if that is called for; false: it isn't to be handled, and is over.
func (l *lane[T]) beCareful(n *news[T]) bool {
	if l.reader == nil || !l.reader.caution.watches(n.event.Seq) {
		return true
	}
	l.leave = l.reader.caution.enter(n.event.Seq)
	tries, ok := l.reader.caution.take(n.event.Seq)
	l.noted = ok
	switch {
	case !ok:
		l.settle(false)
		return false
	case tries >= l.in.sub.tries:
		l.settle(l.in.sub.giveUp(n.event.Header, &DiedError{Seq: n.event.Seq, Deaths: tries}, tries))
		return false
	}
	l.attempt = tries
	return true
}
