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

func TestAwaitMissesNothingThatIsCausedAfterIt(t *testing.T) {
	inBubble(t, func(w *world) {
		two := func(e bus.Event[noted]) bool { return e.Payload.N == 2 }
		wait := bus.Await(w.t.Context(), w.c, two)
		any1 := bus.Await[noted](w.t.Context(), w.c, nil, bus.Resource("vm", "42"))
		w.publish(noted{N: 1}, noted{N: 2}, noted{N: 2, VM: "42"})
		synctest.Wait()
		if n := len(w.b.Inspect().Subscriptions); n != 0 {
			t.Errorf("%d subscriptions are left after the event has come", n)
		}
		for range 2 {
			if e, err := wait(); err != nil || e.Payload.N != 2 || e.ResourceID != "" {
				t.Errorf("awaited %+v, %v", e, err)
			}
		}
		if e, err := any1(); err != nil || e.ResourceID != "42" {
			t.Errorf("awaited %+v, %v", e, err)
		}
	})
}

func TestAwaitEnds(t *testing.T) {
	never := func(bus.Event[noted]) bool { return false }
	tests := []struct {
		name  string
		match func(bus.Event[noted]) bool
		end   func(w *world, cancel context.CancelCauseFunc)
		is    func(error) bool
	}{
		{"with its context", never, func(_ *world, cancel context.CancelCauseFunc) { cancel(errors.New("late")) },
			func(err error) bool { return err.Error() == "late" }},
		{"with the client", never, func(w *world, _ context.CancelCauseFunc) { _ = w.c.Close(context.Background()) },
			func(err error) bool { return errors.Is(err, bus.ErrClosed) }},
		{"with the bus", never, func(w *world, _ context.CancelCauseFunc) { w.close() },
			func(err error) bool { return errors.Is(err, bus.ErrClosed) }},
		{"when match panics", func(bus.Event[noted]) bool { panic("match") }, func(w *world, _ context.CancelCauseFunc) { w.publish(noted{}) },
			func(err error) bool { return errors.As(err, new(*bus.PanicError)) }},
		{"at an event that can't be read", never, func(w *world, _ context.CancelCauseFunc) {
			w.j.AppendRecords(bus.Record{Header: bus.Header{Type: "test.noted", Schema: 1}, Data: []byte(`7`)})
		}, func(err error) bool { return errors.As(err, new(*bus.DecodeError)) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(w *world) {
				ctx, cancel := context.WithCancelCause(context.Background())
				defer cancel(nil)
				wait := bus.Await(ctx, w.c, tt.match)
				tt.end(w, cancel)
				if _, err := wait(); err == nil || !tt.is(err) {
					t.Errorf("awaited: %v", err)
				}
				synctest.Wait()
				if n := len(w.b.Inspect().Subscriptions); n != 0 {
					t.Errorf("%d subscriptions are left", n)
				}
			})
		})
	}
}

func TestAwaitSaysThatItMayHaveMissedTheEvent(t *testing.T) {
	inBubble(t, func(w *world) {
		gate := make(chan struct{})
		wait := bus.Await(w.t.Context(), w.c, func(e bus.Event[noted]) bool {
			<-gate
			return e.Payload.N == 2
		}, bus.Queue(1, bus.DropOldest))
		w.publish(noted{N: 1})
		synctest.Wait()
		w.publish(noted{N: 2}, noted{N: 3})
		close(gate)
		var gap *bus.GapError
		if _, err := wait(); !errors.As(err, &gap) || gap.Count != 1 || err.Error() != "bus: 1 events missed" {
			t.Errorf("awaited: %v, want a *GapError of 1", err)
		}
	})
}

func TestOnceEndsWithTheFirstEventHandled(t *testing.T) {
	inBubble(t, func(w *world) {
		s := &sink{}
		sub, err := bus.Once(w.c, func(_ context.Context, e bus.Event[noted]) error {
			s.add(e.Payload.N)
			if len(s.numbers()) < 4 {
				return errors.New("not yet")
			}
			return nil
		}, bus.Retry(2, time.Second))
		if err != nil {
			t.Fatal(err)
		}
		w.publish(manyNoted(5)...)
		<-sub.Done()
		s.want(t, 0, 0, 1, 1) // 0 was given up
		if i := sub.Inspect(); i.Delivered != 1 || i.Failed != 3 || sub.Err() != nil {
			t.Errorf("delivered %d, failed %d, %v; want 1, 3", i.Delivered, i.Failed, sub.Err())
		}
	})
}

func TestOnceIsOnceWithManyPublishers(t *testing.T) {
	b := newBus(t, nil)
	c := b.Client("c")
	s := &sink{}
	sub, err := bus.Once(c, s.handle)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for n := range 100 {
				_ = bus.Publish(t.Context(), c, noted{N: n})
			}
		})
	}
	wg.Wait()
	<-sub.Done()
	if n := len(s.numbers()); n != 1 {
		t.Errorf("handled %d times", n)
	}
}

func TestOnceDurableGoesOnAfterTheEventItHandled(t *testing.T) {
	inBubble(t, func(w *world) {
		s := &sink{}
		for range 2 {
			sub, err := bus.Once(w.c, s.handle, bus.Durable("d"))
			if err != nil {
				t.Fatal(err)
			}
			if len(s.numbers()) == 0 {
				w.record(1, 2, 3)
			}
			<-sub.Done()
		}
		s.want(t, 1, 2)
	})
}

func TestChannelCarriesWhatTheQueueHolds(t *testing.T) {
	inBubble(t, func(w *world) {
		ctx, cancel := context.WithCancel(w.t.Context())
		var gaps []uint64
		events, err := bus.Channel[noted](ctx, w.c, bus.Queue(2, bus.DropOldest), bus.OnGap(func(_ context.Context, g bus.Gap) { gaps = append(gaps, g.Count) }))
		if err != nil {
			t.Fatal(err)
		}
		w.publish(noted{N: 0})
		synctest.Wait()
		w.publish(noted{N: 1}, noted{N: 2}, noted{N: 3})
		var got []int
		for len(got) < 3 {
			got = append(got, (<-events).Payload.N)
		}
		if !slices.Equal(got, []int{0, 2, 3}) || !slices.Equal(gaps, []uint64{1}) {
			t.Errorf("received %v, gaps %v; want 0, 2, 3 and one of 1", got, gaps)
		}
		w.publish(noted{N: 4})
		synctest.Wait()
		cancel()
		synctest.Wait()
		if e, ok := <-events; ok {
			t.Errorf("received %d after ctx had ended", e.Payload.N)
		}
	})
}

func TestChannelIsDrainedAndClosedWithTheBus(t *testing.T) {
	inBubble(t, func(w *world) {
		events, err := bus.Channel[noted](w.t.Context(), w.c)
		if err != nil {
			t.Fatal(err)
		}
		stuck, err := bus.Channel[noted](w.t.Context(), w.c, bus.Name("stuck"))
		if err != nil {
			t.Fatal(err)
		}
		w.publish(manyNoted(3)...)
		n := 0
		received := make(chan struct{})
		go func() {
			defer close(received)
			for range events {
				n++
			}
		}()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		var left *bus.LeftError
		want := []bus.Left{{Subscription: "stuck", Events: 2, Running: 1}}
		if err := w.b.Close(ctx); !errors.As(err, &left) || !slices.Equal(left.Left, want) {
			t.Errorf("Close: %v, want %+v", err, want)
		}
		<-received
		if _, open := <-stuck; n != 3 || open {
			t.Errorf("received %d events, the other channel open: %v", n, open)
		}
	})
}
