package resources_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/memstore"
	"github.com/cloudbus-go/cloudbus/resources/storetest"
)

// watched is an engine in a bubble, whose clock is the bubble's.
type watched struct {
	t       *testing.T
	store   *memstore.Store
	bus     *bus.Bus
	engine  *resources.Engine
	gadgets *resources.Kind[storetest.Gadget]
	began   time.Time
	stop    func()
}

// watch has an engine run on a store until the test ends, or stop is called.
func watch(t *testing.T, store *memstore.Store, opts ...resources.KindOption) *watched {
	t.Helper()
	w := &watched{t: t, store: store, began: time.Now()}
	w.bus = bus.New(bus.Options{Logger: quiet, Source: "test", Journal: store.Journal()})
	var err error
	w.engine, err = resources.New(resources.Options{Store: store, Bus: w.bus, Logger: quiet, Listeners: []resources.Listener{listeners.Post()}})
	if err != nil {
		t.Fatal(err)
	}
	if w.gadgets, err = resources.Register[storetest.Gadget](w.engine, storetest.Machine, opts...); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.engine.Run(ctx) }()
	stopped := false
	w.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := errors.Join(<-ended, w.bus.Close(context.Background())); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(w.stop)
	synctest.Wait()
	return w
}

func (w *watched) create(id string) {
	w.t.Helper()
	if _, err := w.gadgets.Create(w.t.Context(), storetest.Gadget{Object: resources.Object{ID: id, Tenant: "acme"}}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *watched) fire(id, on string) {
	w.t.Helper()
	if _, err := w.gadgets.Fire(w.t.Context(), id, trigger(on)); err != nil {
		w.t.Fatal(err)
	}
}

// later lets time pass.
func (w *watched) later(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// want checks all reports: id, state, when (since the watch began), how often.
func (w *watched) want(want ...string) {
	w.t.Helper()
	var got []string
	records, err := w.store.Journal().Read(w.t.Context(), 0, 100_000)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range records {
		if r.Type != "gadget.stuck" {
			continue
		}
		var s resources.Stuck
		if err := json.Unmarshal(r.Data, &s); err != nil {
			w.t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %s %v %d", s.ResourceID, s.State, r.Time.Sub(w.began), s.Times))
	}
	if !slices.Equal(got, want) {
		w.t.Errorf("reports\n%s, want\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func newStore() *memstore.Store { return memstore.New(memstore.Options{}) }
