package status

import (
	"context"
	"expvar"
	"sync"
	"sync/atomic"
	"time"
)

// counts are what has become of reports since the start.
type counts struct {
	received, applied, held, stale, duplicate, refused, vetoed, batches, dropped atomic.Uint64

	busy atomic.Int64 // nanoseconds spent on batches

	mu       sync.Mutex
	rejected map[Reason]uint64
}

// IngestStats counts what has become of reports since the plugin was started. A batch that is given again after an outage is counted again.
type IngestStats struct {
	Received  uint64            `json:"received"`
	Applied   uint64            `json:"applied"`   // stored; the resource has moved, if the machine had it move
	Held      uint64            `json:"held"`      // their resource isn't there yet
	Stale     uint64            `json:"stale"`     // older than what is stored
	Duplicate uint64            `json:"duplicate"` // what is stored
	Refused   uint64            `json:"refused"`   // of those applied: the machine refused the move
	Vetoed    uint64            `json:"vetoed"`    // of those applied: a listener, or the resource's own rules, refused the move
	Rejected  map[Reason]uint64 `json:"rejected"`
	Dropped   uint64            `json:"dropped"` // held observations and rejected messages that there was no room for
	Batches   uint64            `json:"batches"`
	Busy      time.Duration     `json:"busy_ns"` // spent on batches
}

// Stats returns the counters.
func (i *Ingest) Stats() IngestStats {
	c := &i.counts
	s := IngestStats{
		Received: c.received.Load(), Applied: c.applied.Load(), Held: c.held.Load(), Stale: c.stale.Load(), Duplicate: c.duplicate.Load(),
		Refused: c.refused.Load(), Vetoed: c.vetoed.Load(), Dropped: c.dropped.Load(), Batches: c.batches.Load(), Busy: time.Duration(c.busy.Load()),
		Rejected: map[Reason]uint64{},
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for reason, n := range c.rejected {
		s.Rejected[reason] = n
	}
	return s
}

// note counts an item whose outcome is committed.
func (c *counts) note(it *item) {
	outcome := it.outcome
	if outcome == duplicate && it.shot { // an earlier run, which fell apart into transactions of their own, has stored it before it was planned again
		outcome = applied
		if it.prev.isHeld {
			outcome = isHeld
		}
	}
	switch outcome {
	case applied:
		c.applied.Add(1)
	case isHeld:
		c.held.Add(1)
	case stale:
		c.stale.Add(1)
	case duplicate:
		c.duplicate.Add(1)
	case isRejected:
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.rejected == nil {
			c.rejected = map[Reason]uint64{}
		}
		c.rejected[it.rejected.Reason]++
	}
}

// rejections counts those for one reason.
func (c *counts) rejections(reason Reason) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rejected[reason]
}

// publishMetrics has the plugin's metrics show the counters.
func (i *Ingest) publishMetrics() {
	m, c := i.runtime.Metrics(), &i.counts
	for name, n := range map[string]*atomic.Uint64{
		"received": &c.received, "applied": &c.applied, "held": &c.held, "stale": &c.stale, "duplicate": &c.duplicate, "refused": &c.refused,
		"vetoed": &c.vetoed, "dropped": &c.dropped, "batches": &c.batches,
	} {
		m.Set(name, expvar.Func(func() any { return n.Load() }))
	}
	m.Set("busy_seconds", expvar.Func(func() any { return time.Duration(c.busy.Load()).Seconds() }))
	for _, reason := range []Reason{
		TooLarge, NotJSON, Batch, BadVersion, NoID, NoSource, NoType, BadAttribute, WrongSubject, UnknownType, NotAnObject, NoResourceID, BadData, BadStatus,
		WrongProvider, AheadOfTime, Unstorable,
	} {
		m.Set("rejected_"+string(reason), expvar.Func(func() any { return c.rejections(reason) }))
	}
	m.Set("quarantine_rows", expvar.Func(func() any { return i.store.rows.Load() }))
	m.Set("quarantine_bytes", expvar.Func(func() any { return i.store.bytes.Load() }))
	m.Set("held_rows", expvar.Func(func() any { return i.store.held.Load() }))
	m.Set("batch_size", expvar.Func(func() any { return i.size.latest.Load() }))
}

// throttle lets one of many through every ten seconds.
type throttle struct{ last, passed atomic.Int64 }

func (t *throttle) pass(now time.Time) (skipped int64, ok bool) {
	last := t.last.Load()
	if last != 0 && now.UnixNano()-last < int64(10*time.Second) || !t.last.CompareAndSwap(last, now.UnixNano()) {
		t.passed.Add(1)
		return 0, false
	}
	return t.passed.Swap(0), true
}

// complain tells the log, of each message once in a while.
func (i *Ingest) complain(ctx context.Context, message string, args ...any) {
	logged, _ := i.logged.LoadOrStore(message, &throttle{})
	if skipped, ok := logged.(*throttle).pass(time.Now()); ok {
		i.runtime.Logger().WarnContext(ctx, message, append(args, "not_logged", skipped)...)
	}
}

// memory remembers what was told lately, of a bounded number of things.
type memory struct{ told map[string]time.Time }

const (
	rememberFor  = 5 * time.Minute
	rememberMost = 4096
)

// due reports whether a thing is to be told again.
func (m *memory) due(what string, now time.Time) bool {
	if last, known := m.told[what]; known && now.Sub(last) < rememberFor {
		return false
	}
	if len(m.told) >= rememberMost || m.told == nil {
		m.told = map[string]time.Time{}
	}
	m.told[what] = now
	return true
}
