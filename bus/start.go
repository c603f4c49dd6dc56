package bus

import (
	"context"
	"fmt"
)

// startPosition finds the number after which the subscription reads, and stores the cursor of a new durable name,
// so that nothing between is lost if the process ends before the first event.
func (s *Subscription) startPosition() (uint64, error) {
	if s.bus.pump != nil {
		s.after = s.bus.pump.newest()
	}
	if s.mode == modeLive || s.mode == modeBlock {
		return s.after, nil
	}
	ctx, cancel := context.WithTimeout(s.bus.base, subscribeTime)
	defer cancel()
	if !s.mode.stored() {
		return s.fromPosition(ctx)
	}
	if err := s.tryLease(ctx); err != nil {
		return 0, err
	}
	if err := s.openParking(ctx); err != nil {
		return 0, err
	}
	at, known, err := s.bus.journal.Cursor(ctx, s.durable)
	if err != nil {
		return 0, fmt.Errorf("bus: cursor of %q: %w", s.durable, err)
	}
	if known {
		return at, s.checkCursor(ctx, at)
	}
	if at, err = s.fromPosition(ctx); err != nil {
		return 0, err
	}
	if s.tenure.away.Load() {
		return at, nil // whoever runs it is about to store where it begins
	}
	if err := s.bus.journal.SetCursor(ctx, s.durable, at); err != nil {
		return 0, fmt.Errorf("bus: cursor of %q: %w", s.durable, err)
	}
	return at, nil
}

// openParking learns what is parked. Subscriptions park unless they say otherwise, if the journal can keep what is parked;
// those in batches only if they say so, because it is their commit that has to.
func (s *Subscription) openParking(ctx context.Context) error {
	store, ok := s.bus.journal.(Parker)
	switch {
	case s.failure == Halt && s.chosen, s.failure == Halt && (s.mode == modeBatch || !ok):
		return nil
	case !ok:
		return &OptionError{Option: "Park", Reason: fmt.Sprintf("the journal (%T) keeps no parked events", s.bus.journal)}
	}
	s.failure = Park
	s.parking = newParking(s, store)
	return s.parking.load(ctx)
}

// checkCursor refuses a cursor that is past the journal's end, as after a restore of an older backup: what is recorded next would be skipped.
func (s *Subscription) checkCursor(ctx context.Context, at uint64) error {
	_, last, err := s.bus.journal.Bounds(ctx)
	if err != nil {
		return fmt.Errorf("bus: cursor of %q: %w", s.durable, err)
	}
	if at > last {
		return fmt.Errorf("%w: %q is at %d, the newest event is %d", ErrCursorPastEnd, s.durable, at, last)
	}
	return nil
}

// fromPosition is what From says, or the journal's end. Who stores no position and asks for more than there is begins with the oldest event.
func (s *Subscription) fromPosition(ctx context.Context) (at uint64, err error) {
	first, last, err := s.bus.journal.Bounds(ctx)
	switch {
	case err != nil:
	case s.from == nil:
		return last, nil
	case s.from.seq > last:
		return 0, fmt.Errorf("%w: subscription %q, From(%d), the newest event is %d", ErrCursorPastEnd, s.name, s.from.seq, last)
	case s.from.time.IsZero():
		at = s.from.seq
	default:
		at, err = s.bus.journal.SeqBefore(ctx, s.from.time)
	}
	if err != nil {
		return 0, fmt.Errorf("bus: where subscription %q starts: %w", s.name, err)
	}
	if !s.mode.stored() {
		at = max(at, first-1)
	}
	return at, nil
}

// admit lists a subscription and starts it, unless the bus or its client was closed meanwhile.
func (b *Bus) admit(s *Subscription) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := s.client.usable(); err != nil {
		return err
	}
	s.client.subs = append(s.client.subs, s)
	b.made++
	s.order = b.made
	b.subs = append(b.subs, s)
	b.watcher.expect(s.slowAfter)
	b.route(s) // first, so that a reader that starts misses nothing
	s.inner.start()
	return nil
}

// start starts the subscription's goroutines.
func (in *inbox[T]) start() {
	s := in.sub
	s.runners.Add(int32(len(in.lanes))) // at most 1,024
	switch {
	case in.commit != nil:
		s.runners.Add(1)
		r := &batchReader[T]{journalReader: in.reader, in: in, commit: in.commit, size: defaultPage}
		r.serve = func(job *errand) { s.parking.run(job, r.replay) }
		go r.run()
	case in.reader != nil:
		s.runners.Add(1)
		in.startReader()
	default:
		for _, l := range in.lanes {
			in.startLane(l)
		}
	}
}

// startLane starts a lane's worker, unless somebody else is to work it off.
func (in *inbox[T]) startLane(l *lane[T]) {
	if in.stream == nil {
		go l.run()
	}
}

// startReader starts the lanes and the reader, which outlives them to store the last cursor.
func (in *inbox[T]) startReader() {
	r := &reader[T]{journalReader: in.reader, in: in}
	for _, l := range in.lanes {
		l.reader = r
		r.lanes.Add(1)
		in.startLane(l)
	}
	go r.run()
}

func (in *inbox[T]) shut() (left int) {
	for _, l := range in.lanes {
		n := l.queue.close()
		if l.paused.Load() {
			n++ // its next try will not come
		}
		if !in.sub.mode.stored() {
			left += n
		}
	}
	return left
}

// drain lets live subscriptions work their queues off. What others haven't handled stays in the journal: they end after the event at hand.
func (in *inbox[T]) drain() {
	if in.stream.abandon() {
		return // nobody is there to work it off
	}
	if in.sub.mode.stored() {
		in.sub.Close()
		return
	}
	for _, l := range in.lanes {
		l.queue.drain()
	}
	if in.reader != nil {
		in.reader.stopReading()
	}
}

// miss announces events that the pump couldn't bring, before the next one.
func (in *inbox[T]) miss(g Gap) {
	in.lanes[0].queue.miss(g)
}

// flushed returns channels that close when what is queued now is done.
func (in *inbox[T]) flushed() []<-chan struct{} {
	var all []<-chan struct{}
	if in.stream.unread() {
		return nil
	}
	for _, l := range in.lanes {
		all = append(all, l.queue.flushed())
	}
	return all
}

// reached returns a channel that closes when all recorded events up to seq are done; nil if the pump brings them, or another server has them.
func (in *inbox[T]) reached(seq uint64) <-chan struct{} {
	if in.reader == nil || in.stream.unread() || in.sub.tenure.away.Load() {
		return nil
	}
	return in.reader.progress.reached(seq)
}

// position returns how far the subscription is in the journal, if it reads it.
func (in *inbox[T]) position() (uint64, bool) {
	if in.reader == nil {
		return 0, false
	}
	return in.reader.progress.position(), true
}

// busy counts the handlers that run.
func (in *inbox[T]) busy() (n int) {
	for _, l := range in.lanes {
		if l.runningSince() != 0 {
			n++
		}
	}
	if in.batchAt.Load() != 0 {
		n++
	}
	return n
}

// state sums the lanes up; oldest is in Unix ns, running in ticks, 0 for none.
func (in *inbox[T]) state() (depth int, oldest, running int64) {
	for _, l := range in.lanes {
		d, o := l.queue.state()
		depth += d
		oldest = earlier(oldest, o)
		running = earlier(running, l.runningSince())
	}
	return depth, oldest, earlier(running, in.batchAt.Load())
}

func earlier(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
