package bus

import (
	"context"
	"errors"
	"time"
)

// Batch is what SubscribeBatch hands to its commit function.
type Batch[T any] struct {
	Events []Event[T] // those that passed the filters, possibly none
	From   uint64     // the cursor before this batch
	To     uint64     // the scanned position after it: to be stored together with the effects

	// Park is what has to be parked together with that, Replayed the numbers of those among Events that were parked: they are to be unparked, and
	// the cursor stays. Both stay empty unless the subscription has OnFailure(Park).
	Park     []Parking
	Replayed []uint64

	parked []Header // of Park
}

// batchReader hands pages of the journal to a commit function. It is the subscription's only goroutine.
type batchReader[T any] struct {
	*journalReader
	in     *inbox[T]
	commit func(context.Context, Batch[T]) error
	size   int // how many records a batch may have now; halved when one fails
	exits  int // how often in a row commit has ended its goroutine
	at     Header
}

func (r *batchReader[T]) run() {
	sane := false
	defer func() {
		if sane || r.exited() {
			r.finish()
			return
		}
		go r.run()
	}()
	for r.work(); r.goesOn(); r.work() {
	}
	sane = true
}

// exited takes the end of the goroutine (runtime.Goexit in commit) for a failed try; true: it was the last.
func (r *batchReader[T]) exited() bool {
	r.exits++
	r.size = 1
	r.sub.noteFailure(r.at, errGoexit, r.exits)
	if r.exits >= r.sub.tries {
		return !r.giveUp(r.at, errGoexit, r.exits)
	}
	if !r.sub.pauseFor(r.sub.pauseAfter(r.exits)) {
		return true
	}
	r.sub.retried.Add(1)
	return false
}

// work commits batches until the subscription is closed, or has lost its lease.
func (r *batchReader[T]) work() {
	if !r.caution.begin(r.scanned) {
		return
	}
	for !r.sub.tenure.over() {
		records, ok := r.full()
		if !ok {
			return
		}
		for len(records) > 0 {
			r.pollErrands()
			n := min(r.size, len(records))
			if r.caution.watches(records[0].Seq) {
				n = 1
			}
			if !r.batch(records[:n], 1) {
				return
			}
			records = records[n:]
		}
	}
}

// full is next, but waits a while for a batch that isn't full.
func (r *batchReader[T]) full() (records []*Record, ok bool) {
	records, ok = r.next(defaultPage)
	if !ok || len(records) >= r.size || r.sub.linger == 0 {
		return records, ok
	}
	if !r.sub.pauseFor(r.sub.linger) {
		return nil, false
	}
	return r.next(defaultPage)
}

// batch commits some records; false when the subscription has ended. If it fails it is halved, until the culprit is alone and gets its tries.
func (r *batchReader[T]) batch(records []*Record, try int) bool {
	select {
	case <-r.sub.closing:
		return false
	default:
	}
	b, bad := r.decode(records)
	if bad != nil && len(records) == 1 {
		return r.giveUp(records[0].Header, bad, 0)
	}
	err := bad
	r.at = records[0].Header
	if try == 1 && bad == nil {
		tries, over, goesOn := r.beCareful(&b)
		if over {
			return goesOn
		}
		try += tries
	}
	if err == nil {
		err = r.insist(b)
	}
	switch {
	case errors.Is(err, ErrOutage):
		return false
	case errors.Is(err, ErrLeaseLost): // nothing was stored
		r.sub.tenure.away.Store(true)
		return false
	case err == nil || errors.Is(err, Stop):
		r.committed(b)
		if err != nil {
			r.sub.Close()
		}
		return err == nil
	case len(records) > 1:
		return r.halve(records, b, err, bad == nil)
	}
	r.sub.noteFailure(records[0].Header, err, try)
	if try >= r.sub.tries {
		return r.giveUp(records[0].Header, err, try)
	}
	if !r.sub.pauseFor(r.sub.pauseAfter(try)) {
		return false
	}
	r.sub.retried.Add(1)
	return r.batch(records, try+1)
}

// insist calls commit until it isn't the database that refuses; an outage is returned only when the subscription is closed.
func (r *batchReader[T]) insist(b Batch[T]) error {
	for pause := firstBackoff; ; pause = min(2*pause, outagePause) {
		err := sound(r.call(b))
		if !errors.Is(err, ErrOutage) {
			if pause > firstBackoff {
				r.sub.noteJournal(nil)
			}
			return err
		}
		r.sub.noteJournal(err)
		if !r.sub.pauseFor(pause) {
			return err
		}
	}
}

func (r *batchReader[T]) halve(records []*Record, b Batch[T], err error, pause bool) bool {
	if pause {
		r.sub.noteFailure(records[0].Header, err, 1)
		if !r.sub.pauseFor(r.sub.pause) {
			return false
		}
	}
	if len(b.Events) == 0 && pause {
		return r.batch(records[len(records)-1:], 1) // nothing to blame but the store: one record moves the cursor as well as all
	}
	half := len(records) / 2
	r.size = half
	return r.batch(records[:half], 1) && r.batch(records[half:], 1)
}

// committed notes what is done; after a success the next batch may be twice as large.
func (r *batchReader[T]) committed(b Batch[T]) {
	r.scanned, r.exits = b.To, 0
	for i := range b.parked {
		r.sub.parking.add(&b.parked[i])
		if e := b.Park[i]; e.Tries > 0 {
			r.sub.noteParked(&b.parked[i], errors.New(e.Reason), e.Tries)
		}
	}
	r.caution.reached(b.To)
	r.progress.skip(b.To) // at last: Flush may wait for it
	r.size = min(2*r.size, defaultPage)
	r.sub.delivered.Add(uint64(len(b.Events)))
}

// decode picks and decodes what the subscription wants.
func (r *batchReader[T]) decode(records []*Record) (Batch[T], error) {
	b := Batch[T]{From: r.scanned, To: records[len(records)-1].Seq}
	for i := range records {
		var e Event[T]
		wanted, bad := r.in.read(records[i], &e)
		switch {
		case wanted && r.sub.parking != nil && (b.waits(&e.Header) || r.sub.parking.blocks(&e.Header)):
			b.park(e.Header, waitsBehind, 0)
		case bad != nil && r.sub.parking != nil && r.sub.parking.count()+len(b.parked) < maxParked:
			r.sub.noteFailure(records[i].Header, bad, 0)
			b.park(records[i].Header, bad.Error(), 1)
		case bad != nil:
			return b, bad
		case wanted:
			b.Events = append(b.Events, e)
		}
	}
	return b, nil
}

// headers lists those of the events.
func (b Batch[T]) headers() []Header {
	all := make([]Header, len(b.Events))
	for i := range b.Events {
		all[i] = b.Events[i].Header
	}
	return all
}

func (r *batchReader[T]) call(b Batch[T]) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = newPanicError(v)
		}
	}()
	ctx := &batchContext{causeContext: causeContext{Context: r.sub.bus.base, sub: r.sub}, headers: b.headers}
	if len(b.Events) == 1 {
		ctx.cause = b.Events[0].Header
	}
	start := ticks()
	head := r.at
	r.in.batchOf.Store(&head)
	r.in.batchAt.Store(start)
	r.sub.bus.watcher.work()
	defer func() {
		took := time.Duration(ticks() - start)
		r.sub.noteTime(took, head.Type)
		r.in.batchAt.Store(0)
		r.sub.returned(took)
	}()
	if around := r.sub.bus.opts.Around; around != nil {
		return around(ctx, r.sub.name, ctx.cause, func(ctx context.Context) error { return r.commit(ctx, b) })
	}
	return r.commit(ctx, b)
}
