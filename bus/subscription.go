package bus

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"sync"
	"sync/atomic"
	"time"
)

// inner is the typed part of a subscription.
type inner interface {
	start()
	shut() (left int)
	drain()
	flushed() []<-chan struct{}
	state() (depth int, oldest, running int64)
	atHand() Header
	busy() int
	position() (seq uint64, ok bool)
	reached(seq uint64) <-chan struct{}
	follow(r *Record, now int64)
	look()
	miss(Gap)
	errand(context.Context, *errand) error
}

// Subscription is an asynchronous reader: it owns its queue, its goroutines and its counters. All methods may be called concurrently.
type Subscription struct {
	settings
	bus     *Bus
	client  *Client
	inner   inner
	mode    mode
	parking *parking // nil: it doesn't park
	goType  reflect.Type
	site    string
	order   uint64        // of its beginning, among all of the bus
	after   uint64        // live: recorded events up to here were there before it
	closing chan struct{} // closed by Close, Stop and Halt
	done    chan struct{}
	runners atomic.Int32
	tenure  tenure // of a durable one

	delivered, dropped, coalesced, failed, retried, live atomic.Uint64

	failures, drops, parkings limiter // of log lines
	atEnd                     func()  // called before done is closed; nil: nothing

	mu         sync.Mutex
	closed     bool
	forgotten  bool // Close was called: nobody lists it any more when it has ended
	finished   bool // its last goroutine is ending
	err        error
	lastErr    error
	left       int
	slowest    time.Duration
	slowestFor string
	journalErr error
	unbind     func() bool // from the context that ends it
}

// Name returns the subscription's name in logs and inspection.
func (s *Subscription) Name() string { return s.settings.name }

// Close ends the subscription and doesn't wait: no handler starts after it has returned, and Done is closed when the last one has ended.
// A handler that runs isn't cancelled. It may be called from anywhere, the subscription's own handler included, more than once.
func (s *Subscription) Close() {
	s.mu.Lock()
	s.forgotten = true
	finished := s.finished
	s.mu.Unlock()
	s.end(nil)
	if finished {
		s.bus.forget(s)
	}
}

// Drain ends the subscription as Client.Close does: its queue is worked off first (a durable one finishes the event at hand).
// To replace a subscription without losing an event: subscribe the new one, then drain the old one; an event may reach both.
// Recorded events that were known before Drain reach a live subscription first. ErrInHandler, ErrInWriter: it would wait for the caller.
func (s *Subscription) Drain(ctx context.Context) error {
	if s.bus.journal != nil && InWriter(ctx, s.bus.journal) {
		return ErrInWriter
	}
	if handlerOf(ctx) == s {
		return ErrInHandler
	}
	return drain(ctx, []*Subscription{s})
}

// Done is closed when the subscription is closed or halted and its last handler has ended.
func (s *Subscription) Done() <-chan struct{} { return s.done }

// Err returns why the subscription halted (*HaltError); nil while it runs, and after Close or Stop.
func (s *Subscription) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// end stops the subscription, once.
func (s *Subscription) end(err error) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed, s.err = true, err
	close(s.closing)
	s.left += s.inner.shut() // under s.mu, so that who closes it a second time doesn't return before that
	s.mu.Unlock()
	s.bus.unroute(s)
}

// ended is called by each of the subscription's goroutines as its last act.
func (s *Subscription) ended() {
	if s.runners.Add(-1) > 0 {
		return
	}
	s.end(nil) // a drained one
	s.mu.Lock()
	s.finished = true
	forget := s.forgotten || s.err == nil || s.atEnd != nil // there is nobody to ask for Err
	s.mu.Unlock()
	if forget {
		s.bus.forget(s)
	}
	s.atLast()
	close(s.done)
}

// admits asks the filters, except the patterns.
func (s *Subscription) admits(h *Header) bool {
	ok, err := s.admitsFields(h)
	if err != nil {
		s.noteFailure(*h, err, 1)
	}
	return ok
}

// wantsPumped reports whether the pump brings the recorded event seq.
func (s *Subscription) wantsPumped(seq uint64) bool { return !s.mode.reads() && seq > s.after }

// pauseFor waits; false: the subscription was closed meanwhile, or has lost its lease.
func (s *Subscription) pauseFor(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return !s.isClosing() // both may have been ready
	case <-s.tenure.lost():
		return false
	case <-s.closing:
		return false
	}
}

// isClosing reports whether the subscription was closed, stopped or halted.
func (s *Subscription) isClosing() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}

// giveUp follows the last failed try: true if the subscription goes on.
func (s *Subscription) giveUp(h Header, err error, tries int) bool {
	if tries == 0 {
		s.noteFailure(h, err, 0)
	}
	switch s.failure {
	case Skip:
		return true
	case Park:
		return s.park(&h, err, tries)
	default:
		return s.halt(h, err, tries)
	}
}

// halt ends the subscription with an error.
func (s *Subscription) halt(h Header, err error, tries int) bool {
	halt := &HaltError{Subscription: s.name, Event: h, Tries: max(tries, 1), Err: err}
	s.bus.log.Error("bus: subscription halted", s.attrs(&h, "error", err)...)
	s.end(halt)
	return false
}

func (s *Subscription) noteFailure(h Header, err error, try int) {
	s.failed.Add(1)
	s.mu.Lock()
	s.lastErr = err
	s.mu.Unlock()
	more, ok := s.failures.allow(s.bus.clock())
	if !ok {
		return
	}
	attrs := s.attrs(&h, "error", err, "try", try)
	if more > 0 {
		attrs = append(attrs, "not_logged", more)
	}
	var p *PanicError
	if errors.As(err, &p) {
		attrs = append(attrs, "stack", string(p.Stack))
	}
	s.bus.log.Error("bus: handler failed", attrs...)
}

func (s *Subscription) noteDrop(now int64) {
	n := s.dropped.Add(1)
	if _, ok := s.drops.allow(time.Unix(0, now)); ok {
		s.bus.log.Warn("bus: subscription is too slow and drops events", s.attrs(nil, "dropped", n, "policy", s.policy.String(), "capacity", s.capacity)...)
	}
}

// ignoreLive counts a live event that a durable subscription would have matched.
func (s *Subscription) ignoreLive(h *Header) {
	if s.live.Add(1) == 1 {
		s.bus.log.Warn("bus: durable subscription gets no live events", s.attrs(h)...)
	}
}

func (s *Subscription) noteTime(d time.Duration, eventType string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d > s.slowest {
		s.slowest, s.slowestFor = d, eventType
	}
}

// returned follows a call of the handler: a stall may have ended.
func (s *Subscription) returned(took time.Duration) {
	if took >= s.slowAfter {
		s.bus.watcher.now()
	}
}

// announce tells the subscriber what it missed.
func (s *Subscription) announce(ctx context.Context, g Gap) {
	if s.onGap == nil {
		return
	}
	defer func() {
		if r := recover(); r != nil {
			s.noteFailure(Header{}, newPanicError(r), 1)
		}
	}()
	s.onGap(ctx, g)
}

// attrs are what each log line about the subscription has.
func (s *Subscription) attrs(h *Header, more ...any) []any {
	attrs := []any{slog.String("subscription", s.name), slog.String("client", s.client.name), slog.String("subscribed_at", s.site)}
	if h != nil && h.Type != "" {
		attrs = append(attrs, slog.String("event", h.Type), slog.Uint64("seq", h.Seq), slog.String("id", h.ID.String()), slog.String("subject", h.Subject()))
	}
	return append(attrs, more...)
}

// noteJournal keeps the outcome of the last call to the journal, and logs an error once in a while.
func (s *Subscription) noteJournal(err error) {
	s.mu.Lock()
	s.journalErr = err
	s.mu.Unlock()
	if err == nil || s.bus.base.Err() != nil {
		return
	}
	if _, ok := s.failures.allow(s.bus.clock()); ok {
		s.bus.log.Error("bus: the journal fails a subscription, trying again", s.attrs(nil, "error", err)...)
	}
}
