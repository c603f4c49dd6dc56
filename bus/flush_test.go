package bus_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/bustest"
)

func TestNewReportsAJournalThatCannotBeAttached(t *testing.T) {
	broken := errors.New("broken")
	taken, failing := bustest.NewJournal(), bustest.NewJournal()
	newBus(t, taken)
	failing.Fail(broken)
	for want, j := range map[error]bus.Journal{bus.ErrAttached: taken, broken: failing} {
		b := newBus(t, j)
		c := b.Client("c")
		_, err := bus.Subscribe(c, ignore[noted])
		for _, err := range []error{err, bus.Publish(t.Context(), c, noted{}), b.Flush(t.Context())} {
			if !errors.Is(err, want) {
				t.Errorf("%v, want %v", err, want)
			}
		}
	}
}

func TestFlushWaitsForWhatWasThere(t *testing.T) {
	inBubble(t, func(w *world) {
		slow := func(s *sink) func(context.Context, bus.Event[noted]) error {
			return func(ctx context.Context, e bus.Event[noted]) error {
				time.Sleep(time.Second)
				return s.handle(ctx, e)
			}
		}
		live, durable, lanes := &sink{}, &sink{}, &sink{}
		w.subscribe(slow(live))
		w.subscribe(slow(durable), bus.Durable("d"))
		w.subscribe(slow(lanes), bus.Lanes(4))
		w.record(1, 2)
		w.publish(noted{N: 3})
		w.flush()
		live.want(t, live.numbers()...)
		if a, b, c := len(live.numbers()), len(durable.numbers()), len(lanes.numbers()); a != 3 || b != 2 || c != 3 {
			t.Errorf("handled %d, %d, %d events; want 3, 2, 3", a, b, c)
		}
		w.record(4)
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		if err := w.b.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Flush: %v, want the context's error", err)
		}
	})
}
