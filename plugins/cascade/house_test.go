package cascade_test

import (
	"context"
	"encoding/json"
	"errors"
	"expvar"
	"log/slog"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/plugins/cascade"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/all"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres/postgrestest"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
	"github.com/cloudbus-go/cloudbus/resources/nic"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"github.com/cloudbus-go/cloudbus/resources/volume"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.DiscardHandler)

// house is a server with all kinds, a guard and the plugin.
type house struct {
	t         testing.TB
	store     *gormstore.Store
	bus       *bus.Bus
	engine    *resources.Engine
	guard     *cascade.Guard
	manager   *plugins.Manager
	options   cascade.Options
	config    string
	listeners []resources.Listener
}

func openStore(t testing.TB) *gormstore.Store {
	t.Helper()
	var store *gormstore.Store
	var err error
	if postgrestest.On() {
		store, err = postgres.Open(postgrestest.Schema(t), postgres.Options{Logger: quiet})
	} else {
		store, err = sqlite.Open(filepath.Join(t.TempDir(), "test.db"), sqlite.Options{Logger: quiet})
	}
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func open(t testing.TB, o cascade.Options, extra ...resources.Listener) *house {
	t.Helper()
	h := &house{t: t, store: openStore(t), options: o, listeners: extra}
	h.serve()
	return h
}

// serve builds an engine on the house's store.
func (h *house) serve() {
	h.t.Helper()
	h.bus = bus.New(bus.Options{Logger: quiet, Journal: h.store.Journal()})
	h.t.Cleanup(func() {
		if err := errors.Join(h.bus.Close(context.Background()), h.store.Close(context.Background())); err != nil {
			h.t.Error(err)
		}
	})
	var err error
	if h.guard, err = cascade.NewGuard(cascade.DefaultForbids()...); err != nil {
		h.t.Fatal(err)
	}
	h.engine, err = resources.New(resources.Options{
		Store: h.store, Bus: h.bus, Logger: quiet, Listeners: append([]resources.Listener{listeners.Post(), h.guard}, h.listeners...),
	})
	if err != nil {
		h.t.Fatal(err)
	}
	if err := all.Register(h.engine); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) start() error {
	h.t.Helper()
	var err error
	h.manager, err = plugins.NewManager(plugins.Options{Bus: h.bus, Logger: quiet, Config: configOf(h.config)})
	if err != nil {
		h.t.Fatal(err)
	}
	h.options.Guard = h.guard
	if err := h.manager.Add(cascade.New(h.engine, h.options), plugins.Required()); err != nil {
		h.t.Fatal(err)
	}
	if err := h.manager.Start(h.t.Context()); err != nil {
		return err
	}
	h.t.Cleanup(h.stop)
	return nil
}

func configOf(section string) map[string]json.RawMessage {
	if section == "" {
		return nil
	}
	return map[string]json.RawMessage{cascade.Name: json.RawMessage(section)}
}

func (h *house) mustStart() {
	h.t.Helper()
	if err := h.start(); err != nil {
		h.t.Fatal(err)
	}
}

// stop may be called twice.
func (h *house) stop() {
	h.t.Helper()
	if h.manager == nil {
		return
	}
	if err := h.manager.Close(context.Background()); err != nil {
		h.t.Error(err)
	}
	h.manager = nil
}

func (h *house) kind(name string) *resources.Handle {
	h.t.Helper()
	k, err := h.engine.Kind(name)
	if err != nil {
		h.t.Fatal(err)
	}
	return k
}

// make creates resources: *T of their kinds.
func (h *house) make(objs ...any) {
	h.t.Helper()
	for _, obj := range objs {
		for _, name := range h.engine.Kinds() {
			if k := h.kind(name); k.Info().Type == typeOf(obj) {
				if _, err := k.Create(h.t.Context(), obj); err != nil {
					h.t.Fatal(err)
				}
			}
		}
	}
}

// fire fires triggers at a resource, one after the other.
func (h *house) fire(kind, id string, on ...fsm.Trigger) {
	h.t.Helper()
	for _, t := range on {
		if _, err := h.kind(kind).Fire(h.t.Context(), id, t, resources.Actor("user:42")); err != nil {
			h.t.Fatal(err)
		}
	}
}

func (h *house) state(kind, id string) fsm.State {
	h.t.Helper()
	obj, err := h.kind(kind).Get(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return resources.ObjectOf(obj).State
}

// want checks states: nic/n1 = releasing.
func (h *house) want(states map[string]fsm.State) {
	h.t.Helper()
	for name, want := range states {
		kind, id, _ := strings.Cut(name, "/")
		if got := h.state(kind, id); got != want {
			h.t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

// settle waits until nothing follows from anything any more.
func (h *house) settle() {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), time.Minute)
	defer cancel()
	for last := uint64(0); ; {
		if err := h.bus.Flush(ctx); err != nil {
			h.t.Fatal(err)
		}
		_, head, err := h.store.Journal().Bounds(ctx)
		if err != nil {
			h.t.Fatal(err)
		}
		if head == last {
			return
		}
		last = head
	}
}

func (h *house) count(what string) string {
	h.t.Helper()
	return h.manager.Metrics().Get(cascade.Name).(*expvar.Map).Get(what).String()
}

func typeOf(obj any) reflect.Type { return reflect.TypeOf(obj).Elem() }

// cloud makes a VM that runs, with a NIC that is reserved, a root and a data volume.
func (h *house) cloud(id string) {
	h.t.Helper()
	object := func(suffix string) resources.Object { return resources.Object{ID: id + suffix, Tenant: "acme"} }
	h.make(&vm.VM{Object: object("")},
		&nic.NIC{Object: object("-nic"), VMID: id},
		&volume.Volume{Object: object("-root"), VMID: id, DeviceID: 0},
		&volume.Volume{Object: object("-data"), VMID: id, DeviceID: 1})
	h.fire("vm", id, vm.StartRequested, vm.OperationSucceeded)
	h.fire("nic", id+"-nic", nic.ReservationRequested, nic.OperationSucceeded)
	for _, v := range []string{"-root", "-data"} {
		h.fire("volume", id+v, volume.CreateRequested, volume.OperationSucceeded)
	}
}

func decode(data []byte, c *resources.Change) error { return json.Unmarshal(data, c) }
