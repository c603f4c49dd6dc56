package bus

import (
	"fmt"
	"sync"
)

// journalReader is what all subscriptions that read the journal have: a scanned position, a stored cursor, and a way to be woken.
// It reads on its own goroutine until it has caught up; then it is attached, and the pump hands it what comes.
type journalReader struct {
	sub      *Subscription
	wake     chan struct{} // capacity 1
	stop     chan struct{}
	stopped  sync.Once
	progress *progress
	cursor   *cursor
	caution  *caution     // nil: nothing is noted
	page     []*Record    // the last one
	errands  chan *errand // for who has no lanes
	serve    func(*errand)
	ahead    chan fetched // the page after it, being read; nil: it isn't
	start    uint64       // where a new name begins
	failing  bool         // the journal, at the last reading

	mu       sync.Mutex // of who moves scanned: the reader's goroutine, or the pump while it is attached
	attached bool
	missing  Gap    // taken away by retention, to be announced
	scanned  uint64 // read up to here
}

// fetched is what reading a page came to.
type fetched struct {
	after   uint64
	records []Record
	err     error
}

func newJournalReader(s *Subscription, start uint64) *journalReader {
	return &journalReader{
		sub: s, wake: make(chan struct{}, 1), stop: make(chan struct{}),
		errands: make(chan *errand), progress: newProgress(start), cursor: newCursor(s, start), caution: newCaution(s), scanned: start, start: start,
	}
}

// nudge says that there is more to read. It never blocks.
func (r *journalReader) nudge() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// next waits for what follows the scanned position: from the tail, if it is all there, else a page of the journal. False: the subscription is closed.
// What it returns is valid until the next call.
func (r *journalReader) next(limit int) (records []*Record, ok bool) {
	tail := r.sub.bus.pump.tail
	for backoff := firstBackoff; ; {
		records, whole := tail.after(r.scanned, limit, r.page[:0])
		if len(records) > 0 {
			r.page = records
			return records, true
		}
		if whole {
			if !r.attend() {
				return nil, false
			}
			continue
		}
		records, err := r.fetch(limit)
		if len(records) > 0 {
			return records, true
		}
		if err != nil || !r.retained() {
			if !r.sub.pauseFor(backoff) {
				return nil, false
			}
			backoff = min(2*backoff, longestPause)
		}
	}
}

// attend waits, caught up, for more than the pump can hand over; false: the subscription is closed.
func (r *journalReader) attend() bool {
	clear(r.page)
	if !r.attach() {
		return true
	}
	ok := r.wait(r.wake)
	r.mu.Lock()
	r.attached = false
	r.mu.Unlock()
	return ok
}

// attach lets the pump go on; false: there is more to read already.
func (r *journalReader) attach() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attached = r.sub.bus.pump.tail.ends(r.scanned)
	return r.attached
}

// detach wakes the reader's goroutine to go on. r.mu is held.
func (r *journalReader) detach() {
	r.attached = false
	r.nudge()
}

// fetch reads a page of the journal. If there is more behind it that isn't in memory, the page after it is read meanwhile.
func (r *journalReader) fetch(limit int) ([]*Record, error) {
	f := r.fetched(limit)
	if f.err == nil {
		f.err = r.checkPage(f.records)
	}
	if f.err != nil || r.failing {
		r.sub.noteJournal(f.err)
		r.failing = f.err != nil
	}
	n := len(f.records)
	if f.err != nil || n == 0 {
		return nil, f.err
	}
	if last := f.records[n-1].Seq; n == limit && !r.sub.bus.pump.tail.covers(last) {
		r.readAhead(last, limit)
	}
	r.page = r.page[:0]
	for i := range f.records {
		r.page = append(r.page, &f.records[i])
	}
	return r.page, nil
}

func (r *journalReader) fetched(limit int) fetched {
	if f, ok := r.settleAhead(); ok && f.err == nil && f.after == r.scanned {
		return f
	}
	records, err := r.sub.bus.journal.Read(r.sub.bus.base, r.scanned, limit)
	return fetched{after: r.scanned, records: records, err: err}
}

// readAhead reads the page after a number on another goroutine.
func (r *journalReader) readAhead(after uint64, limit int) {
	ahead := make(chan fetched, 1)
	r.ahead = ahead
	go func() {
		records, err := r.sub.bus.journal.Read(r.sub.bus.base, after, limit)
		ahead <- fetched{after: after, records: records, err: err}
	}()
}

// settleAhead waits for the page that is being read ahead, if there is one.
func (r *journalReader) settleAhead() (f fetched, ok bool) {
	if r.ahead == nil {
		return f, false
	}
	f = <-r.ahead
	r.ahead = nil
	return f, true
}

// retained finds out what is missing if the journal has nothing after the scanned position, although it once had; false: it can't be told.
func (r *journalReader) retained() bool {
	first, _, err := r.sub.bus.journal.Bounds(r.sub.bus.base)
	r.sub.noteJournal(err)
	if err != nil || first <= r.scanned+1 {
		return false
	}
	r.missed(r.scanned+1, first-1)
	r.progress.miss(first - 1)
	return true
}

// checkPage makes sure that nothing is skipped in silence: what retention took away is announced, a hole is the journal's error.
func (r *journalReader) checkPage(records []Record) error {
	if len(records) == 0 {
		return nil
	}
	if err := contiguous(records, r.scanned); err != nil {
		return err
	}
	if first := records[0].Seq; first > r.scanned+1 {
		r.missed(r.scanned+1, first-1)
	}
	return nil
}

// contiguous reports a page that has a hole, or doesn't follow after.
func contiguous(records []Record, after uint64) error {
	if first := records[0].Seq; first <= after {
		return fmt.Errorf("bus: the journal answered with %d when asked for what follows %d", first, after)
	}
	for i := 1; i < len(records); i++ {
		if records[i].Seq != records[i-1].Seq+1 {
			return fmt.Errorf("bus: the journal has a hole between %d and %d", records[i-1].Seq, records[i].Seq)
		}
	}
	return nil
}

// missed notes events that retention took away before this subscription had read them.
func (r *journalReader) missed(first, last uint64) {
	n := last - first + 1
	r.missing.merge(Gap{Count: n, FirstSeq: first, LastSeq: last, Since: r.sub.bus.now()})
	r.missing.LastSeq = last
	r.sub.dropped.Add(n)
	r.sub.bus.log.Warn("bus: events were removed from the journal before a subscription had read them", r.sub.attrs(nil, "first_seq", first, "last_seq", last)...)
	r.scanned = last
}

// wait waits for ch and keeps the stored cursor fresh meanwhile; false when the subscription is closed, or has lost its lease.
func (r *journalReader) wait(ch <-chan struct{}) bool {
	for {
		select {
		case <-ch:
			return true
		case <-r.progress.moved:
			r.moved()
		case <-r.cursor.timer.C:
			r.cursor.due(r.progress.position())
		case <-r.sub.tenure.lost():
			return false
		case job := <-r.errands:
			r.serve(job)
			return true
		case <-r.sub.closing:
			return false
		case <-r.stop:
			return false
		}
		if r.sub.tenure.away.Load() {
			return false
		}
	}
}

// moved follows the position.
func (r *journalReader) moved() {
	at := r.progress.position()
	r.cursor.moved(at)
	r.caution.reached(at)
}

// keepFresh does what wait does, for a reader that doesn't wait.
func (r *journalReader) keepFresh() {
	select {
	case <-r.progress.moved:
		r.moved()
	default:
	}
	select {
	case <-r.cursor.timer.C:
		r.cursor.due(r.progress.position())
	default:
	}
}

// stopReading lets the lanes end with what they have.
func (r *journalReader) stopReading() { r.stopped.Do(func() { close(r.stop) }) }

// isStopped reports whether the lanes are to end with what they have.
func (r *journalReader) isStopped() bool {
	select {
	case <-r.stop:
		return true
	default:
		return false
	}
}

// goesOn follows the end of the reader's work: true if that was for want of the lease, which it then has again.
func (r *journalReader) goesOn() bool {
	return r.sub.tenure.over() && !r.sub.isClosing() && !r.isStopped() && r.standBy()
}

// finish stores the last cursor, and gives the lease back.
func (r *journalReader) finish() {
	r.settleAhead()
	r.cursor.finish(r.progress.position())
	r.caution.end()
	r.sub.endTenure()
	r.sub.ended()
}
