package bus_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

func TestInspectionOfASubscription(t *testing.T) {
	inBubble(t, func(w *world) {
		gate := make(chan struct{})
		sub := w.subscribe(func(_ context.Context, e bus.Event[noted]) error {
			if e.Payload.N == 2 {
				time.Sleep(3 * time.Second)
				return errors.New("two")
			}
			if e.Payload.N == 3 {
				<-gate
			}
			return nil
		}, bus.Name("watched"), bus.Queue(16, bus.DropNewest), bus.Type("test.>"), bus.Tenant("acme"), bus.Resource("vm", "42"), bus.Where(func(bus.Header) bool { return true }))
		for n := range 5 {
			w.publish(noted{N: n + 1, Tenant: "acme", VM: "42"})
		}
		time.Sleep(10 * time.Second)
		i := sub.Inspect()
		i.Site, i.Number = "", 0
		err := i.Err
		i.Err = nil
		want := bus.Info{
			Name: "watched", Client: "client", Payload: "bus_test.noted", Filter: "type=test.> tenant=acme resource=vm/42 where=1",
			Kind: "live", Policy: "DropNewest", State: "running", Lanes: 1, Capacity: 16,
			Depth: 2, OldestFor: 10 * time.Second, RunningFor: 7 * time.Second,
			Delivered: 1, Failed: 1, Slowest: 3 * time.Second, SlowestFor: "test.noted",
		}
		if i != want || err == nil || err.Error() != "two" {
			t.Errorf("inspection\n got %+v, %v\nwant %+v", i, err, want)
		}
		if all := w.b.Inspect(); !slices.Equal(all.Clients, []string{"client"}) || len(all.Subscriptions) != 1 || all.Subscriptions[0].Name != "watched" {
			t.Errorf("inspection of the bus %+v", all)
		}
		close(gate)
	})
}

func TestInspectionCountsWhatWasPublished(t *testing.T) {
	inBubble(t, func(w *world) {
		want := func(n uint64) {
			t.Helper()
			if got := w.b.Inspect().Published; got != n {
				t.Errorf("%d published, want %d", got, n)
			}
		}
		want(0)
		for n := range uint64(40) {
			w.publish(noted{N: int(n)})
			want(n + 1)
		}
		if err := bus.Publish(w.t.Context(), w.c, noted{Tenant: "a\nb"}); err == nil {
			t.Error("published a tenant with a line break")
		}
		want(40)
		var p bus.Payload = noted{N: 1}
		if err := bus.Publish(w.t.Context(), w.c, p); err != nil {
			t.Fatal(err)
		}
		want(41)
		w.subscribe(func(context.Context, bus.Event[noted]) error { return nil })
		w.record(upTo(1, 20)...) // recorded events are the journal's
		w.flush()
		want(41)
	})
}

// A type that is published as a Payload first, and by its name later, is counted on.
func TestInspectionCountsATypeThatIsNamedLater(t *testing.T) {
	inBubble(t, func(w *world) {
		var p bus.Payload = lateNoted{}
		for range 3 {
			if err := bus.Publish(w.t.Context(), w.c, p); err != nil {
				t.Fatal(err)
			}
		}
		if err := bus.Publish(w.t.Context(), w.c, lateNoted{}); err != nil {
			t.Fatal(err)
		}
		if n := w.b.Inspect().Published; n != 4 {
			t.Errorf("%d published, want 4", n)
		}
	})
}

type lateNoted struct{}

func (lateNoted) EventType() string { return "test.late" }

func TestInspectionWhileHandlersRun(t *testing.T) {
	b := newBus(t, nil)
	c := b.Client("client")
	handled := make(chan struct{})
	sub, err := bus.Subscribe(c, func(context.Context, bus.Event[noted]) error { handled <- struct{}{}; return nil })
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 20_000 {
			_ = bus.Publish(t.Context(), c, noted{})
			<-handled
		}
	}()
	for {
		select {
		case <-done:
			return
		default:
			if i := sub.Inspect(); i.Depth > 1 {
				t.Errorf("inspection %+v", i)
			}
		}
	}
}

func TestInspectionOfAReadersLag(t *testing.T) {
	inBubble(t, func(w *world) {
		s := held()
		sub := w.subscribe(s.handle, bus.Durable("d"), bus.Queue(2, bus.Policy{}))
		w.record(upTo(1, 10)...)
		s.gate <- struct{}{}
		synctest.Wait()
		if i := sub.Inspect(); i.Kind != "durable" || i.Position != 1 || i.Lag != 9 || i.Depth != 2 || i.Policy != "" {
			t.Errorf("inspection %+v; want durable at 1, 9 behind, 2 queued", i)
		}
		if i := w.b.Inspect(); i.JournalLast != 10 || i.JournalShown != 10 {
			t.Errorf("journal %d, %d; want 10, 10", i.JournalLast, i.JournalShown)
		}
		close(s.gate)
	})
}

func TestInspectionTapThatNobodyReadsStallsNobody(t *testing.T) {
	inBubble(t, func(w *world) {
		unread, read := w.b.Tap(2), w.b.Tap(100)
		s := &sink{}
		w.subscribe(s.handle)
		for n := range 10 {
			w.publish(noted{N: n})
		}
		w.record(10)
		w.flush()
		if len(s.numbers()) != 11 || unread.Missed() != 9 {
			t.Errorf("handled %d, tap missed %d; want 11, 9", len(s.numbers()), unread.Missed())
		}
		read.Close()
		read.Close()
		n, seq := 0, uint64(0)
		for h := range read.Headers() {
			n++
			seq = h.Seq
		}
		if n != 11 || seq != 1 {
			t.Errorf("the tap showed %d headers, the last with number %d; want 11, 1", n, seq)
		}
		unread.Close()
		w.publish(noted{})
	})
}

func TestInspectionNamesOfClientsAndSubscriptions(t *testing.T) {
	inBubble(t, func(w *world) {
		second, third := w.b.Client("client"), w.b.Client("client")
		if second.Name() != "client-2" || third.Name() != "client-3" {
			t.Errorf("names %q, %q; want client-2, client-3", second.Name(), third.Name())
		}
		if lines := w.log.lines("name is taken"); len(lines) != 2 {
			t.Errorf("%d warnings, want one each", len(lines))
		}
		a, b, d := w.subscribe(ignore[noted]), w.subscribe(ignore[noted]), w.subscribe(ignore[noted], bus.Durable("mailer"))
		if a.Name() != "client/1" || b.Name() != "client/2" || d.Name() != "mailer" {
			t.Errorf("names %q, %q, %q", a.Name(), b.Name(), d.Name())
		}
	})
}

func TestInspectionAroundWrapsEachCall(t *testing.T) {
	inBubble(t, func(w *world) {
		w.close()
		var calls []string
		w.b = bus.New(bus.Options{Journal: w.j, Around: func(ctx context.Context, name string, h bus.Header, next func(context.Context) error) error {
			type key struct{}
			err := next(context.WithValue(ctx, key{}, 1))
			calls = append(calls, name+" "+h.Type)
			return err
		}})
		if err := bus.Register[noted](w.b, "test.>", 1); err != nil {
			t.Fatal(err)
		}
		w.c = w.b.Client("c")
		w.subscribe(func(ctx context.Context, e bus.Event[noted]) error {
			if h, ok := bus.Cause(ctx); !ok || h != e.Header {
				t.Error("the cause is lost in a derived context")
			}
			return nil
		}, bus.Name("wrapped"))
		events, err := bus.Channel[noted](w.t.Context(), w.c)
		if err != nil {
			t.Fatal(err)
		}
		w.publish(noted{})
		<-events
		w.flush()
		if !slices.Equal(calls, []string{"wrapped test.noted"}) { // a channel has no handler
			t.Errorf("calls %v", calls)
		}
	})
}
