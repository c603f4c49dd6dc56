package bus

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	saveEvery    = 100 * time.Millisecond
	saveAfter    = 1000 // events
	firstBackoff = 50 * time.Millisecond
	outagePause  = 5 * time.Second // at most, until the database is tried again
)

// journalReader is what all subscriptions that read the journal have: a scanned position, a stored cursor, and a way to be woken.
type journalReader struct {
	sub      *Subscription
	wake     chan struct{} // capacity 1
	stop     chan struct{}
	stopped  sync.Once
	missing  Gap    // taken away by retention, to be announced
	scanned  uint64 // read up to here
	saved    uint64 // the stored cursor
	progress *progress
	save     *time.Timer
	armed    bool
	fresh    bool // nothing was read yet
}

func newJournalReader(s *Subscription, start uint64) *journalReader {
	r := &journalReader{sub: s, wake: make(chan struct{}, 1), stop: make(chan struct{}), scanned: start, saved: start, progress: newProgress(start), fresh: true}
	r.save = time.NewTimer(time.Hour)
	r.save.Stop()
	return r
}

// nudge says that there may be more to read. It never blocks.
func (r *journalReader) nudge() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// page waits for the next records; false when the subscription is closed.
func (r *journalReader) page(limit int) ([]Record, bool) {
	backoff := firstBackoff
	for {
		records, err := r.sub.bus.journal.Read(r.sub.bus.base, r.scanned, limit)
		if err == nil {
			err = r.checkPage(records)
		}
		r.sub.noteJournal(err)
		switch {
		case err != nil:
			if !r.sub.pauseFor(backoff) {
				return nil, false
			}
			backoff = min(2*backoff, longestPause)
		case len(records) > 0:
			return records, true
		case !r.wait(r.wake):
			return nil, false
		}
	}
}

// checkPage makes sure that nothing is skipped in silence: what retention took away is announced, a hole is the journal's error.
func (r *journalReader) checkPage(records []Record) error {
	if len(records) == 0 {
		return nil
	}
	if err := contiguous(records, r.scanned); err != nil {
		return err
	}
	if first := records[0].Seq; first > r.scanned+1 && (!r.fresh || r.sub.mode.stored()) {
		r.missed(r.scanned+1, first-1)
	}
	r.fresh = false
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

// wait waits for ch and keeps the stored cursor fresh meanwhile; false when the subscription is closed.
func (r *journalReader) wait(ch <-chan struct{}) bool {
	for {
		select {
		case <-ch:
			return true
		case <-r.progress.moved:
			r.schedule()
		case <-r.save.C:
			r.armed = false
			r.store(r.sub.bus.base)
		case <-r.sub.closing:
			return false
		case <-r.stop:
			return false
		}
	}
}

// stopReading lets the lanes end with what they have.
func (r *journalReader) stopReading() { r.stopped.Do(func() { close(r.stop) }) }

// schedule stores the cursor soon, or at once if it is far behind.
func (r *journalReader) schedule() {
	if !r.sub.mode.stored() {
		return
	}
	switch behind := r.progress.position() - r.saved; {
	case behind >= saveAfter:
		r.store(r.sub.bus.base)
	case behind > 0 && !r.armed:
		r.armed = true
		r.save.Reset(saveEvery)
	}
}

// keepFresh is schedule for a reader that doesn't wait.
func (r *journalReader) keepFresh() {
	select {
	case <-r.progress.moved:
		r.schedule()
	default:
	}
	select {
	case <-r.save.C:
		r.armed = false
		r.store(r.sub.bus.base)
	default:
	}
}

// store stores the cursor. A failure is retried with the next one, and at the end.
func (r *journalReader) store(ctx context.Context) {
	at := r.progress.position()
	if r.sub.mode != modeDurable || at == r.saved {
		return
	}
	err := r.sub.bus.journal.SetCursor(ctx, r.sub.durable, at)
	r.sub.noteJournal(err)
	if err == nil {
		r.saved = at
		return
	}
	r.armed = true
	r.save.Reset(saveEvery)
}

// finish stores the last cursor.
func (r *journalReader) finish() {
	ctx, cancel := context.WithTimeout(r.sub.bus.base, subscribeTime)
	defer cancel()
	r.store(ctx)
	r.save.Stop()
	r.sub.ended()
}

// reader brings recorded events to the lanes of a subscription, at their pace.
type reader[T any] struct {
	*journalReader
	in    *inbox[T]
	lanes sync.WaitGroup
}

func (r *reader[T]) run() {
	defer r.finish()
	defer r.lanes.Wait()
	for {
		select {
		case <-r.stop:
			return
		default:
		}
		records, ok := r.page(defaultPage)
		if !ok {
			return
		}
		for i := range records {
			if !r.step(&records[i]) {
				return
			}
		}
		r.keepFresh()
	}
}

// step hands one record over; false when the subscription is closed.
func (r *reader[T]) step(rec *Record) bool {
	n := r.in.press.blank()
	held := int64(0)
	defer func() { n.published(held) }()
	var wanted bool
	if wanted, n.err = r.in.read(rec, &n.event); !wanted {
		r.progress.skip(rec.Seq)
		r.scanned = rec.Seq
		return true
	}
	q := r.in.laneOf(&rec.Header).queue
	n.ticket = r.progress.begin(rec.Seq)
	now := r.sub.bus.clock().UnixNano()
	n.sign(now)
	if r.missing.Count > 0 {
		q.miss(r.missing)
		r.missing = Gap{}
	}
	for {
		switch q.push(n, now, false) {
		case full:
			if !r.waitRoom(q) {
				return false
			}
		case refused:
			return false
		default:
			held = 1
			r.scanned = rec.Seq
			return true
		}
	}
}

func (r *reader[T]) waitRoom(q *queue[T]) bool {
	room := q.roomChan()
	if room == nil {
		return true
	}
	defer q.leaveRoom()
	return r.wait(room)
}

// read decodes a record if the subscription wants it. bad says why it couldn't be decoded.
func (in *inbox[T]) read(rec *Record, e *Event[T]) (wanted bool, bad error) {
	reg := in.sub.bus.registry.find(rec.Type, rec.Schema)
	if reg == nil {
		in.noteUnknown(rec)
	}
	if !in.wantsType(reg) || !in.sub.admitsType(rec.Type) || !in.sub.admits(&rec.Header) {
		return false, nil
	}
	e.Header = rec.Header
	if !in.boxed {
		return true, reg.codec.(*codec[T]).decodeInto(rec, &e.Payload)
	}
	p := parcel{header: &rec.Header, data: rec.Data}
	if reg != nil && in.typ != rawType {
		p.payload, p.err = reg.codec.decode(rec)
	}
	return true, in.unpack(&p, e)
}

func (in *inbox[T]) wantsType(reg *registration) bool {
	switch {
	case in.boxed && reg == nil:
		return in.accepts(nil)
	case in.boxed:
		return in.accepts(reg.codec.goType())
	default:
		return reg != nil && reg.codec.goType() == in.typ
	}
}
