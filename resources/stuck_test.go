package resources_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/memstore"
	"github.com/cloudbus-go/cloudbus/resources/storetest"
)

func TestStuckIsReportedWhenDueAndAfterEachFurtherLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, newStore())
		w.create("a")
		w.later(10 * time.Second)
		w.fire("a", "start_requested") // a minute
		w.later(time.Minute - 1)
		w.want()
		w.later(1)
		w.want("a starting 1m10s 1")
		w.later(time.Minute - 1)
		w.want("a starting 1m10s 1")
		w.later(1)
		w.want("a starting 1m10s 1", "a starting 2m10s 2")
		w.fire("a", "operation_succeeded")
		w.later(time.Hour)
		w.want("a starting 1m10s 1", "a starting 2m10s 2")
	})
}

func TestStuckMovesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, newStore())
		w.create("a")
		w.fire("a", "start_requested")
		before, err := w.gadgets.Get(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		w.later(time.Hour)
		if after, err := w.gadgets.Get(t.Context(), "a"); err != nil || !reflect.DeepEqual(after, before) {
			t.Errorf("after 60 reports: %+v (%v), before: %+v", after, err, before)
		}
	})
}

func TestStuckCountsEachStayAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, newStore())
		w.create("a")
		w.fire("a", "start_requested")
		w.later(90 * time.Second)
		w.fire("a", "operation_failed")
		w.fire("a", "start_requested")
		w.later(59 * time.Second)
		w.want("a starting 1m0s 1")
		w.later(time.Second)
		w.want("a starting 1m0s 1", "a starting 2m30s 1")
	})
}

func TestAMoveToItselfDoesNotEndAStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, newStore())
		w.create("a")
		w.fire("a", "scrap_requested") // an hour
		w.later(40 * time.Minute)
		w.fire("a", "operation_failed") // still scrapping
		w.later(20 * time.Minute)
		w.want("a scrapping 1h0m0s 1")
		w.fire("a", "operation_failed")
		w.later(time.Hour)
		w.want("a scrapping 1h0m0s 1", "a scrapping 2h0m0s 2")
	})
}

func TestStuckAcrossRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore()
		w := watch(t, store)
		began := w.began
		w.create("a")
		w.create("done")
		w.fire("a", "start_requested")
		w.fire("done", "start_requested")
		w.later(61 * time.Second)
		w.want("a starting 1m0s 1", "done starting 1m0s 1")
		w.stop()
		time.Sleep(4 * time.Minute) // four limits pass meanwhile, of which one report is made

		w = watch(t, store)
		w.began = began
		w.want("a starting 1m0s 1", "done starting 1m0s 1", "a starting 5m0s 2", "done starting 5m0s 2")
		w.fire("done", "operation_succeeded")
		w.stop()
		w = watch(t, store)
		w.began = began
		w.later(time.Minute)
		w.want("a starting 1m0s 1", "done starting 1m0s 1", "a starting 5m0s 2", "done starting 5m0s 2", "a starting 6m0s 3")
	})
}

func TestStuckIsReportedByOneOfSeveralServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore()
		w := watch(t, store)
		other, err := resources.New(resources.Options{Store: store, Bus: w.bus, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := resources.Register[storetest.Gadget](other, storetest.Machine); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error)
		go func() { ended <- other.Run(ctx) }()
		w.create("a")
		w.fire("a", "start_requested")
		w.later(2 * time.Minute)
		w.want("a starting 1m0s 1", "a starting 2m0s 2")
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestLimitOfTheEmbedder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, newStore(), resources.Limit(storetest.Starting, 5*time.Second))
		for i := range 3 {
			w.create(fmt.Sprint(i))
			w.fire(fmt.Sprint(i), "start_requested")
			w.later(time.Second)
		}
		w.later(5 * time.Second)
		w.want("0 starting 5s 1", "1 starting 6s 1", "2 starting 7s 1")
	})
}

func TestALimitThatWasChangedCountsFromTheLastReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore()
		w := watch(t, store)
		began := w.began
		w.create("a")
		w.fire("a", "start_requested")
		w.later(time.Minute)
		w.stop()
		w = watch(t, store, resources.Limit(storetest.Starting, 3*time.Minute))
		w.began = began
		w.later(3*time.Minute - 1)
		w.want("a starting 1m0s 1")
		w.later(1)
		w.want("a starting 1m0s 1", "a starting 3m0s 2") // the end of the limit that has passed
	})
}

func TestStuckEventSaysWhatIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, newStore())
		heard := make(chan bus.Event[resources.Stuck], 1)
		_, err := bus.Subscribe(w.bus.Client("test"), func(_ context.Context, e bus.Event[resources.Stuck]) error {
			heard <- e
			return nil
		}, bus.Type("gadget.stuck"))
		if err != nil {
			t.Fatal(err)
		}
		changes := 0
		_, err = bus.Subscribe(w.bus.Client("test"), func(context.Context, bus.Event[resources.AnyChanged]) error {
			changes++
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		w.create("a")
		began, err := w.gadgets.Fire(t.Context(), "a", storetest.StartRequested)
		if err != nil {
			t.Fatal(err)
		}
		w.later(time.Minute)
		e := <-heard
		want := resources.Stuck{
			Kind: "gadget", ResourceID: "a", Tenant: "acme", State: storetest.Starting, Origin: storetest.Off, Operation: began.ID,
			Since: began.Time, Limit: time.Minute, Times: 1, Version: 2,
		}
		if e.Payload != want {
			t.Errorf("payload %+v, want %+v", e.Payload, want)
		}
		if e.Subject() != "gadget/a" || e.Tenant != "acme" || e.Version != 2 || e.CausationID != began.ID.String() || !e.Time.Equal(w.began.Add(time.Minute)) {
			t.Errorf("header %+v", e.Header)
		}
		if changes != 2 {
			t.Errorf("%d changes were heard, want 2: a report is none", changes)
		}
	})
}

func TestRunIsOneGoroutineForAllResources(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, newStore())
		before := runtime.NumGoroutine()
		for i := range 2000 {
			id := fmt.Sprint(i)
			w.create(id)
			w.fire(id, "start_requested")
		}
		if after := runtime.NumGoroutine(); after > before {
			t.Errorf("%d goroutines for 2,000 resources in an operation, %d before", after, before)
		}
		w.later(time.Minute)
		records, err := w.store.Journal().Read(t.Context(), 4000, 10_000)
		if err != nil || len(records) != 2000 {
			t.Errorf("%d reports (%v), want 2,000", len(records), err)
		}
	})
}

func TestRunRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, newStore())
		if err := w.engine.Run(t.Context()); !errors.Is(err, resources.ErrRunning) {
			t.Errorf("twice at a time: %v, want ErrRunning", err)
		}
		w.stop()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := w.engine.Run(ctx); err != nil {
			t.Errorf("again, with a context that has ended: %v", err)
		}
	})
}

// failing is a store that can't be asked what is due.
type failing struct {
	*memstore.Store
	fails atomic.Bool
}

func (f *failing) Overdue(ctx context.Context, k *resources.Info, s fsm.State, until time.Time, n int) ([]any, error) {
	if f.fails.Load() {
		return nil, errors.New("no database today")
	}
	return f.Store.Overdue(ctx, k, s, until, n)
}

func TestRunGoesOnWhenTheStoreFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &failing{Store: newStore()}
		store.fails.Store(true)
		b := bus.New(bus.Options{Logger: quiet, Source: "test", Journal: store.Journal()})
		var said strings.Builder
		engine, err := resources.New(resources.Options{
			Store: store, Bus: b, Logger: slog.New(slog.NewTextHandler(&said, nil)), Listeners: []resources.Listener{listeners.Post()},
		})
		if err != nil {
			t.Fatal(err)
		}
		gadgets, err := resources.Register[storetest.Gadget](engine, storetest.Machine)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error)
		go func() { ended <- engine.Run(ctx) }()
		w := &watched{t: t, store: store.Store, bus: b, engine: engine, gadgets: gadgets, began: time.Now()}
		w.create("a")
		w.fire("a", "start_requested")
		w.later(2 * time.Minute)
		if w.want(); !strings.Contains(said.String(), "no database today") {
			t.Errorf("the log says %q", said.String())
		}
		store.fails.Store(false)
		w.later(10 * time.Second)
		w.want("a starting 2m0s 1")
		cancel()
		if err := errors.Join(<-ended, b.Close(context.Background())); err != nil {
			t.Error(err)
		}
	})
}
