package alerts_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/plugins/alerts"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres/postgrestest"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// A step of a random walk takes several transactions here: 40 walks, where rapid would take 100. The flag says otherwise.
	if err := flag.Set("rapid.checks", "40"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// clock is moved by tests.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// house is a server that is being watched.
type house struct {
	t       testing.TB
	clock   *clock
	store   *gormstore.Store
	bus     *bus.Bus
	engine  *resources.Engine
	vms     *resources.Kind[vm.VM]
	manager *plugins.Manager
	watch   *alerts.Plugin
}

func openStore(t testing.TB, now func() time.Time) (*gormstore.Store, *bus.Bus) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	var store *gormstore.Store
	var err error
	if postgrestest.On() {
		store, err = postgres.Open(postgrestest.Schema(t), postgres.Options{Logger: log, Now: now})
	} else {
		store, err = sqlite.Open(filepath.Join(t.TempDir(), "test.db"), sqlite.Options{Logger: log, Now: now})
	}
	if err != nil {
		t.Fatal(err)
	}
	b := bus.New(bus.Options{Logger: log, Journal: store.Journal(), Now: now})
	t.Cleanup(func() {
		if err := errors.Join(b.Close(context.Background()), store.Close(context.Background())); err != nil {
			t.Error(err)
		}
	})
	return store, b
}

func newVMs(t testing.TB, store *gormstore.Store, b *bus.Bus, opts ...resources.KindOption) (*resources.Engine, *resources.Kind[vm.VM]) {
	t.Helper()
	engine, err := resources.New(resources.Options{Store: store, Bus: b, Listeners: []resources.Listener{listeners.Post()}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	vms, err := resources.Register[vm.VM](engine, vm.Machine, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return engine, vms
}

// run has the engine report what is stuck by itself, until the test ends.
func (h *house) run() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- h.engine.Run(ctx) }()
	h.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			h.t.Error(err)
		}
	})
}

func open(t testing.TB, config string) *house {
	t.Helper()
	h := &house{t: t, clock: &clock{t: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}}
	h.store, h.bus = openStore(t, h.clock.now)
	h.engine, h.vms = newVMs(t, h.store, h.bus)
	h.start(config)
	return h
}

func (h *house) start(config string) {
	h.t.Helper()
	h.watch = alerts.New(alerts.Options{})
	var err error
	h.manager, err = plugins.NewManager(plugins.Options{
		Bus: h.bus, Logger: slog.New(slog.DiscardHandler), Config: map[string]json.RawMessage{alerts.Name: json.RawMessage(config)},
	})
	if err != nil {
		h.t.Fatal(err)
	}
	if err := h.manager.Add(h.watch, plugins.Required()); err != nil {
		h.t.Fatal(err)
	}
	if err := h.manager.Start(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	m := h.manager
	h.t.Cleanup(func() {
		if err := m.Close(context.Background()); err != nil {
			h.t.Error(err)
		}
	})
}

func (h *house) stop() {
	h.t.Helper()
	if err := h.manager.Close(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) create() string {
	h.t.Helper()
	v, err := h.vms.Create(h.t.Context(), vm.VM{Object: resources.Object{Tenant: "acme"}})
	if err != nil {
		h.t.Fatal(err)
	}
	return v.ID
}

func (h *house) fire(id string, triggers ...fsm.Trigger) {
	h.t.Helper()
	for _, on := range triggers {
		if _, err := h.vms.Fire(h.t.Context(), id, on); err != nil {
			h.t.Fatal(err)
		}
	}
}

// outcomes makes so many operations of a new VM succeed and fail.
func (h *house) outcomes(succeed, fail int) {
	h.t.Helper()
	id := h.create()
	for range fail {
		h.fire(id, vm.StartRequested, vm.OperationFailed)
	}
	for range succeed {
		h.fire(id, vm.MigrationRequested, vm.OperationSucceeded)
	}
	h.settle()
}

func (h *house) settle() {
	h.t.Helper()
	if err := h.bus.Flush(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

// later lets time pass, and engine and plugin look at the clock.
func (h *house) later(d time.Duration) {
	h.t.Helper()
	h.settle()
	h.clock.add(d)
	if _, err := h.engine.ReportStuck(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	h.settle()
	if err := h.watch.CheckNow(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

// alerts lists all alerts, the oldest first, as "name count active|cleared".
func (h *house) alerts() []string {
	h.t.Helper()
	found, _, err := h.watch.List(h.t.Context(), alerts.Query{})
	if err != nil {
		h.t.Fatal(err)
	}
	got := []string{}
	for _, a := range slices.Backward(found) {
		state := "active"
		if !a.ClearedAt.IsZero() {
			state = "cleared"
		}
		got = append(got, fmt.Sprintf("%s %d %s", a.Name, a.Count, state))
	}
	return got
}

func (h *house) want(want ...string) {
	h.t.Helper()
	if got := h.alerts(); !slices.Equal(got, want) {
		h.t.Errorf("alerts %q, want %q", got, want)
	}
}

// events lists the types of recorded alert events.
func (h *house) events() []string {
	h.t.Helper()
	records, err := h.bus.Journal().(*journal.Journal).Query(h.t.Context(), journal.Query{Type: "alert.>"})
	if err != nil {
		h.t.Fatal(err)
	}
	var types []string
	for _, r := range records {
		types = append(types, r.Type)
	}
	return types
}
