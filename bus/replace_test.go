package bus_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// The pump is at the third of ten recorded events when the old subscription is replaced.
func TestCloseReplacesASubscriptionWithoutLosingARecordedEvent(t *testing.T) {
	tests := []struct {
		name string
		end  func(*world, *bus.Subscription) error
		opts []bus.Option
	}{
		{"by Drain", drainIt, nil},
		{"by Client.Close", closeClient, nil},
		{"of a policy that waits", drainIt, []bus.Option{bus.Queue(2, bus.Block(time.Second))}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(w *world) {
				gate := make(chan struct{})
				holdPump(w, 3, gate)
				var s sink
				old := w.subscribe(s.handle, tt.opts...)
				w.record(upTo(1, 10)...)
				synctest.Wait()
				heir := w.b.Client("heir")
				if _, err := bus.Subscribe(heir, s.handle, tt.opts...); err != nil {
					t.Fatal(err)
				}
				var wg sync.WaitGroup
				wg.Go(func() {
					if err := tt.end(w, old); err != nil {
						t.Error(err)
					}
				})
				synctest.Wait()
				close(gate)
				wg.Wait()
				w.flush()
				got := s.numbers()
				slices.Sort(got)
				if got = slices.Compact(got); !slices.Equal(got, upTo(1, 10)) {
					t.Errorf("the old and the new one together have handled %v", got)
				}
			})
		})
	}
}

func TestCloseSaysThatRecordedEventsHadNotCome(t *testing.T) {
	inBubble(t, func(w *world) {
		gate := make(chan struct{})
		defer close(gate)
		holdPump(w, 1, gate)
		sub := w.subscribe(ignore[noted])
		w.record(1)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := sub.Drain(ctx); err == nil {
			t.Error("Drain has no error")
		}
		<-sub.Done()
		if err := sub.Drain(bus.EnterWriter(context.Background(), w.j)); !errors.Is(err, bus.ErrInWriter) {
			t.Errorf("in a member: %v, want ErrInWriter", err)
		}
	})
}

func drainIt(_ *world, s *bus.Subscription) error { return s.Drain(context.Background()) }

func closeClient(w *world, _ *bus.Subscription) error { return w.c.Close(context.Background()) }

// holdPump stops the pump at a number until gate is closed.
func holdPump(w *world, seq uint64, gate <-chan struct{}) {
	w.t.Helper()
	_, err := bus.Subscribe(w.b.Client("holder"), ignore[noted], bus.Where(func(h bus.Header) bool {
		if h.Seq == seq {
			<-gate
		}
		return true
	}))
	if err != nil {
		w.t.Fatal(err)
	}
}
