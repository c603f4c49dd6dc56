package bus

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

const (
	timedChunk  = 32 // fast handlers are timed in chunks
	fastHandler = 2 * time.Microsecond
)

// lane is one worker of a subscription: a goroutine that takes events from its queue and calls the handler.
type lane[T any] struct {
	in      *inbox[T]
	fn      func(context.Context, Event[T]) error
	queue   *queue[T]
	reader  *reader[T]   // to be told what is done; nil for live subscriptions
	running atomic.Int64 // since when a chunk runs, in ticks; 0: idle
	paused  atomic.Bool  // before the next try
	cut     atomic.Bool  // the event at hand won't be handled: the subscription was closed before the handler was called

	// The worker's own.
	contexts  *deliveries // of the edition of the last event
	chunk     int
	chunkAt   int64 // ticks
	fast      bool
	delivered uint64 // not yet counted
	ctx       *delivery
	news      *news[T]  // the event at hand
	calling   bool      // the handler
	broken    error     // how the handler ended its last try without returning
	attempt   int       // failed tries of it
	noted     bool      // the journal knows that it is being handled
	leave     func()    // lets others be handled beside it; nil: they are
	outages   int       // tries of it that the database refused
	aside     []Parking // events that wait behind a parked one, not yet stored
	tickets   []uint64  // theirs
	sheet     *sheet[T] // of the last event
	held      int64     // how many of its events are done with
}

var errGoexit = errors.New("bus: handler ended its goroutine (runtime.Goexit)")

func (l *lane[T]) run() {
	sane := false
	defer func() {
		if !sane {
			go l.run() // a handler has ended the goroutine, as testing's FailNow does
			return
		}
		if l.reader != nil {
			l.reader.lanes.Done()
		}
		l.in.sub.ended()
	}()
	if l.news != nil {
		l.broken = errGoexit
	}
	for {
		l.work()
		if !l.queue.take() {
			break
		}
	}
	sane = true
}

// resume takes a panic, or the end of the goroutine, for a failed try.
func (l *lane[T]) resume() {
	err := l.broken
	l.broken = nil
	done, ok := l.failed(err)
	if !done {
		ok = l.attempts()
	}
	l.settle(ok)
}

// work handles a batch.
func (l *lane[T]) work() {
	l.chunkAt = ticks()
	l.running.Store(l.chunkAt)
	l.in.sub.bus.watcher.work()
	for !l.workOff() {
	}
	l.putAside()
	l.letGo()
	l.running.Store(0)
}

// workOff handles what is left of the batch; false: a handler has panicked. One deferred call for all of them, as each has its price.
func (l *lane[T]) workOff() (done bool) {
	defer func() {
		if !l.calling {
			return
		}
		l.calling = false
		if r := recover(); r != nil {
			l.broken = newPanicError(r)
		}
	}()
	if l.broken != nil {
		l.resume()
	}
	last := ""
	for n := l.queue.claim(l.fast); n != nil; n = l.queue.claim(l.fast) {
		last = n.event.Type
		l.handle(n)
		if l.chunk++; !l.fast || l.chunk == timedChunk {
			l.endChunk(last)
		}
	}
	l.endChunk(last)
	return true
}

// endChunk takes the time. One event is timed exactly; fast ones share a chunk's.
func (l *lane[T]) endChunk(last string) {
	if l.chunk == 0 {
		return
	}
	now := ticks()
	took := time.Duration(now - l.chunkAt)
	l.in.sub.noteTime(took, last)
	l.fast = took/time.Duration(l.chunk) <= fastHandler
	l.in.sub.delivered.Add(l.delivered)
	l.chunk, l.chunkAt, l.delivered = 0, now, 0
	l.running.Store(now)
	l.in.sub.returned(took)
}

// runningSince is since when the handler runs, in ticks; 0: it doesn't.
func (l *lane[T]) runningSince() int64 {
	if l.paused.Load() || l.cut.Load() {
		return 0
	}
	return l.running.Load()
}

// context returns the context of an event's delivery.
func (l *lane[T]) context(n *news[T]) *delivery {
	e := n.sheet.edition.Load()
	if l.contexts == nil || l.contexts.edition != e {
		l.contexts = newDeliveries(l.in.sub, e)
	}
	return &l.contexts.each[n.place]
}

// handle sees an event through: gap notice, tries, and what follows.
func (l *lane[T]) handle(n *news[T]) {
	l.ctx, l.news, l.attempt, l.outages = l.context(n), n, 0, 0
	if l.queue.gapped.Load() && !l.announce() {
		l.settle(false)
		return
	}
	if l.in.sub.parking != nil && l.detour(n) {
		return
	}
	if n.err != nil {
		l.settle(l.in.sub.giveUp(n.event.Header, n.err, 0))
		return
	}
	if !l.beCareful(n) {
		return
	}
	if l.queue.ended() {
		l.cutOff()
		l.settle(false)
		return
	}
	l.settle(l.attempts())
}

// cutOff leaves an event that was claimed just before the subscription was closed.
func (l *lane[T]) cutOff() {
	s := l.in.sub
	s.mu.Lock()
	defer s.mu.Unlock()
	l.cut.Store(true)
	if !s.mode.stored() {
		s.left++
	}
}

// announce tells what was dropped before the event at hand; false: the subscription was closed meanwhile.
func (l *lane[T]) announce() (goesOn bool) {
	gap, ok := l.queue.takeGap()
	if !ok {
		return true
	}
	l.in.sub.announce(l.ctx, gap)
	return !l.in.sub.isClosing()
}

// settle notes that the event at hand is over, and whether it is done.
func (l *lane[T]) settle(done bool) {
	n := l.news
	if done && n.ticket != 0 {
		l.reader.progress.complete(n.ticket)
	}
	if l.leave != nil {
		l.putDown(n)
	}
	if n.sheet != l.sheet {
		l.letGo()
		l.sheet = n.sheet
	}
	l.held++
	l.news = nil
}

// letGo ends the holds of events that are done with: of a whole sheet at once.
func (l *lane[T]) letGo() {
	if l.held > 0 {
		l.sheet.settle(-l.held)
	}
	l.sheet, l.held = nil, 0
}

// attempts calls the handler until it succeeds or the policy gives up; false: the event isn't done.
func (l *lane[T]) attempts() bool {
	for {
		if l.reader != nil && l.in.sub.tenure.away.Load() {
			return false // another server's to handle
		}
		l.calling = true
		err := l.fn(l.ctx, l.news.event)
		l.calling = false
		if err == nil {
			l.delivered++
			if l.outages > 0 {
				l.in.sub.noteJournal(nil)
			}
			return true
		}
		if done, ok := l.failed(err); done {
			return ok
		}
	}
}

// failed deals with a failed try. done: there is no other; ok: the subscription goes on.
func (l *lane[T]) failed(err error) (done, ok bool) {
	sub, h := l.in.sub, l.news.event.Header
	err = sound(err)
	l.chunk++
	l.endChunk(h.Type)
	if errors.Is(err, Stop) {
		sub.Close()
		l.in.sub.delivered.Add(1)
		return true, true
	}
	if errors.Is(err, ErrOutage) && sub.mode.stored() {
		sub.noteJournal(err)
		l.outages++
		return !l.pause(min(firstBackoff<<min(l.outages, 10), outagePause)), false
	}
	l.attempt++
	sub.noteFailure(h, err, l.attempt)
	if sub.tenure.over() {
		return true, false
	}
	if l.attempt >= sub.tries {
		return true, sub.giveUp(h, err, l.attempt)
	}
	if !l.pause(sub.pauseAfter(l.attempt)) {
		return true, false
	}
	sub.retried.Add(1)
	return false, false
}

// pause waits for the next try, which isn't time that the handler takes; false: the subscription was closed meanwhile.
func (l *lane[T]) pause(d time.Duration) bool {
	l.paused.Store(true)
	if !l.in.sub.pauseFor(d) {
		l.paused.Store(l.in.sub.isClosing()) // then no handler runs in this lane any more
		return false
	}
	l.chunkAt = ticks()
	l.running.Store(l.chunkAt)
	l.paused.Store(false)
	l.in.sub.bus.watcher.work()
	return true
}

// started is where ticks count from. Reading the monotonic clock alone costs half of time.Now.
var started = time.Now().Add(-time.Second)

func ticks() int64 { return int64(time.Since(started)) }
