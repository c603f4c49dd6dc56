package bustest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// settleTime bounds how long Settle waits.
const settleTime = 10 * time.Second

// Recorder keeps the events of T that pass, in the order in which one subscription gets them. All methods may be called concurrently.
type Recorder[T any] struct {
	t   testing.TB
	bus *bus.Bus
	sub *bus.Subscription

	mu     sync.Mutex
	events []bus.Event[T]
}

// Record subscribes to T until the test ends. The options are those of bus.Subscribe; the queue is large enough for a test unless they say otherwise.
func Record[T any](t testing.TB, b *bus.Bus, opts ...bus.Option) *Recorder[T] {
	t.Helper()
	r := &Recorder[T]{t: t, bus: b}
	opts = append([]bus.Option{bus.Queue(1<<16, bus.Policy{})}, opts...)
	c := b.Client("bustest/" + t.Name())
	sub, err := bus.Subscribe(c, r.note, opts...)
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
	return nil
}

// Events settles the bus and returns what has passed so far.
func (r *Recorder[T]) Events() []bus.Event[T] {
	r.t.Helper()
	Settle(r.t, r.bus)
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]bus.Event[T](nil), r.events...)
}

// Reset forgets what has passed so far.
func (r *Recorder[T]) Reset() {
	r.t.Helper()
	Settle(r.t, r.bus)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = nil
}

// Subscription is what the recorder listens with.
func (r *Recorder[T]) Subscription() *bus.Subscription { return r.sub }

// Want fails the test unless events that match passed in this order, others between them allowed. It returns the events that matched.
func (r *Recorder[T]) Want(want ...Matcher[T]) []bus.Event[T] {
	r.t.Helper()
	events := r.Events()
	var matched []bus.Event[T]
	for _, e := range events {
		if len(matched) < len(want) && want[len(matched)].Match(e) {
			matched = append(matched, e)
		}
	}
	if n := len(matched); n < len(want) {
		r.t.Fatalf("bustest: no event matches %s (%d of %d wanted ones passed, in this order)\n%s", want[n], n, len(want), timeline(events))
	}
	return matched
}

// WantExactly fails the test unless these events passed, in this order, and no others.
func (r *Recorder[T]) WantExactly(want ...Matcher[T]) []bus.Event[T] {
	r.t.Helper()
	events := r.Events()
	for i, e := range events {
		if i >= len(want) {
			r.t.Fatalf("bustest: event %d wasn't wanted (want %d events)\n%s", i+1, len(want), timeline(events))
		}
		if !want[i].Match(e) {
			r.t.Fatalf("bustest: event %d doesn't match %s\n%s", i+1, want[i], timeline(events))
		}
	}
	if len(events) < len(want) {
		r.t.Fatalf("bustest: %d events passed, want %d: the next is %s\n%s", len(events), len(want), want[len(events)], timeline(events))
	}
	return events
}

// WantNone fails the test if an event that matches has passed; with no matcher, if any has.
func (r *Recorder[T]) WantNone(not ...Matcher[T]) {
	r.t.Helper()
	events := r.Events()
	for i, e := range events {
		if len(not) == 0 {
			r.t.Fatalf("bustest: event %d passed, want none\n%s", i+1, timeline(events))
		}
		for _, m := range not {
			if m.Match(e) {
				r.t.Fatalf("bustest: event %d matches %s, want none\n%s", i+1, m, timeline(events))
			}
		}
	}
}

// Settle waits until everyone has handled what was published and committed; what handlers publish then is waited for too, in up to 100 rounds.
// A closed bus is settled. It fails the test on an error: a halted subscription, or one that takes longer than 10 s.
func Settle(t testing.TB, b *bus.Bus) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), settleTime)
	defer cancel()
	before := work(b)
	for range 100 {
		err := b.Flush(ctx)
		if errors.Is(err, bus.ErrClosed) {
			return
		}
		if err != nil {
			t.Fatalf("bustest: Settle: %v", err)
		}
		now := work(b)
		if now == before {
			return
		}
		before = now
	}
	t.Fatalf("bustest: Settle: handlers keep publishing to one another")
}

// work sums up what has been done, so that two equal sums mean that nothing happened between them.
func work(b *bus.Bus) (n uint64) {
	i := b.Inspect()
	n = i.JournalLast
	for _, s := range i.Subscriptions {
		n += s.Delivered + s.Failed + s.Dropped + s.Coalesced + uint64(s.Depth) //nolint:gosec // not negative
	}
	return n
}

// Inject publishes live events and fails the test on an error.
func Inject[T bus.Payload](t testing.TB, b *bus.Bus, payloads ...T) {
	t.Helper()
	c := b.Client("bustest/inject")
	defer func() { _ = c.Close(context.Background()) }()
	for _, p := range payloads {
		if err := bus.Publish(context.Background(), c, p); err != nil {
			t.Fatalf("bustest: Inject %v: %v", p, err)
		}
	}
}

// timeline prints what passed, one event a line.
func timeline[T any](events []bus.Event[T]) string {
	if len(events) == 0 {
		return "recorded: nothing"
	}
	var b strings.Builder
	b.WriteString("recorded:")
	for i, e := range events {
		fmt.Fprintf(&b, "\n%4d  %s  %-28s %-16s seq=%-4d %+v", i+1, e.Time.Format("15:04:05.000000"), e.Type, e.Subject(), e.Seq, any(e.Payload))
	}
	return b.String()
}
