package resources_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/memstore"
	"github.com/cloudbus-go/cloudbus/resources/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.DiscardHandler)

// rig is an engine in memory with a clock that the test sets.
type rig struct {
	store   *memstore.Store
	bus     *bus.Bus
	engine  *resources.Engine
	gadgets *resources.Kind[storetest.Gadget]
	clock   *clock
	flaky   *flaky // the store, where a test has its database go away
}

func newRig(t testing.TB, o resources.Options) *rig {
	t.Helper()
	r := &rig{store: memstore.New(memstore.Options{}), clock: &clock{now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}}
	if o.Logger == nil {
		o.Logger = quiet
	}
	if o.Store == nil {
		o.Store = r.store
	}
	r.bus = bus.New(bus.Options{Logger: quiet, Source: "test", Journal: o.Store.Journal()})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := r.bus.Close(ctx); err != nil {
			t.Errorf("close the bus: %v", err)
		}
	})
	o.Bus, o.Now = r.bus, r.clock.read
	o.Listeners = append([]resources.Listener{listeners.Post()}, o.Listeners...)
	var err error
	if r.engine, err = resources.New(o); err != nil {
		t.Fatal(err)
	}
	if r.gadgets, err = resources.Register[storetest.Gadget](r.engine, storetest.Machine); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) create(t testing.TB, g storetest.Gadget) *storetest.Gadget {
	t.Helper()
	made, err := r.gadgets.Create(context.Background(), g)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func (r *rig) fire(t testing.TB, id string, on string, opts ...resources.Option) storetest.GadgetChanged {
	t.Helper()
	c, err := r.gadgets.Fire(context.Background(), id, trigger(on), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (r *rig) get(t testing.TB, id string) *storetest.Gadget {
	t.Helper()
	g, err := r.gadgets.Get(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func (r *rig) records(t testing.TB) []bus.Record {
	t.Helper()
	records, err := r.store.Journal().Read(context.Background(), 0, 100_000)
	if err != nil {
		t.Fatal(err)
	}
	return records
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return c.now
}
