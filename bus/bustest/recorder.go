package bustest

import (
	"context"
	"sync"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
)

// Recorder keeps the events of T that pass, in the order in which one subscription gets them. All methods may be called concurrently;
// those that fail the test only by the test's own goroutine, as is the way of testing.T.
type Recorder[T any] struct {
	t   testing.TB
	bus *bus.Bus
	sub *bus.Subscription

	mu     sync.Mutex
	events []bus.Event[T]
	gaps   map[int]bus.Gap // before which event
	more   chan struct{}   // closed when something has passed
}

// Record subscribes to T until the test ends. The options are those of bus.Subscribe; the queue is large enough for a test, and gaps are
// recorded, unless they say otherwise.
func Record[T any](t testing.TB, b *bus.Bus, opts ...bus.Option) *Recorder[T] {
	t.Helper()
	r := &Recorder[T]{t: t, bus: b, gaps: make(map[int]bus.Gap), more: make(chan struct{})}
	opts = append([]bus.Option{bus.Queue(1<<16, bus.Policy{}), bus.OnGap(r.missed)}, opts...)
	sub, err := bus.Subscribe(b.Client("bustest/"+t.Name()), r.note, opts...)
	if err != nil {
		t.Fatalf("bustest: Record: %v", err)
	}
	r.sub = sub
	t.Cleanup(func() {
		sub.Close()
		<-sub.Done()
	})
	return r
}

func (r *Recorder[T]) note(_ context.Context, e bus.Event[T]) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
	close(r.more)
	r.more = make(chan struct{})
	return nil
}

func (r *Recorder[T]) missed(_ context.Context, g bus.Gap) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gaps[len(r.events)] = g
}

// Events settles the bus and returns what has passed so far.
func (r *Recorder[T]) Events() []bus.Event[T] {
	r.t.Helper()
	return r.settled().events
}

// settled is what has passed when everybody has handled what was there.
func (r *Recorder[T]) settled() timeline[T] {
	r.t.Helper()
	Settle(r.t, r.bus)
	line, _ := r.now()
	return line
}

// now is what has passed so far, and what is closed when there is more.
func (r *Recorder[T]) now() (timeline[T], <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	line := timeline[T]{events: append([]bus.Event[T](nil), r.events...), gaps: make(map[int]bus.Gap), mark: -1}
	for i, g := range r.gaps {
		line.gaps[i] = g
	}
	return line, r.more
}

// Reset forgets what has passed so far.
func (r *Recorder[T]) Reset() {
	r.t.Helper()
	Settle(r.t, r.bus)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = nil
	clear(r.gaps)
}

// Subscription is what the recorder listens with.
func (r *Recorder[T]) Subscription() *bus.Subscription { return r.sub }
