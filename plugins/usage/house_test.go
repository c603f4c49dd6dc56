package usage_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/plugins/usage"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres/postgrestest"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time { return noon.Add(time.Duration(seconds * float64(time.Second))) }

// house is a server with a ledger.
type house struct {
	t       testing.TB
	store   *gormstore.Store
	bus     *bus.Bus
	vms     *resources.Kind[vm.VM]
	manager *plugins.Manager
	ledger  *usage.Plugin
	now     time.Time
	options usage.Options
}

func openStore(t testing.TB) (*gormstore.Store, *bus.Bus) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	var store *gormstore.Store
	var err error
	if postgrestest.On() {
		store, err = postgres.Open(postgrestest.Schema(t), postgres.Options{Logger: log})
	} else {
		store, err = sqlite.Open(filepath.Join(t.TempDir(), "test.db"), sqlite.Options{Logger: log})
	}
	if err != nil {
		t.Fatal(err)
	}
	b := bus.New(bus.Options{Logger: log, Journal: store.Journal()})
	t.Cleanup(func() {
		if err := errors.Join(b.Close(context.Background()), store.Close(context.Background())); err != nil {
			t.Error(err)
		}
	})
	return store, b
}

func newVMs(t testing.TB, store *gormstore.Store, b *bus.Bus) *resources.Kind[vm.VM] {
	t.Helper()
	vms, err := resources.Register[vm.VM](newEngine(t, store, b), vm.Machine)
	if err != nil {
		t.Fatal(err)
	}
	return vms
}

func newEngine(t testing.TB, store *gormstore.Store, b *bus.Bus) *resources.Engine {
	t.Helper()
	engine, err := resources.New(resources.Options{Store: store, Bus: b, Listeners: []resources.Listener{listeners.Post()}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return engine
}

func open(t testing.TB) *house {
	t.Helper()
	h := &house{t: t, now: at(3600)}
	h.store, h.bus = openStore(t)
	h.vms = newVMs(t, h.store, h.bus)
	h.start()
	return h
}

func (h *house) start() {
	h.t.Helper()
	h.ledger = usage.New(h.options)
	var err error
	h.manager, err = plugins.NewManager(plugins.Options{Bus: h.bus, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return h.now }})
	if err != nil {
		h.t.Fatal(err)
	}
	if err := h.manager.Add(h.ledger, plugins.Required()); err != nil {
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

func (h *house) create(tenant string, cpus int, when time.Time) string {
	h.t.Helper()
	v, err := h.vms.Create(h.t.Context(), vm.VM{Object: resources.Object{Tenant: tenant}, CPUs: cpus, MemoryMiB: 1024}, resources.At(when))
	if err != nil {
		h.t.Fatal(err)
	}
	return v.ID
}

func (h *house) fire(id string, on fsm.Trigger, when time.Time, opts ...resources.Option) {
	h.t.Helper()
	if _, err := h.vms.Fire(h.t.Context(), id, on, append(opts, resources.At(when))...); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) settle() {
	h.t.Helper()
	if err := h.bus.Flush(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) totals(q usage.Query) map[string]string {
	h.t.Helper()
	h.settle()
	totals, err := h.ledger.Totals(h.t.Context(), q)
	if err != nil {
		h.t.Fatal(err)
	}
	got := make(map[string]string)
	for meter, total := range totals {
		text, err := json.Marshal(total)
		if err != nil {
			h.t.Fatal(err)
		}
		got[meter] = string(text)
	}
	return got
}

func (h *house) want(q usage.Query, want map[string]string) {
	h.t.Helper()
	got := h.totals(q)
	for meter, text := range want {
		if got[meter] != text {
			h.t.Errorf("%s: %s, want %s", meter, got[meter], text)
		}
	}
	if len(got) != len(want) {
		h.t.Errorf("totals %v, want %v", got, want)
	}
}
