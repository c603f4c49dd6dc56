package bus_test

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

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

// Who closes second may not return before the first has closed the queues.
func TestCloseByTwoReturnsToBothWhenNoHandlerStarts(t *testing.T) {
	inBubble(t, func(w *world) {
		sub := w.subscribe(new(sink).handle)
		second := make(chan struct{})
		bus.OnShut(sub, func() {
			go func() {
				sub.Close()
				close(second)
			}()
			for range 1000 {
				runtime.Gosched()
			}
			select {
			case <-second:
				t.Error("the second Close has returned, the queues are still open")
			default:
			}
		})
		sub.Close()
		<-second
	})
}

func TestCloseReplacesASubscriptionThatAPublisherWaitsFor(t *testing.T) {
	block := bus.Queue(1, bus.Block(10*time.Second))
	for name, subscribe := range map[string]func(*world, *sink, ...bus.Option) *bus.Subscription{
		"one type": func(w *world, s *sink, opts ...bus.Option) *bus.Subscription { return w.subscribe(s.handle, opts...) },
		"any": func(w *world, s *sink, opts ...bus.Option) *bus.Subscription {
			sub, err := bus.Subscribe(w.c, func(ctx context.Context, e bus.Event[any]) error {
				return s.handle(ctx, bus.Event[noted]{Payload: e.Payload.(noted)})
			}, opts...)
			if err != nil {
				t.Fatal(err)
			}
			return sub
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(w *world) {
				old, fresh := held(), &sink{}
				before := subscribe(w, old, block)
				w.publish(noted{N: 1})
				synctest.Wait()
				w.publish(noted{N: 2})
				go func() { _ = bus.Publish(context.Background(), w.c, noted{N: 3}) }()
				synctest.Wait() // it waits for room
				subscribe(w, fresh, block)
				go func() { _ = before.Drain(context.Background()) }()
				synctest.Wait()
				close(old.gate)
				<-before.Done()
				w.flush()
				old.want(t, 1, 2)
				fresh.want(t, 3)
			})
		})
	}
}

func TestCloseOfTheBusWhileAPublisherWaitsIsAnErrorIfTheEventIsLost(t *testing.T) {
	inBubble(t, func(w *world) {
		s := held()
		w.subscribe(s.handle, bus.Queue(1, bus.Block(10*time.Second)))
		w.publish(noted{N: 1})
		synctest.Wait()
		w.publish(noted{N: 2})
		published := make(chan error, 1)
		go func() { published <- bus.Publish(context.Background(), w.c, noted{N: 3}) }()
		synctest.Wait() // it waits for room
		go w.close()
		synctest.Wait() // for the handler
		close(s.gate)
		if err := <-published; !errors.Is(err, bus.ErrClosed) {
			t.Errorf("Publish: %v, want ErrClosed", err)
		}
		synctest.Wait()
		s.want(t, 1, 2)
	})
}

// The closer races with the worker that is about to call the handler. What counts as started is the call: a handler that is called just
// before, and loses the processor before it does anything, can't be told from one that is called too late, but is very rare.
func TestCloseNoHandlerStartsAfterItHasReturned(t *testing.T) {
	b := bus.New(bus.Options{})
	t.Cleanup(func() { _ = b.Close(context.Background()) })
	c := b.Client("test")
	const rounds, rare = 5000, 10
	tooLate := 0
	for range rounds {
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
			tooLate++
		}
	}
	if tooLate > rare {
		t.Errorf("%d of %d handlers have started after Close had returned", tooLate, rounds)
	}
}
