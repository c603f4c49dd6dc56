package bus_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/cloudbus-go/cloudbus/bus"
)

func TestCloseWhileAGapIsToldStartsNoHandler(t *testing.T) {
	inBubble(t, func(w *world) {
		s, telling := held(), make(chan struct{})
		sub := w.subscribe(s.handle, bus.Queue(1, bus.DropOldest), bus.OnGap(func(context.Context, bus.Gap) { <-telling }))
		w.publish(noted{N: 1})
		synctest.Wait()
		w.publish(noted{N: 2}, noted{N: 3})
		close(s.gate)
		synctest.Wait()
		sub.Close()
		close(telling)
		<-sub.Done()
		s.want(t, 1)
	})
}

func TestCloseWhileAStreamIsToldOfAGapEndsIt(t *testing.T) {
	inBubble(t, func(w *world) {
		c := w.b.Client("stream")
		var got []int
		var last error
		events := bus.Stream[noted](context.Background(), c, bus.Queue(1, bus.DropOldest))
		w.publish(noted{N: 1}, noted{N: 2})
		for e, err := range events {
			var gap *bus.GapError
			switch last = err; {
			case errors.As(err, &gap):
				ctx, cancel := context.WithCancel(context.Background())
				cancel()
				_ = c.Close(ctx) // cut off: the loop is at work
			case err == nil:
				got = append(got, e.Payload.N)
			}
		}
		if len(got) != 0 || !errors.Is(last, bus.ErrClosed) {
			t.Errorf("got %v, %v; want nothing and ErrClosed", got, last)
		}
	})
}

func TestCloseBeforeARetryWithoutPauseStartsNoHandler(t *testing.T) {
	for range 50 {
		inBubble(t, func(w *world) {
			calls, made := 0, make(chan struct{})
			var sub *bus.Subscription
			sub = w.subscribe(func(context.Context, bus.Event[noted]) error {
				<-made
				calls++
				sub.Close()
				return errors.New("again")
			}, bus.Retry(5, 0))
			close(made)
			w.publish(noted{})
			<-sub.Done()
			if calls != 1 {
				t.Fatalf("called %d times, closed in the first", calls)
			}
		})
	}
}

func TestCloseOfTheBusWhilePublishingIsAnErrorIfTheEventIsLost(t *testing.T) {
	inBubble(t, func(w *world) {
		var s sink
		w.subscribe(s.handle)
		closing := func(*bus.Header) { w.close() } // stamps are made before the event is offered
		if err := bus.Publish(context.Background(), w.c, noted{N: 1}, closing); !errors.Is(err, bus.ErrClosed) {
			t.Errorf("Publish: %v, want ErrClosed", err)
		}
		s.want(t)
	})
}

// The closer races with the worker that is about to call the handler.
func TestCloseNoHandlerStartsAfterItHasReturned(t *testing.T) {
	b := bus.New(bus.Options{})
	t.Cleanup(func() { _ = b.Close(context.Background()) })
	c := b.Client("test")
	for range 5000 {
		var closed, late atomic.Bool
		sub, err := bus.Subscribe(c, func(context.Context, bus.Event[noted]) error {
			if closed.Load() {
				late.Store(true)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := bus.Publish(context.Background(), c, noted{N: 1}); err != nil {
			t.Fatal(err)
		}
		sub.Close()
		closed.Store(true)
		<-sub.Done()
		if late.Load() {
			t.Fatal("a handler has started after Close had returned")
		}
	}
}
