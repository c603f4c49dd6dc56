package bus

import (
	"sync/atomic"
	"time"
)

const (
	anchorTime  = 10 * time.Millisecond // how long the monotonic clock alone is followed
	anchorError = time.Microsecond      // how far apart the two clocks may have been read
	smallStep   = time.Millisecond      // a wall clock that was set back by less is not followed
)

// clock tells the time of live events for half of what time.Now costs: it reads the monotonic clock, and adds what the wall clock was
// ahead of it up to 10 ms ago. It may be read concurrently.
type clock struct {
	given  func() time.Time // Options.Now: read each time; nil: the machine's
	anchor atomic.Pointer[anchor]
}

// anchor is a moment that both clocks have told.
type anchor struct {
	at   time.Time // with its monotonic reading
	wall int64     // Unix ns
}

// now is UTC, without a monotonic reading.
func (c *clock) now() time.Time {
	if c.given != nil {
		return c.given().Round(0).UTC()
	}
	return time.Unix(0, c.unixNano()).UTC()
}

func (c *clock) unixNano() int64 {
	a := c.anchor.Load()
	if a == nil {
		return c.drop(nil)
	}
	since := time.Since(a.at)
	if since >= anchorTime {
		return c.drop(a)
	}
	return a.wall + int64(since)
}

// drop reads both clocks anew. If it was interrupted between the two there is no new anchor: all times would be off by that much for a while.
func (c *clock) drop(old *anchor) int64 {
	before := time.Now()
	at := time.Now()
	took := time.Since(before)
	wall := at.UnixNano()
	if old != nil {
		if ahead := old.wall + int64(at.Sub(old.at)) - wall; ahead > 0 && ahead < int64(smallStep) {
			wall += ahead // time doesn't run backwards
		}
	}
	if took <= anchorError {
		c.anchor.CompareAndSwap(old, &anchor{at: at, wall: wall})
	}
	return wall
}
