package bus

import (
	"context"
	"time"
)

const (
	defaultQueue  = 1024
	defaultPage   = 256
	maxQueue      = 1 << 22
	maxLanes      = 1024
	maxBlock      = 10 * time.Second
	maxLinger     = time.Second
	durableTries  = 8
	durablePause  = 100 * time.Millisecond
	longestPause  = 30 * time.Second
	minLivePause  = 10 * time.Millisecond
	subscribeTime = 10 * time.Second // for the journal's answer at Subscribe
)

// Option configures a subscription.
type Option func(*settings)

type settings struct {
	filter
	name      string
	capacity  int
	policy    Policy
	queued    bool // Queue was given
	lanes     int
	durable   string
	from      *position
	tries     int
	pause     time.Duration
	retried   bool // Retry was given
	failure   FailureAction
	chosen    bool // failure was given
	linger    time.Duration
	onGap     func(context.Context, Gap)
	slowAfter time.Duration // 0: the bus's
	onSlow    func(Slow)
	batch     bool
	handless  bool  // nobody's handler is called
	err       error // of the first wrong option
}

type position struct {
	seq  uint64
	time time.Time
}

func (s *settings) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// Type lets events pass whose type matches the pattern (NATS's: * one token, > the rest). Several: any of them.
func Type(pattern string) Option {
	return func(s *settings) {
		p, err := ParsePattern(pattern)
		if err != nil {
			s.fail(err)
			return
		}
		s.patterns = append(s.patterns, p)
	}
}

// Tenant lets the events of one tenant pass.
func Tenant(tenant string) Option {
	return func(s *settings) {
		if tenant == "" || !clean(tenant) {
			s.fail(&OptionError{Option: "Tenant", Reason: "empty, too long or with control characters"})
		}
		if s.tenant != "" && s.tenant != tenant {
			s.fail(&OptionError{Option: "Tenant", With: "Tenant", Reason: "an event has one tenant"})
		}
		s.tenant = tenant
	}
}

// Resource lets the events of one resource pass; with id "" those of all resources of the kind.
func Resource(kind, id string) Option {
	return func(s *settings) {
		if !isToken(kind) || !clean(id) {
			s.fail(&OptionError{Option: "Resource", Reason: "kind must be of a-z 0-9 _ -, id without control characters"})
		}
		if s.resource.kind != "" && s.resource != (subject{kind, id}) {
			s.fail(&OptionError{Option: "Resource", With: "Resource", Reason: "an event is about one resource"})
		}
		s.resource = subject{kind, id}
	}
}

// Where lets events pass for whose header match returns true. It runs on the publisher's goroutine (for recorded events, on the bus's)
// and must be quick; if it panics the event counts as failed for this subscription. Several: all of them.
func Where(match func(Header) bool) Option {
	return func(s *settings) {
		if match == nil {
			s.fail(&OptionError{Option: "Where", Reason: "nil function"})
			return
		}
		s.where = append(s.where, match)
	}
}

// Name names the subscription in logs and inspection. Defaults to the durable name, or the client's name and a number.
func Name(name string) Option {
	return func(s *settings) {
		if name == "" || !clean(name) {
			s.fail(&OptionError{Option: "Name", Reason: "empty, too long or with control characters"})
		}
		s.name = name
	}
}

// Policy says what happens to a live subscription's events when its queue is full. The zero Policy is DropOldest.
type Policy struct {
	kind policyKind
	wait time.Duration
}

type policyKind uint8

const (
	policyDefault policyKind = iota
	policyDropOldest
	policyDropNewest
	policyCoalesce
	policyBlock
)

// Overflow policies.
var (
	// DropOldest makes room by dropping what waits longest. The default.
	DropOldest = Policy{kind: policyDropOldest}
	// DropNewest drops what comes.
	DropNewest = Policy{kind: policyDropNewest}
	// Coalesce keeps the newest event per type and resource, in the place of the one it replaces; that is counted and is no gap.
	// Events without a resource aren't coalesced. If different resources fill the queue the oldest event is dropped.
	Coalesce = Policy{kind: policyCoalesce}
)

// Block makes Publish wait up to d (at most 10 s) for room, then drops the event. With a handler's context Publish doesn't wait.
// Recorded events never wait: the subscription reads them from the journal at its own pace.
func Block(d time.Duration) Policy { return Policy{kind: policyBlock, wait: d} }

func (p Policy) String() string {
	switch p.kind {
	case policyDropNewest:
		return "DropNewest"
	case policyCoalesce:
		return "Coalesce"
	case policyBlock:
		return "Block(" + p.wait.String() + ")"
	default:
		return "DropOldest"
	}
}

// Queue bounds the subscription's queue (1 to 4,194,304 events; with Lanes, each lane's) and says what happens when it is full.
// Memory is taken as it is needed. Defaults to 1,024 and DropOldest.
func Queue(capacity int, p Policy) Option {
	return func(s *settings) {
		if capacity < 1 || capacity > maxQueue {
			s.fail(&OptionError{Option: "Queue", Reason: "capacity must be 1 to 4194304"})
		}
		if p.kind == policyBlock && (p.wait <= 0 || p.wait > maxBlock) {
			s.fail(&OptionError{Option: "Queue", Reason: "Block takes more than 0 and at most 10s"})
		}
		s.capacity, s.policy, s.queued = capacity, p, true
	}
}

// Lanes lets n handlers (1 to 1,024) run at a time; events of one resource stay in order.
func Lanes(n int) Option {
	return func(s *settings) {
		if n < 1 || n > maxLanes {
			s.fail(&OptionError{Option: "Lanes", Reason: "must be 1 to 1024"})
			return
		}
		s.lanes = n
	}
}

// Linger has a subscription that gets batches (SubscribeBatch, journal.Subscribe) wait for d, at most 1 s, when there is less than a batch, so that
// what comes one by one shares a transaction: the subscription is that much later, and who writes alone finds the writer free more often.
// Defaults to 0: what is there is handled at once.
func Linger(d time.Duration) Option {
	return func(s *settings) {
		if d < 0 || d > maxLinger {
			s.fail(&OptionError{Option: "Linger", Reason: "must be 0 to 1s"})
		}
		s.linger = d
	}
}

// Durable makes a subscription that reads the journal from a stored cursor of that name: at least once, across restarts, never dropping.
// A new name starts at the journal's end, or at From. It gets no live events.
func Durable(name string) Option {
	return func(s *settings) {
		if name == "" || !clean(name) {
			s.fail(&OptionError{Option: "Durable", Reason: "name empty, too long or with control characters"})
		}
		s.durable = name
	}
}

// From starts reading the journal after this number, or with what was recorded at or after this time.
func From[P int | uint64 | time.Time](at P) Option {
	return func(s *settings) {
		switch v := any(at).(type) {
		case int:
			if v < 0 {
				s.fail(&OptionError{Option: "From", Reason: "number below 0"})
				return
			}
			s.from = &position{seq: uint64(v)}
		case uint64:
			s.from = &position{seq: v}
		case time.Time:
			s.from = &position{time: v.UTC()}
		}
	}
}

// Retry sets how often an event is tried, and the first pause, which doubles up to 30 s (or backoff, if that is longer).
// Defaults: live 1 try; durable 8 tries from 100 ms.
func Retry(tries int, backoff time.Duration) Option {
	return func(s *settings) {
		if tries < 1 || backoff < 0 {
			s.fail(&OptionError{Option: "Retry", Reason: "needs at least one try and no negative pause"})
		}
		s.tries, s.pause, s.retried = tries, backoff, true
	}
}

// FailureAction is what follows the last failed try.
type FailureAction int

const (
	// Skip goes on with the next event; for live subscriptions only, and their default.
	Skip FailureAction = iota + 1
	// Halt stops the subscription with an error; a durable one's cursor stays before the culprit.
	Halt
	// Park sets the event aside, and with it every later event of its resource (one that is about no resource: itself alone), and goes on with the
	// others. Bus.Parked lists what is parked, Bus.Replay takes it up again, Bus.Discard gives it up. For durable subscriptions only, and their
	// default, if the journal keeps parked events (Parker). With 1,000 resources parked the subscription halts.
	Park
)

// OnFailure says what follows the last failed try of an event.
func OnFailure(f FailureAction) Option {
	return func(s *settings) {
		if f != Skip && f != Halt && f != Park {
			s.fail(&OptionError{Option: "OnFailure", Reason: "must be Skip, Halt or Park"})
		}
		s.failure = f
	}
}

// Gap tells a live subscription what it missed.
type Gap struct {
	Count             uint64    // events dropped
	FirstSeq, LastSeq uint64    // the lowest and highest number among dropped recorded events; 0 if only live ones were dropped
	Since             time.Time // when the first was dropped
}

// OnGap is called, on the handler's goroutine and with the next event's context, before the event that follows a gap.
func OnGap(fn func(context.Context, Gap)) Option {
	return func(s *settings) {
		if fn == nil {
			s.fail(&OptionError{Option: "OnGap", Reason: "nil function"})
		}
		s.onGap = fn
	}
}
