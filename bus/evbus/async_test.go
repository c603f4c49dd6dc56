package evbus_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/evbus"
)

func TestAsyncCallsAreInOrder(t *testing.T) {
	b := newBus(t, evbus.Options{})
	const calls = 10_000
	next, wrong := 0, 0
	must(t, b.SubscribeAsync("t", func(i int) {
		if i != next {
			wrong++
		}
		next++
	}, false))
	for i := range calls {
		b.Publish("t", i)
	}
	b.WaitAsync()
	if wrong > 0 || next != calls {
		t.Errorf("%d of %d calls, %d out of order", next, calls, wrong)
	}
}

func TestWorkersRunSeveralCallsAtATime(t *testing.T) {
	b := newBus(t, evbus.Options{Workers: 16})
	var running atomic.Int32
	met := make(chan struct{})
	meet := func() {
		if running.Add(1) == 2 {
			close(met)
		}
		<-met
	}
	must(t, b.SubscribeAsync("t", meet, false))
	for range 64 {
		b.Publish("t")
	}
	within(t, "two calls at a time", met)
	b.WaitAsync()
	if running.Load() != 64 {
		t.Errorf("%d calls, want 64", running.Load())
	}
}

func TestWorkersLeaveTransactionalCallsSerial(t *testing.T) {
	b := newBus(t, evbus.Options{Workers: 16})
	var running, overlaps atomic.Int32
	next := 0
	must(t, b.SubscribeAsync("t", func(i int) {
		if running.Add(1) != 1 || i != next {
			overlaps.Add(1)
		}
		next++
		running.Add(-1)
	}, true))
	for i := range 1000 {
		b.Publish("t", i)
	}
	b.WaitAsync()
	if overlaps.Load() != 0 || next != 1000 {
		t.Errorf("%d calls, %d overlap or are out of order", next, overlaps.Load())
	}
}

func TestFullQueuesDropAndNobodyWaitsForThat(t *testing.T) {
	for _, c := range []struct {
		name   string
		policy bus.Policy
		want   []string
	}{
		{"default", bus.Policy{}, []string{"0", "3", "4"}},
		{"drop oldest", bus.DropOldest, []string{"0", "3", "4"}},
		{"drop newest", bus.DropNewest, []string{"0", "1", "2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBus(t, evbus.Options{Queue: 2, Policy: c.policy})
			n := &notes{}
			entered, release := make(chan struct{}, 5), make(chan struct{})
			must(t, b.SubscribeAsync("t", func(i int) { entered <- struct{}{}; <-release; n.add("%d", i) }, false))
			b.Publish("t", 0)
			<-entered
			for i := 1; i < 5; i++ {
				b.Publish("t", i)
			}
			info := b.Inspect().Handlers[0]
			if info.Dropped != 2 || info.Waiting != 2 {
				t.Errorf("%d dropped and %d waiting, want 2 and 2", info.Dropped, info.Waiting)
			}
			close(release)
			within(t, "WaitAsync", in(b.WaitAsync))
			n.want(t, c.want...)
		})
	}
}

func TestHandlersPublishWithEveryQueueFull(t *testing.T) {
	b := newBus(t, evbus.Options{Queue: 1})
	must(t, b.SubscribeAsync("t", func(depth int) {
		for range 3 {
			if depth > 0 {
				b.Publish("t", depth-1)
			}
		}
	}, false))
	b.Publish("t", 5)
	within(t, "WaitAsync", in(b.WaitAsync))
}

func TestUnsubscribedWithABacklogEndsItsSubscription(t *testing.T) {
	for _, policy := range []bus.Policy{bus.DropOldest, bus.DropNewest} {
		b := newBus(t, evbus.Options{Queue: 2, Policy: policy})
		entered, release := make(chan struct{}, 9), make(chan struct{})
		f := func() { entered <- struct{}{}; <-release }
		must(t, b.SubscribeAsync("t", f, false))
		for range 5 {
			b.Publish("t")
		}
		<-entered
		must(t, b.Unsubscribe("t", f))
		if n := len(b.Client().Bus().Inspect().Subscriptions); n != 1 {
			t.Errorf("%d subscriptions with a backlog, want 1", n)
		}
		close(release)
		within(t, "WaitAsync", in(b.WaitAsync))
		wantNoneRunning(t, b)
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	b := newBus(t, evbus.Options{})
	release := make(chan struct{})
	must(t, b.SubscribeAsync("t", func() { <-release }, false))
	must(t, b.Wait(t.Context()))
	b.Publish("t")
	ctx, cancel := context.WithCancelCause(t.Context())
	late := errors.New("late")
	cancel(late)
	if err := b.Wait(ctx); !errors.Is(err, late) {
		t.Errorf("error %v", err)
	}
	close(release)
	b.WaitAsync()
}

func TestThePublishersSliceIsItsOwn(t *testing.T) {
	b := newBus(t, evbus.Options{})
	n := &notes{}
	release := make(chan struct{})
	must(t, b.Subscribe("t", func(all ...any) { all[0] = "changed" }))
	must(t, b.SubscribeAsync("t", func(s string) { <-release; n.add("%s", s) }, false))
	args := []any{"a"}
	b.Publish("t", args...)
	args[0] = "b"
	close(release)
	b.WaitAsync()
	n.want(t, "a")
}

func TestClose(t *testing.T) {
	b := newBus(t, evbus.Options{Announce: true})
	n := &notes{}
	release := make(chan struct{})
	must(t, b.Subscribe("s", func() { n.add("sync") }))
	must(t, b.SubscribeAsync("t", func(i int) { <-release; n.add("%d", i) }, false))
	b.Publish("t", 1)
	b.Publish("t", 2)
	closed := in(func() { must(t, b.Close(context.Background())) })
	close(release)
	within(t, "Close", closed)
	n.want(t, "1", "2")
	if b.HasCallback("t") {
		t.Error("a handler is left")
	}
	for name, err := range map[string]error{
		"Subscribe":      b.Subscribe("s", func() {}),
		"SubscribeAsync": b.SubscribeAsync("t", func() {}, false),
		"PublishContext": b.PublishContext(t.Context(), "s"),
	} {
		if !errors.Is(err, bus.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	b.Publish("s")
	b.WaitAsync()
	n.want(t, "1", "2")
	must(t, b.Close(t.Context()))
}

func TestCloseSaysWhatWasLeft(t *testing.T) {
	b := newBus(t, evbus.Options{})
	entered, release := make(chan struct{}), make(chan struct{})
	must(t, b.SubscribeAsync("t", func() { close(entered); <-release }, false))
	b.Publish("t")
	<-entered
	b.Publish("t")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var left *bus.LeftError
	if err := b.Close(ctx); !errors.As(err, &left) || left.Left[0].Events != 1 || left.Left[0].Running != 1 {
		t.Errorf("error %v", err)
	}
	waited := in(b.WaitAsync)
	close(release)
	within(t, "WaitAsync", waited)
}

func TestTheBusBelowMayBeClosedFirst(t *testing.T) {
	below := bus.New(bus.Options{Logger: silent})
	b := evbus.New(below, evbus.Options{Logger: silent})
	n := &notes{}
	must(t, b.SubscribeAsync("t", func() { n.add("async") }, false))
	must(t, b.Subscribe("t", func() { n.add("sync") }))
	must(t, below.Close(t.Context()))
	if err := b.PublishContext(t.Context(), "t"); !errors.Is(err, bus.ErrClosed) {
		t.Errorf("error %v", err)
	}
	b.WaitAsync()
	n.want(t, "sync")
	if b.Inspect().Failed != 1 {
		t.Error("the refused call wasn't counted")
	}
	if err := b.SubscribeAsync("t", func() {}, false); !errors.Is(err, bus.ErrClosed) {
		t.Errorf("error %v", err)
	}
}

func TestWrongOptionsAreErrorsAtSubscribe(t *testing.T) {
	for _, o := range []evbus.Options{{Queue: -1}, {Queue: 1 << 30}, {Workers: -1}, {Workers: 5000}} {
		b := newBus(t, o)
		var wrong *bus.OptionError
		if err := b.SubscribeAsync("t", func() {}, false); !errors.As(err, &wrong) || b.HasCallback("t") {
			t.Errorf("%+v: %v", o, err)
		}
	}
	b := newBus(t, evbus.Options{})
	long := strings.Repeat("x", 1100)
	if err := b.SubscribeAsync(long, func() {}, false); !errors.Is(err, evbus.ErrTopic) {
		t.Errorf("error %v", err)
	}
	called := false
	must(t, b.Subscribe(long, func() { called = true }))
	if b.Publish(long); !called {
		t.Error("a synchronous handler doesn't care how long its topic is")
	}
}

func TestBusesOnOneBusAreApart(t *testing.T) {
	below := newBelow(t)
	n := &notes{}
	one, two := evbus.New(below, evbus.Options{Logger: silent}), evbus.New(below, evbus.Options{Logger: silent})
	must(t, one.SubscribeAsync("t", func() { n.add("one") }, false))
	must(t, two.SubscribeAsync("t", func() { n.add("two") }, false))
	one.Publish("t")
	one.WaitAsync()
	two.WaitAsync()
	n.want(t, "one")
}

func TestAnnounceMakesEventsOfAllCalls(t *testing.T) {
	for _, announce := range []bool{false, true} {
		t.Run(fmt.Sprint(announce), func(t *testing.T) {
			below := newBelow(t)
			b := evbus.New(below, evbus.Options{Name: "Shop 1", Announce: announce, Logger: silent})
			n := &notes{}
			c := below.Client("reader")
			_, err := bus.Subscribe(c, func(_ context.Context, e bus.Event[evbus.Call]) error {
				n.add("%s %s %v %s", e.Type, e.Payload.Topic(), e.Payload.Args(), e.CorrelationID)
				return nil
			})
			must(t, err)
			_, err = bus.Subscribe(c, func(_ context.Context, e bus.Event[bus.Raw]) error {
				n.add("%s", e.Payload)
				return nil
			}, bus.Type("_53hop_201.order.>"))
			must(t, err)
			must(t, b.Subscribe("order.paid", func(paid, int) {}))
			ctx := bus.ContextWithCorrelation(t.Context(), "r1")
			must(t, b.PublishContext(ctx, "nobody"))
			must(t, below.Flush(t.Context()))
			must(t, b.PublishContext(ctx, "order.paid", paid{"7", "card"}, 3))
			must(t, below.Flush(t.Context()))
			if !announce {
				n.want(t)
				return
			}
			n.mu.Lock()
			defer n.mu.Unlock()
			all := strings.Join(n.all, "\n")
			for _, want := range []string{
				"_53hop_201.nobody nobody [] r1", "_53hop_201.order.paid order.paid [{7 card} 3] r1",
				`{"topic":"order.paid","args":[{"id":"7","card":""},3]}`,
			} {
				if !strings.Contains(all, want) {
					t.Errorf("%q is missing in\n%s", want, all)
				}
			}
		})
	}
}

func TestAsyncHandlersAreNamedWithTheirCallSite(t *testing.T) {
	b := newBus(t, evbus.Options{Name: "shop"})
	for subscribe, err := range map[string]error{
		"SubscribeAsync":     b.SubscribeAsync("order.paid", func() {}, true),
		"SubscribeOnceAsync": b.SubscribeOnceAsync("order.paid", func() {}),
	} {
		if err != nil {
			t.Errorf("%s: %v", subscribe, err)
		}
	}
	for _, s := range b.Client().Bus().Inspect().Subscriptions {
		if !strings.HasPrefix(s.Site, "evbus/async_test.go:") || !strings.HasPrefix(s.Name, "shop.order.paid#") || s.Client != "shop" {
			t.Errorf("subscription %q of %q at %s", s.Name, s.Client, s.Site)
		}
	}
	for i, h := range b.Inspect().Handlers {
		if !h.Async || h.Transactional == h.Once || h.Topic != "order.paid" || !strings.HasPrefix(h.Handler, "evbus_test.TestAsyncHandlersAreNamed") {
			t.Errorf("handler %d: %+v", i, h)
		}
	}
}

type paid struct {
	ID   string `json:"id"`
	Card string `json:"card" cloudbus:"secret"`
}

func TestPublishAllocatesNothingForSynchronousHandlers(t *testing.T) {
	b := newBus(t, evbus.Options{})
	evbus.Direct[paid](b)
	calls := 0
	must(t, b.Subscribe("t", func(paid) { calls++ }))
	must(t, b.Subscribe("t", func(any) { calls++ }))
	args := []any{paid{ID: "1"}}
	if allocs := testing.AllocsPerRun(100, func() { b.Publish("t", args...) }); allocs != 0 {
		t.Errorf("%g allocations", allocs)
	}
	if calls != 202 {
		t.Errorf("%d calls, want 202", calls)
	}
}
