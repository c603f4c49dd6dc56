package bus_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/bustest"
)

func TestOrderRecordedEventsReachEachSubscriptionInJournalOrder(t *testing.T) {
	const writers, each = 8, 100
	w := newWorld(t, bustest.NewJournal())
	var mu sync.Mutex
	seen := make(map[string][]uint64)
	note := func(name string, h bus.Header) error {
		mu.Lock()
		defer mu.Unlock()
		seen[name] = append(seen[name], h.Seq)
		return nil
	}
	big := bus.Queue(1<<14, bus.DropOldest)
	must := func(_ *bus.Subscription, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(bus.Subscribe(w.c, func(_ context.Context, e bus.Event[noted]) error { return note("concrete", e.Header) }, big))
	must(bus.Subscribe(w.c, func(_ context.Context, e bus.Event[bus.Addressed]) error { return note("interface", e.Header) }, big))
	must(bus.Subscribe(w.c, func(_ context.Context, e bus.Event[any]) error { return note("any", e.Header) }, big))
	must(bus.Subscribe(w.c, func(_ context.Context, e bus.Event[bus.Raw]) error { return note("raw", e.Header) }, big))
	must(bus.Subscribe(w.c, func(_ context.Context, e bus.Event[noted]) error { return note("block", e.Header) }, bus.Queue(2, bus.Block(time.Second))))
	must(bus.Subscribe(w.c, func(_ context.Context, e bus.Event[noted]) error { return note("from", e.Header) }, bus.From(0)))
	must(bus.Subscribe(w.c, func(_ context.Context, e bus.Event[any]) error { return note("durable", e.Header) }, bus.Durable("d")))
	must(bus.SubscribeBatch(w.c, "b", func(_ context.Context, b bus.Batch[noted]) error {
		for _, e := range b.Events {
			_ = note("batch", e.Header)
		}
		return nil
	}))
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for n := range each {
				_, _ = w.j.Append(context.Background(), noted{N: n})
			}
		})
	}
	wg.Wait()
	w.flush()
	w.close()
	var want []uint64
	for n := range uint64(writers * each) {
		want = append(want, n+1)
	}
	for _, name := range []string{"concrete", "interface", "any", "raw", "block", "from", "durable", "batch"} {
		if !slices.Equal(seen[name], want) {
			t.Errorf("%s: %d events, not in journal order or not all", name, len(seen[name]))
		}
	}
}

func TestOrderLiveEventsOfOneGoroutine(t *testing.T) {
	const publishers, each = 8, 500
	b := newBus(t, nil)
	c := b.Client("c")
	last := make(map[string]int)
	_, err := bus.Subscribe(c, func(_ context.Context, e bus.Event[noted]) error {
		if e.Payload.N != last[e.Payload.Tenant]+1 {
			t.Errorf("publisher %s: %d after %d", e.Payload.Tenant, e.Payload.N, last[e.Payload.Tenant])
		}
		last[e.Payload.Tenant] = e.Payload.N
		return nil
	}, bus.Queue(publishers*each, bus.DropOldest))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for p := range publishers {
		wg.Go(func() {
			for n := range each {
				_ = bus.Publish(t.Context(), c, noted{N: n + 1, Tenant: fmt.Sprint(p)})
			}
		})
	}
	wg.Wait()
	bustest.Settle(t, b)
	if len(last) != publishers || last["0"] != each {
		t.Errorf("not all events came: %v", last)
	}
}

func TestOrderPerResourceWithLanes(t *testing.T) {
	const publishers, each, resources = 8, 300, 5
	for _, mode := range []string{"live", "durable"} {
		t.Run(mode, func(t *testing.T) {
			w := newWorld(t, bustest.NewJournal())
			var mu sync.Mutex
			last := make(map[string]int)
			count := 0
			opts := []bus.Option{bus.Lanes(8), bus.Queue(publishers*each, bus.Policy{})}
			if mode == "durable" {
				opts = append(opts, bus.Durable("d"))
			}
			w.subscribe(func(_ context.Context, e bus.Event[noted]) error {
				mu.Lock()
				defer mu.Unlock()
				count++
				if key := e.Tenant + e.ResourceID; e.Payload.N <= last[key] {
					t.Errorf("%s: %d after %d", key, e.Payload.N, last[key])
				} else {
					last[key] = e.Payload.N
				}
				return nil
			}, opts...)
			var wg sync.WaitGroup
			for p := range publishers {
				wg.Go(func() {
					for n := range each {
						e := noted{N: n + 1, Tenant: fmt.Sprint(p), VM: fmt.Sprint(n % resources)}
						if mode == "live" {
							_ = bus.Publish(context.Background(), w.c, e)
						} else {
							_, _ = w.j.Append(context.Background(), e)
						}
					}
				})
			}
			wg.Wait()
			w.flush()
			w.close()
			if count != publishers*each {
				t.Errorf("%d events, want %d", count, publishers*each)
			}
		})
	}
}

func TestOrderLanesRunAtOnceAndTheCursorWaitsForTheSlowest(t *testing.T) {
	inBubble(t, func(w *world) {
		slow := make(chan struct{})
		var mu sync.Mutex
		handled := 0
		w.subscribe(func(_ context.Context, e bus.Event[noted]) error {
			if e.ResourceID == "slow" {
				<-slow
			}
			mu.Lock()
			defer mu.Unlock()
			handled++
			return nil
		}, bus.Durable("d"), bus.Lanes(16))
		_, err := w.j.Append(context.Background(), noted{VM: "other"}, noted{VM: "slow"}, noted{VM: "a"}, noted{VM: "b"}, noted{VM: "c"})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		mu.Lock()
		if handled != 4 {
			t.Errorf("%d events were handled beside the slow one, want 4", handled)
		}
		mu.Unlock()
		if at := w.cursor("d"); at != 1 {
			t.Errorf("cursor is at %d, want 1: event 2 isn't done", at)
		}
		close(slow)
		w.flush()
		time.Sleep(200 * time.Millisecond)
		synctest.Wait()
		if at := w.cursor("d"); at != 5 {
			t.Errorf("cursor is at %d, want 5", at)
		}
	})
}

func TestOrderCoalesceKeepsThePlaceOfTheOneItReplaces(t *testing.T) {
	inBubble(t, func(w *world) {
		s := held()
		sub := w.subscribe(s.handle, bus.Queue(8, bus.Coalesce))
		w.publish(noted{N: 1, VM: "first"})
		synctest.Wait()
		w.publish(
			noted{N: 2, VM: "a"}, noted{N: 3, VM: "b"}, noted{N: 4, VM: "a"},
			noted{N: 5}, noted{N: 6}, // without a resource: both stay
			noted{N: 7, VM: "a", Type: "test.other"}, noted{N: 8, VM: "a"},
		)
		close(s.gate)
		w.flush()
		s.want(t, 1, 8, 3, 5, 6, 7)
		if i := sub.Inspect(); i.Coalesced != 2 || i.Dropped != 0 {
			t.Errorf("coalesced %d, dropped %d; want 2, 0", i.Coalesced, i.Dropped)
		}
	})
}
