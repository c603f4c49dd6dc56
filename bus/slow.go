package bus

import (
	"math"
	"time"
)

const (
	defaultSlow = 5 * time.Second
	minSlow     = time.Millisecond
)

// Slow tells of a stall: a handler that has been running for longer than the subscription's bound, or an event that has been queued for longer.
type Slow struct {
	Subscription string
	Client       string
	Site         string        // where the subscription was made: folder/file.go:line
	Event        Header        // the event at hand; of a batch, the first
	Since        time.Time     // when its handler began, or when the oldest event was queued, whichever is earlier
	RunningFor   time.Duration // how long the handler has been running; 0: none is
	OldestFor    time.Duration // how long the oldest queued event has waited; 0: none does
	Depth        int           // events in the queue
	Over         bool          // the stall has ended; Event, RunningFor, OldestFor and Depth are those of its beginning
	Lasted       time.Duration // from Since on, until now
}

// OnSlow sets the bound of a subscription (at least 1 ms), and calls fn when a stall is noticed and, with Over, when it has ended:
// once each, however many events it holds up. fn runs on a goroutine of the bus, one call at a time, and must return at once.
// With a nil fn stalls are only logged. The bound defaults to Options.SlowAfter.
func OnSlow(bound time.Duration, fn func(Slow)) Option {
	return func(s *settings) {
		if bound < minSlow {
			s.fail(&OptionError{Option: "OnSlow", Reason: "bound under 1 ms"})
		}
		s.slowAfter, s.onSlow = bound, fn
	}
}

// slowBound is the bus's own, for subscriptions without OnSlow.
func slowBound(o Options) time.Duration {
	switch {
	case o.SlowAfter == 0:
		return defaultSlow
	case o.SlowAfter < 0:
		return math.MaxInt64
	default:
		return max(o.SlowAfter, minSlow)
	}
}

// load is what a subscription has to do at one moment.
type load struct {
	busy    bool // a handler runs, or something waits
	depth   int
	running time.Duration // of the handler that runs longest
	oldest  time.Duration // of the event that waits longest
}

func (s *Subscription) load() load {
	depth, oldest, running := s.inner.state()
	return load{busy: running != 0 || depth > 0, depth: depth, running: since(ticks(), running), oldest: since(s.bus.clock().UnixNano(), oldest)}
}

// slow says what is stalled; false: nothing is.
func (s *Subscription) slow(l load) (Slow, bool) {
	longest := max(l.running, l.oldest)
	if longest < s.slowAfter {
		return Slow{}, false
	}
	return Slow{
		Subscription: s.name, Client: s.client.name, Site: s.site, Event: s.inner.atHand(),
		Since: s.bus.now().Add(-longest), RunningFor: l.running, OldestFor: l.oldest, Depth: l.depth, Lasted: longest,
	}, true
}

// nextLook is when a subscription must be looked at again, 0 if it need not: it is idle, or held up by a handler that tells when it returns.
func (s *Subscription) nextLook(l load) time.Duration {
	switch {
	case !l.busy || l.running >= s.slowAfter:
		return 0
	case l.oldest >= s.slowAfter:
		return s.slowAfter
	default:
		return s.slowAfter - max(l.running, l.oldest)
	}
}

func (s *Subscription) noteSlow(stall Slow) {
	s.bus.log.Warn("bus: subscription is slow", s.attrs(&stall.Event,
		"since", stall.Since, "running_for", stall.RunningFor, "oldest_for", stall.OldestFor, "depth", stall.Depth)...)
	s.tellSlow(stall)
}

func (s *Subscription) noteSlowOver(stall Slow) {
	stall.Over = true
	stall.Lasted = max(s.bus.now().Sub(stall.Since), stall.Lasted)
	s.bus.log.Warn("bus: subscription is no longer slow", s.attrs(&stall.Event, "since", stall.Since, "lasted", stall.Lasted)...)
	s.tellSlow(stall)
}

func (s *Subscription) tellSlow(stall Slow) {
	for _, fn := range []func(Slow){s.onSlow, s.bus.opts.OnSlow} {
		if fn != nil {
			s.callSlow(fn, stall)
		}
	}
}

func (s *Subscription) callSlow(fn func(Slow), stall Slow) {
	defer func() {
		if r := recover(); r != nil {
			s.bus.log.Error("bus: OnSlow panicked", s.attrs(nil, "error", newPanicError(r))...)
		}
	}()
	fn(stall)
}

// atHand is the header of the event that a subscription's slowest lane is at, or of the one that waits longest.
func (in *inbox[T]) atHand() Header {
	if h := in.batchOf.Load(); h != nil {
		return *h
	}
	var slowest *lane[T]
	var earliest, longest int64
	for _, l := range in.lanes {
		_, oldest := l.queue.state()
		running := l.runningSince()
		if slowest == nil || earlier(earliest, running) != earliest || earliest == 0 && earlier(longest, oldest) != longest {
			slowest, earliest, longest = l, running, oldest
		}
	}
	if slowest == nil {
		return Header{}
	}
	return slowest.queue.atHand()
}
