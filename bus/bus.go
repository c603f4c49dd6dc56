package bus

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Options configure a Bus. The zero value works.
type Options struct {
	Logger  *slog.Logger     // Defaults to slog.Default().
	Source  string           // Source of all events. Defaults to cloudbus/<hostname>.
	Journal Journal          // Defaults to none: live events only.
	Now     func() time.Time // Defaults to time.Now.
	// Poll is how often the journal's end is looked at without being told, for rows of other servers. Defaults to 1 s.
	Poll time.Duration
	// TailEvents and TailBytes bound the newest recorded events that are kept in memory, for who has caught up with the journal.
	// They default to 8,192 and 16 MiB.
	TailEvents, TailBytes int
	// OnUnhandled is called, on the publisher's or the pump's goroutine, with the header of an event that nobody takes
	// (takers of any and Raw don't count). It must return at once. Defaults to none.
	OnUnhandled func(Header)
	// SlowAfter is how long a handler may run, or an event be queued, until that is logged as a stall; negative: never. Defaults to 5 s.
	SlowAfter time.Duration
	// OnSlow is told of the stalls of all subscriptions, as the option OnSlow says. Defaults to none.
	OnSlow func(Slow)
	// Around wraps each call of a handler; listeners/trace has one. h is the event's header: that of a batch of several (Causes lists
	// them) is zero. What has no handler isn't wrapped: Stream, Channel, Await. Defaults to none.
	Around func(ctx context.Context, subscription string, h Header, next func(context.Context) error) error
}

// Bus carries events from publishers and the journal to subscriptions. All methods may be called concurrently.
type Bus struct {
	opts      Options
	log       *slog.Logger
	source    string
	clock     func() time.Time
	journal   Journal
	detach    func()
	detaching sync.Once
	pump      *pump
	startErr  error // the journal can't be attached
	registry  *registry
	watcher   *watcher
	base      context.Context // of handlers and of calls to the journal
	cancel    context.CancelFunc
	topics    atomic.Pointer[map[reflect.Type]anyTopic]
	early     atomic.Pointer[[]anyTopic] // the first few of them: asking each for its type is faster than the map
	taps      atomic.Pointer[[]*Tap]
	readers   atomic.Pointer[[]*Subscription]
	closed    atomic.Bool

	mu      sync.Mutex
	clients []*Client
	subs    []*Subscription // that get events
	made    uint64          // how many there ever were
	durable map[string]*Subscription
	quick   clock       // of what is published
	unknown *topic[Raw] // recorded events of no registered type
	retired []anyTopic  // those whose place another one has taken
	counted uint64      // live events, when they were counted last
}

// New starts a bus. If its journal can't be attached, Subscribe, Publish and Client operations return that error.
func New(o Options) *Bus {
	b := &Bus{opts: o, log: o.Logger, source: o.Source, clock: o.Now, quick: clock{given: o.Now}, journal: o.Journal, durable: make(map[string]*Subscription)}
	if b.log == nil {
		b.log = slog.Default()
	}
	if b.clock == nil {
		b.clock = time.Now
	}
	if b.source == "" {
		b.source = defaultSource()
	}
	b.base, b.cancel = context.WithCancel(context.Background())
	b.registry = newRegistry()
	b.watcher = newWatcher(b)
	b.topics.Store(&map[reflect.Type]anyTopic{})
	b.early.Store(&[]anyTopic{})
	b.readers.Store(&[]*Subscription{})
	b.unknown = newTopic[Raw](b, rawType)
	b.unknown.bare = true
	b.unknown.rebuild()
	if !clean(b.source) {
		b.startErr = badField("Source", b.source)
	} else if b.journal != nil {
		b.startErr = b.attach()
	}
	return b
}

func defaultSource() string {
	host, err := os.Hostname()
	if err != nil || host == "" || !clean(host) {
		host = "localhost"
	}
	return "cloudbus/" + host
}

func (b *Bus) attach() error {
	ctx, cancel := context.WithTimeout(b.base, subscribeTime)
	defer cancel()
	var early atomic.Uint64 // what the journal tells before the pump is there
	var ready atomic.Pointer[pump]
	detach, err := b.journal.Attach(Attachment{
		Prepare: b.Prepare,
		Committed: func(records []Record) {
			if p := ready.Load(); p != nil {
				p.committed(records)
			} else if n := len(records); n > 0 {
				early.Store(records[n-1].Seq)
			}
		},
		Wake: func(last uint64) {
			if p := ready.Load(); p != nil {
				p.notify(last)
				return
			}
			early.Store(last)
		},
		Running: b.isDurable,
	})
	if err != nil {
		return fmt.Errorf("bus: attaching the journal: %w", err)
	}
	_, last, err := b.journal.Bounds(ctx)
	if err != nil {
		detach()
		return fmt.Errorf("bus: attaching the journal: %w", err)
	}
	b.detach = detach
	b.pump = newPump(b, last)
	ready.Store(b.pump)
	b.pump.notify(early.Load())
	poll := b.opts.Poll
	if poll <= 0 {
		poll = defaultPoll
	}
	go b.pump.run(poll)
	return nil
}

// Source returns the source that the bus gives its events.
func (b *Bus) Source() string { return b.source }

// Journal returns the journal, nil if there is none.
func (b *Bus) Journal() Journal { return b.journal }

// Now reads the bus's clock: UTC, without a monotonic reading.
func (b *Bus) Now() time.Time { return b.now() }

func (b *Bus) now() time.Time { return b.clock().Round(0).UTC() }

// Client returns a new participant. A name that is taken gets -2, -3, …, and one warning.
func (b *Bus) Client(name string) *Client {
	if name == "" || !clean(name) {
		b.log.Warn("bus: a client's name is text without control characters", "name", name, "gets", "client")
		name = "client"
	}
	c := b.newClient(name)
	if c.name != name {
		b.log.Warn("bus: client name is taken", "name", name, "gets", c.name)
	}
	return c
}

func (b *Bus) newClient(name string) *Client {
	b.mu.Lock()
	defer b.mu.Unlock()
	free := name
	for n := 2; slices.ContainsFunc(b.clients, func(c *Client) bool { return c.name == free }); n++ {
		free = name + "-" + strconv.Itoa(n)
	}
	c := &Client{bus: b, name: free}
	b.clients = append(b.clients, c)
	return c
}

// usable reports why the bus can't be used.
func (b *Bus) usable() error {
	if b.closed.Load() {
		return ErrClosed
	}
	return b.startErr
}

// topicOf returns the topic of a Go type, making it if need be.
func topicOf[T any](b *Bus, typ reflect.Type) *topic[T] {
	if t, ok := (*b.topics.Load())[typ].(*topic[T]); ok {
		return t
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return topicLocked[T](b, typ)
}

func topicLocked[T any](b *Bus, typ reflect.Type) *topic[T] {
	old := *b.topics.Load()
	if t, ok := old[typ].(*topic[T]); ok {
		return t
	}
	t := newTopic[T](b, typ)
	t.rebuild()
	next := make(map[reflect.Type]anyTopic, len(old)+1)
	for k, v := range old {
		next[k] = v
	}
	if bare := old[typ]; bare != nil {
		b.retired = append(b.retired, bare)
	}
	next[typ] = t
	b.topics.Store(&next)
	b.noteEarly(t)
	return t
}

const maxEarly = 6

// earlyTopic finds the topic of T among the first ones, nil if it isn't.
func earlyTopic[T any](b *Bus) *topic[T] {
	for _, a := range *b.early.Load() {
		if t, ok := a.(*topic[T]); ok && !t.bare {
			return t
		}
	}
	return nil
}

// noteEarly lists a new topic, in the place of a bare one of the same type. b.mu is held.
func (b *Bus) noteEarly(t anyTopic) {
	early := slices.Clone(*b.early.Load())
	i := slices.IndexFunc(early, func(o anyTopic) bool { return o.goType() == t.goType() })
	switch {
	case i >= 0:
		early[i] = t
	case len(early) < maxEarly:
		early = append(early, t)
	}
	b.early.Store(&early)
}

// live lists the subscriptions that the pump brings recorded events to.
func (b *Bus) live() []*Subscription {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(b.subs), func(s *Subscription) bool { return s.mode.reads() })
}

// forget takes an ended subscription out of the lists.
func (b *Bus) forget(s *Subscription) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.durable[s.settings.durable] == s {
		delete(b.durable, s.settings.durable)
	}
	if i := slices.Index(s.client.subs, s); i >= 0 {
		s.client.subs = slices.Delete(s.client.subs, i, i+1)
	}
}

// isDurable reports whether a durable name is in use.
func (b *Bus) isDurable(name string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.durable[name] != nil
}

// claim reserves a durable name.
func (b *Bus) claim(s *Subscription) error {
	name := s.settings.durable
	if name == "" {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if other := b.durable[name]; other != nil {
		return &DuplicateError{Name: name, By: other.site}
	}
	b.durable[name] = s
	return nil
}
