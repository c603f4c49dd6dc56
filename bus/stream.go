package bus

import (
	"context"
	"iter"
	"sync/atomic"
	"time"
)

// Stream is a subscription that a loop works off:
//
//	for e, err := range bus.Stream[Started](ctx, c, bus.Durable("mailer")) {
//		...
//	}
//
// It subscribes at once, not when the loop begins, so what is published between the two isn't missed; it can be ranged over once (a second loop gets ErrClosed).
// Events wait in the same bounded queue, by the same policies, and the loop's body is the handler: Close, Flush and OnSlow take it for one
// (give them a context of their own: they can't know that they would wait for themselves). ContextWithCause says what the body does because of an event.
// When the loop comes back for the next event, the one before is done; a durable stream's cursor moves only then. Leaving the loop, by a break, a return
// or a panic, closes the subscription and leaves the event at hand undone: a durable stream gets it again. Its cursor is stored and its name free
// when the loop has ended; the journal is waited for up to 10 s.
//
// Errors that the loop is told of, with a zero Event or one without payload:
//   - *GapError: events were dropped, or taken away by retention, before the event that follows. The stream goes on.
//   - *DecodeError: a recorded event can't be read. The stream goes on, a durable one (or one with Halt) ends with a *HaltError.
//   - those of Subscribe, ctx's cause, and ErrClosed when the client or the bus is closed: the last one, nothing follows.
//
// A stream that is never ranged over ends with ctx or with the bus, and is waited for by nobody; what was left in its queue is logged.
// Stream excludes Lanes, Retry and OnGap; Around doesn't wrap it.
func Stream[T any](ctx context.Context, c *Client, opts ...Option) iter.Seq2[Event[T], error] {
	s, err := newStream[T](c, opts)
	if err != nil {
		return func(yield func(Event[T], error) bool) { yield(Event[T]{}, err) }
	}
	s.in.sub.endWith(ctx, s.end)
	return func(yield func(Event[T], error) bool) {
		if !s.taken.CompareAndSwap(false, true) || s.deliver(ctx, yield) {
			yield(Event[T]{}, s.in.sub.whyEnded(ctx))
		}
	}
}

// stream works a subscription's lane off on the goroutine of who ranges over it.
type stream[T any] struct {
	in    *inbox[T]
	taken atomic.Bool // somebody ranges over it, or it was given up
}

func newStream[T any](c *Client, opts []Option) (*stream[T], error) {
	set, err := faceStream.settings(opts)
	if err != nil {
		return nil, err
	}
	in, err := newInbox[T](c, set)
	if err != nil {
		return nil, err
	}
	s := &stream[T]{in: in}
	in.stream = s
	_, err = in.open()
	return s, err
}

// unread reports whether nobody has begun to range over the stream.
func (s *stream[T]) unread() bool { return s != nil && !s.taken.Load() }

// abandon ends a stream that nobody ranges over; false: somebody does, or did.
func (s *stream[T]) abandon() bool {
	if s == nil || !s.taken.CompareAndSwap(false, true) {
		return false
	}
	s.leave()
	if left := s.in.sub.leftover().Events; left > 0 {
		s.in.sub.bus.log.Warn("bus: stream ended that nobody has ranged over", s.in.sub.attrs(nil, "left", left)...)
	}
	return true
}

// end is for when ctx ends: who ranges over the stream finds it closed.
func (s *stream[T]) end() {
	if !s.abandon() {
		s.in.sub.Close()
	}
}

// leave ends the subscription.
func (s *stream[T]) leave() {
	sub := s.in.sub
	sub.Close()
	if s.in.reader != nil {
		s.in.lanes[0].reader.lanes.Done()
	}
	sub.ended()
}

// deliver yields what comes; true: the stream has ended, not the loop.
func (s *stream[T]) deliver(ctx context.Context, yield func(Event[T], error) bool) (over bool) {
	q := s.in.lanes[0].queue
	defer s.settle(ctx)
	defer s.leave()
	for l := s.in.lanes[0]; q.take(); l.putAside() {
		for n := q.claim(false); n != nil; {
			if ctx.Err() != nil {
				return true // the event's sheet is left to the collector, as after a break
			}
			if !s.hand(n, yield) {
				return false
			}
			handed := n
			n = q.claim(false)
			handed.release() // at last: what was claimed last may be looked at
		}
	}
	return true
}

// hand yields one event, with what must be said before it; false: the loop was left.
func (s *stream[T]) hand(n *news[T], yield func(Event[T], error) bool) (more bool) {
	defer s.endTurn(n.event.Type, s.beginTurn())
	l := s.in.lanes[0]
	if gap, ok := l.queue.takeGap(); ok && !yield(Event[T]{}, &GapError{gap}) {
		return false
	}
	if s.in.sub.isClosing() {
		return true // closed while it was told of a gap, or before that
	}
	if more, done := s.detour(n, yield); done {
		return more
	}
	if n.err != nil {
		return s.handBad(n, yield)
	}
	if !yield(n.event, nil) {
		return false
	}
	s.in.sub.delivered.Add(1)
	s.done(n)
	return true
}

// handBad yields an event that can't be read, or ends the stream.
func (s *stream[T]) handBad(n *news[T], yield func(Event[T], error) bool) (more bool) {
	e := Event[T]{Header: n.event.Header}
	if !s.in.sub.giveUp(e.Header, n.err, 0) {
		return true
	}
	if !yield(e, n.err) {
		return false
	}
	s.done(n)
	return true
}

func (s *stream[T]) done(n *news[T]) {
	if n.ticket != 0 {
		s.in.lanes[0].reader.progress.complete(n.ticket)
	}
}

// beginTurn begins a turn of the loop's body.
func (s *stream[T]) beginTurn() (start int64) {
	start = ticks()
	s.in.lanes[0].running.Store(start)
	s.in.sub.bus.watcher.work()
	return start
}

func (s *stream[T]) endTurn(eventType string, start int64) {
	took := time.Duration(ticks() - start)
	s.in.sub.noteTime(took, eventType)
	s.in.lanes[0].running.Store(0)
	s.in.sub.returned(took)
}

// settle waits until the cursor is stored, unless that would wait for the caller himself.
func (s *stream[T]) settle(ctx context.Context) {
	sub := s.in.sub
	if s.in.reader == nil || InWriter(ctx, sub.bus.journal) {
		return
	}
	timer := time.NewTimer(subscribeTime)
	defer timer.Stop()
	select {
	case <-sub.done:
	case <-timer.C:
	}
}
