package bustest

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// settleTime bounds how long Settle waits.
const settleTime = 10 * time.Second

// New returns a bus with a journal in memory. It logs to the test, and is closed at its end.
func New(t testing.TB) (*bus.Bus, *MemJournal) {
	t.Helper()
	j := NewJournal()
	b := bus.New(bus.Options{Journal: j, Source: "bustest", Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), settleTime)
		defer cancel()
		if err := b.Close(ctx); err != nil {
			t.Errorf("bustest: closing the bus: %v", err)
		}
	})
	return b, j
}

// Settle waits until everyone has handled what was published and committed; what handlers publish then is waited for too, in up to 100 rounds.
// A closed bus is settled. It fails the test on an error: a halted subscription, or one that takes longer than 10 s (SettleWithin waits longer).
func Settle(t testing.TB, b *bus.Bus) {
	t.Helper()
	SettleWithin(t, b, settleTime)
}

// SettleWithin is Settle with a limit of one's own: for handlers that sleep for hours inside testing/synctest.
func SettleWithin(t testing.TB, b *bus.Bus, limit time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
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
		n += s.Delivered + s.Failed + s.Dropped + s.Coalesced + uint64(s.Depth) // not negative
	}
	return n
}

// Healthy settles the bus and fails the test if a handler has failed, a queue has dropped events, or a subscription has halted.
func Healthy(t testing.TB, b *bus.Bus) {
	t.Helper()
	Settle(t, b)
	for _, s := range b.Inspect().Subscriptions {
		if s.Failed+s.Dropped > 0 || s.State == "halted" {
			t.Fatalf("bustest: subscription %q (%s) is %s, failed %d times, dropped %d events: %v", s.Name, s.Site, s.State, s.Failed, s.Dropped, s.Err)
		}
	}
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

// InjectRecorded records events in the journal of the bus, together, and fails the test on an error. It returns the number of the last one.
func InjectRecorded(t testing.TB, j *MemJournal, payloads ...bus.Payload) uint64 {
	t.Helper()
	last, err := j.Append(context.Background(), payloads...)
	if err != nil {
		t.Fatalf("bustest: InjectRecorded: %v", err)
	}
	return last
}
