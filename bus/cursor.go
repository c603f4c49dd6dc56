package bus

import (
	"context"
	"errors"
	"time"
)

const (
	saveEvery    = 100 * time.Millisecond
	saveAfter    = 1000 // events
	firstBackoff = 50 * time.Millisecond
	outagePause  = 5 * time.Second // at most, until the database is tried again
)

// cursor stores the position of a durable subscription, at most saveEvery or saveAfter events late: with the journal's next transaction, if it
// can be left to that and one comes, else in one of its own. Only the reader's goroutine uses it.
type cursor struct {
	sub    *Subscription
	leaver CursorLeaver // nil: each position is stored apart
	timer  *time.Timer
	armed  bool
	want   uint64 // what has to be stored when the timer fires
	saved  uint64 // known to be stored
}

func newCursor(s *Subscription, at uint64) *cursor {
	c := &cursor{sub: s, saved: at, timer: time.NewTimer(time.Hour)}
	c.timer.Stop()
	c.leaver, _ = s.bus.journal.(CursorLeaver)
	return c
}

// moved says that the position has risen.
func (c *cursor) moved(at uint64) {
	if c.sub.mode != modeDurable {
		return
	}
	if at >= c.saved+saveAfter/2 {
		c.leave(at)
	}
	switch {
	case at >= c.saved+saveAfter:
		c.store(c.sub.bus.base, at)
	case at > c.saved && !c.armed:
		c.want = 0
		c.arm(saveEvery / 2)
	}
}

// due is called when the timer has fired: what was left to the journal when it fired last must be stored now.
func (c *cursor) due(at uint64) {
	c.armed = false
	c.leave(at)
	switch {
	case c.saved < c.want:
		c.store(c.sub.bus.base, at)
	case c.saved < at:
		c.want = at
		c.arm(saveEvery / 2)
	}
}

// leave leaves the position to the journal's next transaction, and learns what is stored by now.
func (c *cursor) leave(at uint64) {
	if c.leaver != nil && !c.sub.tenure.over() {
		c.saved = max(c.saved, c.leaver.LeaveCursor(c.sub.durable, at))
	}
}

// store stores the position at once. A failure is tried again later, and at the end.
func (c *cursor) store(ctx context.Context, at uint64) {
	if c.sub.mode != modeDurable || at <= c.saved || c.sub.tenure.over() {
		return
	}
	err := c.sub.bus.journal.SetCursor(ctx, c.sub.durable, at)
	if errors.Is(err, ErrLeaseLost) {
		c.sub.tenure.away.Store(true)
		return
	}
	c.sub.noteJournal(err)
	if err == nil {
		c.saved = at
		return
	}
	c.want = at
	c.arm(saveEvery)
}

func (c *cursor) arm(d time.Duration) {
	c.armed = true
	c.timer.Reset(d)
}

// finish stores the last position.
func (c *cursor) finish(at uint64) {
	ctx, cancel := context.WithTimeout(c.sub.bus.base, subscribeTime)
	defer cancel()
	c.store(ctx, at)
	c.timer.Stop()
}
