package evbus

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/asaskevich/EventBus"
	"github.com/cloudbus-go/cloudbus/bus"
)

const (
	defaultName  = "evbus"
	defaultQueue = 1 << 16
)

// Options configure a Bus. The zero value works.
type Options struct {
	// Name is that of the bus's client, and the first token of its events' types. Defaults to evbus; a taken one gets -2, -3, ….
	Name string
	// Logger hears of failures of synchronous handlers; those of asynchronous ones go to the logger of the bus below. Defaults to slog.Default().
	Logger *slog.Logger
	// Queue is how many calls may wait for one asynchronous handler (in each of its lanes), up to 4,194,304. It grows as it is needed. Defaults to 65,536.
	Queue int
	// Policy is what a full queue does. Defaults to bus.DropOldest.
	Policy bus.Policy
	// Workers is how many calls of one asynchronous handler that isn't transactional may run at a time, up to 1,024.
	// With more than one they are in no order. Defaults to 1: in the order of their publishing.
	Workers int
	// Announce makes an event of every Publish, for subscribers of the bus below. Defaults to those of topics that have an asynchronous handler.
	Announce bool
}

// Bus is an EventBus.Bus on a bus.Bus. All methods may be called concurrently, and from handlers (WaitAsync, Wait and Close: not from asynchronous ones).
type Bus struct {
	opts   Options
	log    *slog.Logger
	client *bus.Client
	slots  []string // where calls go if handlers have several workers
	next   atomic.Uint64
	routes sync.Map // topic → *route; changed under mu
	failed atomic.Uint64
	bell   bell
	// attention counts who wants to know of each ended call: those that wait, and handlers that are gone but have calls left.
	attention atomic.Int32

	closed atomic.Bool            // set under mu
	direct atomic.Pointer[direct] // never changed in place
	downs  limiter                // of log lines about the bus below

	mu     sync.Mutex
	made   int        // asynchronous handlers, for their names
	asyncs []*handler // asynchronous handlers that may have calls left; never changed in place
}

// New returns a bus of its own on b: handlers of one New don't hear what is published to another.
// Options that bus.Subscribe refuses are an error of SubscribeAsync and SubscribeOnceAsync.
func New(b *bus.Bus, o Options) *Bus {
	if o.Name == "" {
		o.Name = defaultName
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Queue == 0 {
		o.Queue = defaultQueue
	}
	if o.Workers == 0 {
		o.Workers = 1
	}
	e := &Bus{opts: o, log: o.Logger, client: b.Client(o.Name)}
	e.direct.Store(&common)
	if o.Workers > 1 {
		e.slots = slotNames()
	}
	return e
}

// Client returns the bus's client, which owns the subscriptions of asynchronous handlers.
func (b *Bus) Client() *bus.Client { return b.client }

// Close unsubscribes all handlers and waits, until ctx ends, for asynchronous calls that are queued; *bus.LeftError says what was left.
// After that Subscribe returns bus.ErrClosed and Publish reaches nobody. The bus below goes on.
func (b *Bus) Close(ctx context.Context) error {
	b.mu.Lock()
	b.closed.Store(true)
	all := b.all()
	b.routes.Clear()
	b.mu.Unlock()
	for _, r := range all {
		for _, h := range r.handlers {
			h.leave()
		}
	}
	return b.client.Close(ctx)
}

// all lists the routes.
func (b *Bus) all() []*route {
	var all []*route
	for _, r := range b.routes.Range {
		all = append(all, r.(*route))
	}
	return all
}

var (
	_ EventBus.Bus           = (*Bus)(nil)
	_ EventBus.BusSubscriber = (*Bus)(nil)
	_ EventBus.BusPublisher  = (*Bus)(nil)
	_ EventBus.BusController = (*Bus)(nil)
)
