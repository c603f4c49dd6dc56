package bus_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/bustest"
)

func TestCloseOfASubscriptionDoesNotWaitAndNoHandlerStartsAfterIt(t *testing.T) {
	inBubble(t, func(w *world) {
		s := held()
		sub := w.subscribe(s.handle)
		w.publish(noted{N: 1}, noted{N: 2}, noted{N: 3})
		synctest.Wait()
		sub.Close()
		sub.Close()
		select {
		case <-sub.Done():
			t.Error("Done is closed while a handler runs")
		default:
		}
		close(s.gate)
		<-sub.Done()
		w.publish(noted{N: 4})
		w.flush()
		s.want(t, 1)
		if err := sub.Err(); err != nil {
			t.Errorf("Err = %v, want nil", err)
		}
		if n := len(w.b.Inspect().Subscriptions); n != 0 {
			t.Errorf("%d subscriptions are still listed", n)
		}
	})
}

func TestCloseWhilePublishing(t *testing.T) {
	b := newBus(t, nil)
	c := b.Client("c")
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					_ = bus.Publish(context.Background(), c, noted{})
					runtime.Gosched()
				}
			}
		})
	}
	for range 100 {
		var closed atomic.Bool
		var after atomic.Int64
		begun := make(chan struct{}, 1)
		s, err := bus.Subscribe(c, func(context.Context, bus.Event[noted]) error {
			if closed.Load() {
				after.Add(1)
			}
			select {
			case begun <- struct{}{}:
			default:
			}
			return nil
		}, bus.Queue(64, bus.DropOldest))
		if err != nil {
			t.Fatal(err)
		}
		<-begun
		s.Close()
		closed.Store(true)
		<-s.Done()
		if n := after.Load(); n > 1 { // the one that had been started may not have come to its first line
			t.Fatalf("%d handlers started after Close", n)
		}
	}
	close(stop)
	wg.Wait()
}

// gauge has a method that is used for two subscriptions.
type gauge struct{ n atomic.Int64 }

func (g *gauge) note(context.Context, bus.Event[noted]) error {
	g.n.Add(1)
	return nil
}

func TestCloseOfOneOfTwoMethodValues(t *testing.T) {
	inBubble(t, func(w *world) {
		var a, b gauge
		first, _ := w.subscribe(a.note), w.subscribe(b.note)
		w.publish(noted{})
		w.flush()
		first.Close()
		w.publish(noted{})
		w.flush()
		if a.n.Load() != 1 || b.n.Load() != 2 {
			t.Errorf("first %d, second %d; want 1, 2", a.n.Load(), b.n.Load())
		}
	})
}

func TestCloseInsideTheHandlerItself(t *testing.T) {
	inBubble(t, func(w *world) {
		s := &sink{}
		var sub *bus.Subscription
		sub = w.subscribe(func(ctx context.Context, e bus.Event[noted]) error {
			sub.Close()
			return s.handle(ctx, e)
		})
		w.publish(noted{N: 1}, noted{N: 2})
		<-sub.Done()
		s.want(t, 1)
	})
}

func TestCloseStopEndsItsOwnSubscription(t *testing.T) {
	for _, durable := range []bool{false, true} {
		t.Run(fmt.Sprintf("durable %v", durable), func(t *testing.T) {
			inBubble(t, func(w *world) {
				s := &sink{}
				opts := []bus.Option{}
				if durable {
					opts = append(opts, bus.Durable("d"))
				}
				sub := w.subscribe(func(ctx context.Context, e bus.Event[noted]) error {
					_ = s.handle(ctx, e)
					return fmt.Errorf("enough: %w", bus.Stop)
				}, opts...)
				w.record(1, 2)
				<-sub.Done()
				s.want(t, 1)
				if i := sub.Inspect(); sub.Err() != nil || i.Failed != 0 || i.Delivered != 1 {
					t.Errorf("Err %v, failed %d, delivered %d; want nil, 0, 1", sub.Err(), i.Failed, i.Delivered)
				}
				if durable && w.cursor("d") != 1 {
					t.Errorf("cursor is at %d, want 1", w.cursor("d"))
				}
			})
		})
	}
}

func TestCloseDrainsLiveQueues(t *testing.T) {
	inBubble(t, func(w *world) {
		s, from := &sink{}, &sink{}
		w.subscribe(func(ctx context.Context, e bus.Event[noted]) error {
			time.Sleep(time.Second)
			return s.handle(ctx, e)
		})
		w.subscribe(from.handle, bus.From(0))
		w.record(1, 2) // committed, perhaps not shown yet
		w.publish(noted{N: 3})
		start := time.Now()
		if err := w.b.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		if n := len(s.numbers()); n != 3 || time.Since(start) != 3*time.Second {
			t.Errorf("%d events in %v, want 3 in 3s", n, time.Since(start))
		}
	})
}

func TestCloseReportsExactlyWhatWasLeft(t *testing.T) {
	inBubble(t, func(w *world) {
		s := held()
		w.subscribe(s.handle, bus.Name("stuck"))
		w.subscribe(ignore[noted], bus.Name("quick"))
		ended := make(chan error, 1)
		w.subscribe(func(ctx context.Context, _ bus.Event[noted]) error {
			<-ctx.Done()
			ended <- ctx.Err()
			return nil
		}, bus.Name("patient"), bus.Type("test.wait"))
		w.publish(noted{Type: "test.wait"})
		synctest.Wait()
		for range 5 {
			w.publish(noted{})
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		err := w.b.Close(ctx)
		var left *bus.LeftError
		want := []bus.Left{{Subscription: "stuck", Events: 5, Running: 1}, {Subscription: "patient", Events: 0, Running: 1}}
		if !errors.As(err, &left) || !slices.Equal(left.Left, want) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close: %v, want %+v", err, want)
		}
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the handler's context: %v", err)
		}
		close(s.gate)
		synctest.Wait()
		s.want(t, 0) // the one that ran; none was started after Close
	})
}

// What waits between two tries is neither queued nor running, but left it is.
func TestCloseReportsWhatWasWaitingForItsNextTry(t *testing.T) {
	inBubble(t, func(w *world) {
		w.subscribe(func(context.Context, bus.Event[noted]) error { return errors.New("no") }, bus.Name("trying"), bus.Retry(9, time.Hour))
		w.publish(noted{N: 1}, noted{N: 2}, noted{N: 3})
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		var left *bus.LeftError
		want := []bus.Left{{Subscription: "trying", Events: 3}}
		if err := w.b.Close(ctx); !errors.As(err, &left) || !slices.Equal(left.Left, want) {
			t.Errorf("Close: %v, want %+v", err, want)
		}
	})
}

func TestCloseOfDurableFinishesTheEventAtHand(t *testing.T) {
	inBubble(t, func(w *world) {
		s := &sink{}
		w.subscribe(func(ctx context.Context, e bus.Event[noted]) error {
			time.Sleep(time.Second)
			return s.handle(ctx, e)
		}, bus.Durable("d"))
		w.record(1, 2, 3)
		time.Sleep(1500 * time.Millisecond)
		if err := w.b.Close(context.Background()); err != nil {
			t.Errorf("Close: %v", err)
		}
		s.want(t, 1, 2)
		if at := w.cursor("d"); at != 2 {
			t.Errorf("cursor is at %d, want 2", at)
		}
		*w = *newWorld(t, w.j)
		w.subscribe(s.handle, bus.Durable("d"))
		w.flush()
		s.want(t, 1, 2, 3)
	})
}

func TestCloseOfAClient(t *testing.T) {
	inBubble(t, func(w *world) {
		other := w.b.Client("other")
		mine, theirs := &sink{}, &sink{}
		w.subscribe(mine.handle)
		if _, err := bus.Subscribe(other, theirs.handle); err != nil {
			t.Fatal(err)
		}
		w.publish(noted{N: 1})
		if err := w.c.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := bus.Publish(context.Background(), other, noted{N: 2}); err != nil {
			t.Fatal(err)
		}
		w.flush()
		mine.want(t, 1)
		theirs.want(t, 1, 2)
		if c := w.b.Client("client"); c.Name() != "client" {
			t.Errorf("the name of a closed client isn't free: %s", c.Name())
		}
	})
}

func TestCloseAndFlushRefuseToWaitForThemselves(t *testing.T) {
	inBubble(t, func(w *world) {
		errs := make(chan [4]error, 1)
		other := w.b.Client("other")
		w.subscribe(func(ctx context.Context, _ bus.Event[noted]) error {
			errs <- [4]error{w.b.Close(ctx), w.c.Close(ctx), w.b.Flush(ctx), other.Close(ctx)}
			return nil
		})
		w.publish(noted{})
		got := <-errs
		for i, name := range []string{"Bus.Close", "Client.Close", "Bus.Flush"} {
			if !errors.Is(got[i], bus.ErrInHandler) {
				t.Errorf("%s in a handler: %v, want ErrInHandler", name, got[i])
			}
		}
		if got[3] != nil {
			t.Errorf("Close of another client in a handler: %v", got[3])
		}
		ctx := bus.EnterWriter(context.Background(), w.j)
		for name, err := range map[string]error{"Bus.Close": w.b.Close(ctx), "Client.Close": w.c.Close(ctx), "Bus.Flush": w.b.Flush(ctx)} {
			if !errors.Is(err, bus.ErrInWriter) {
				t.Errorf("%s in a writer: %v, want ErrInWriter", name, err)
			}
		}
		if err := w.b.Flush(bus.EnterWriter(context.Background(), "another writer")); err != nil {
			t.Errorf("Flush in another writer: %v", err)
		}
	})
}

func TestCloseWhileTheHandlerWantsTheClosersLock(t *testing.T) {
	inBubble(t, func(w *world) {
		var mu sync.Mutex
		begun := make(chan struct{})
		sub := w.subscribe(func(context.Context, bus.Event[noted]) error {
			close(begun)
			mu.Lock()
			defer mu.Unlock()
			return nil
		})
		mu.Lock()
		w.publish(noted{})
		<-begun
		sub.Close()
		mu.Unlock()
		<-sub.Done()
	})
}

// Make before break: the new one begins before the old one ends.
func TestCloseReplacesASubscriptionWithoutLosingAnEvent(t *testing.T) {
	w := newWorld(t, bustest.NewJournal())
	var mu sync.Mutex
	seen := make(map[int]bool)
	handle := func(_ context.Context, e bus.Event[noted]) error {
		mu.Lock()
		defer mu.Unlock()
		seen[e.Payload.N] = true
		return nil
	}
	const events = 2000
	sub := w.subscribe(handle, bus.Queue(events, bus.DropOldest))
	var wg sync.WaitGroup
	wg.Go(func() { w.publish(manyNoted(events)...) })
	for range 50 {
		next := w.subscribe(handle, bus.Queue(events, bus.DropOldest))
		if err := sub.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		sub = next
	}
	wg.Wait()
	w.flush()
	w.close()
	if len(seen) != events {
		t.Errorf("%d of %d events were handled", len(seen), events)
	}
}

func manyNoted(n int) (all []noted) {
	for i := range n {
		all = append(all, noted{N: i})
	}
	return all
}

func TestCloseOfTheBusTwiceAndConcurrently(t *testing.T) {
	w := newWorld(t, bustest.NewJournal())
	w.subscribe(ignore[noted], bus.Durable("d"))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(w.close)
	}
	wg.Wait()
	w.close()
	other := bus.New(bus.Options{Journal: w.j}) // the journal is free again
	if _, err := bus.Subscribe(other.Client("c"), ignore[noted], bus.Durable("d")); err != nil {
		t.Error(err)
	}
	if err := other.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
