package evbus

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/asaskevich/EventBus"
	"github.com/cloudbus-go/cloudbus/bus"
)

// LinkOptions configure a Link. The zero value works.
type LinkOptions struct {
	// Source is the source of events that come from the foreign bus. Defaults to the bus's own and "/" and the name of the link's client.
	Source string
	// Logger hears of calls of the foreign bus that couldn't be made events. Defaults to slog.Default().
	Logger *slog.Logger
}

// Link connects a bus with a foreign EventBus.Bus: Forward brings events there, Receive brings topics here. What came from one side
// never goes back to it. All methods may be called concurrently, though not from handlers of a foreign bus that holds a lock meanwhile.
type Link struct {
	client  *bus.Client
	foreign EventBus.Bus
	key     linkKey
	source  string
	log     *slog.Logger
	failed  atomic.Uint64
	limit   limiter
	echoes  echoes

	mu       sync.Mutex
	closed   bool
	received map[string]any // topic → what is subscribed there
}

// linkKey is a pair of linked buses.
type linkKey struct {
	bus     *bus.Bus
	foreign EventBus.Bus
}

// links holds all that are open: two for one pair would take each other's echoes for news.
var links sync.Map // linkKey → *Link

// Connect links a foreign bus with the bus of c, which should be a client of the link's own: Close closes it.
// ErrLinked: they are linked already.
func Connect(c *bus.Client, foreign EventBus.Bus, o LinkOptions) (*Link, error) {
	if v := reflect.ValueOf(foreign); !v.IsValid() || !v.Comparable() {
		return nil, fmt.Errorf("evbus: foreign bus %T: must be a pointer, or else comparable", foreign)
	}
	if o.Source == "" {
		o.Source = c.Bus().Source() + "/" + c.Name()
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	l := &Link{
		client: c, foreign: foreign, key: linkKey{c.Bus(), foreign}, source: o.Source, log: o.Logger,
		received: make(map[string]any),
	}
	if _, taken := links.LoadOrStore(l.key, l); taken {
		return nil, fmt.Errorf("%w: foreign bus %T", ErrLinked, foreign)
	}
	return l, nil
}

// Failed counts calls of the foreign bus that couldn't be made events. (What couldn't be forwarded, its subscription counts.)
func (l *Link) Failed() uint64 { return l.failed.Load() }

// Close ends what Receive and Forward began, and waits until ctx ends for events that are queued for the foreign bus; *bus.LeftError says what was left.
func (l *Link) Close(ctx context.Context) error {
	l.mu.Lock()
	l.closed = true
	received := l.received
	l.received = nil
	l.mu.Unlock()
	for topic, fn := range received {
		_ = l.foreign.Unsubscribe(topic, fn) // it may be gone already
	}
	err := l.client.Close(ctx)
	links.CompareAndDelete(l.key, l)
	return err
}

// fail counts and logs a call of the foreign bus that was no event.
func (l *Link) fail(topic string, err error) {
	l.failed.Add(1)
	if more, ok := l.limit.allow(l.client.Bus().Now()); ok {
		l.log.Error("evbus: foreign call couldn't be made an event", "topic", topic, "client", l.client.Name(), "error", err, "not_logged", more)
	}
}
