package cascade_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/plugins/cascade"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/all"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres/postgrestest"
	"github.com/cloudbus-go/cloudbus/resources/memstore"
	"github.com/cloudbus-go/cloudbus/resources/network"
	"github.com/cloudbus-go/cloudbus/resources/nic"
	"github.com/cloudbus-go/cloudbus/resources/snapshot"
	"github.com/cloudbus-go/cloudbus/resources/template"
	"github.com/cloudbus-go/cloudbus/resources/volume"
)

// TestNothingIsMadeFromWhatIsGone: a volume that named a template or a snapshot while that was there can't be made from it any more.
func TestNothingIsMadeFromWhatIsGone(t *testing.T) {
	h := open(t, cascade.Options{})
	h.make(&snapshot.Snapshot{Object: object("s")}, &template.Template{Object: resources.Object{ID: "i", State: template.Active}},
		&volume.Volume{Object: object("of-s"), SnapshotID: "s"}, &volume.Volume{Object: object("of-i"), TemplateID: "i"})
	refused := func(id, target string) {
		t.Helper()
		_, err := h.kind("volume").Fire(t.Context(), id, volume.CreateRequested)
		var forbidden *cascade.ForbiddenError
		if !errors.As(err, &forbidden) || !forbidden.There || !strings.Contains(err.Error(), target) {
			t.Errorf("%s: %v, want a ForbiddenError that says %s", id, err, target)
		}
	}
	h.fire("snapshot", "s", snapshot.DestroyRequested)
	refused("of-s", `snapshot/s is "destroying"`)
	h.fire("snapshot", "s", snapshot.OperationSucceeded)
	refused("of-s", `snapshot/s is "deleted"`)
	h.fire("template", "i", template.DeactivateRequested, template.DeleteRequested)
	refused("of-i", `template/i is "deleted"`)
}

// guarded builds an engine with the default guard on a store.
func guarded(t *testing.T, store resources.Store) *resources.Engine {
	t.Helper()
	b := bus.New(bus.Options{Logger: quiet, Journal: store.Journal()})
	t.Cleanup(func() {
		if err := b.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	g, err := cascade.NewGuard(cascade.DefaultForbids()...)
	if err != nil {
		t.Fatal(err)
	}
	e, err := resources.New(resources.Options{Store: store, Bus: b, Logger: quiet, Listeners: []resources.Listener{listeners.Post(), g}})
	if err == nil {
		err = all.Register(e)
	}
	if err == nil {
		err = g.Check(e)
	}
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestNetworkInUse: the veto names who stands in the way, and the other way round.
func TestNetworkInUse(t *testing.T) {
	h := open(t, cascade.Options{})
	h.make(&network.Network{Object: object("lan")})
	for i := range 12 {
		h.make(&nic.NIC{Object: object(fmt.Sprintf("n%02d", i)), NetworkID: "lan"})
		h.fire("nic", fmt.Sprintf("n%02d", i), nic.ReservationRequested)
	}
	fire := func(kind, id string, on fsm.Trigger) error {
		_, err := h.kind(kind).Fire(t.Context(), id, on)
		return err
	}
	err := fire("network", "lan", network.DeleteRequested)
	var veto *resources.VetoError
	var forbidden *cascade.ForbiddenError
	if !errors.As(err, &veto) || veto.Listener != cascade.GuardName || !errors.As(err, &forbidden) || len(forbidden.Holders) != 10 || !forbidden.More {
		t.Fatalf("delete: %v, want a veto that names ten NICs", err)
	}
	const want = `resources: network/lan: listener "cascade" vetoed "delete_requested": network/lan can't become "deleted" while it is held by ` +
		`nic/n00 (reserving), nic/n01 (reserving), `
	if !strings.HasPrefix(err.Error(), want) || !strings.HasSuffix(err.Error(), "nic/n09 (reserving) and more (network_id, rule network_in_use): release them first") {
		t.Errorf("it says %s", err)
	}
	for i := range 12 {
		h.fire("nic", fmt.Sprintf("n%02d", i), nic.CancelRequested)
	}
	h.fire("network", "lan", network.ImplementRequested, network.OperationSucceeded, network.ShutdownRequested)
	if err := fire("nic", "n00", nic.ReservationRequested); !errors.As(err, &forbidden) || !forbidden.There ||
		!strings.Contains(err.Error(), `network/lan is "shutting_down": nic/n00 can't be "reserving" there (network_id, rule network_in_use)`) {
		t.Errorf("reserve in a network that is being shut down: %v", err)
	}
	h.fire("network", "lan", network.OperationSucceeded)
	h.fire("nic", "n00", nic.ReservationRequested, nic.OperationSucceeded)
	// Facts are never refused: a network whose implementation failed is taken down whatever is in it.
	h.fire("network", "lan", network.ImplementRequested, network.OperationFailed)
	h.want(map[string]fsm.State{"network/lan": network.ShuttingDown})
	h.fire("nic", "n00", nic.ReleaseRequested, nic.OperationFailed, nic.ReleaseRequested, nic.OperationSucceeded)
	h.fire("network", "lan", network.OperationSucceeded, network.DeleteRequested)
	if err := fire("nic", "n00", nic.ReservationRequested); !errors.As(err, &forbidden) {
		t.Errorf("reserve in a network that is deleted: %v", err)
	}
}

// race has networks deleted, or shut down, by one engine while NICs are reserved in them by another. Never both.
func race(t *testing.T, networks, nics *resources.Engine) {
	net, err := networks.Kind("network")
	nic1, err2 := nics.Kind("nic")
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	const rounds, callers = 60, 3
	gone, held := 0, 0
	for n := range rounds {
		id := fmt.Sprint("net", n)
		if _, err := net.Create(t.Context(), &network.Network{Object: object(id)}); err != nil {
			t.Fatal(err)
		}
		on, to := network.DeleteRequested, network.Deleted
		if n%2 == 1 {
			on, to = network.ShutdownRequested, network.ShuttingDown
			for _, on := range []fsm.Trigger{network.ImplementRequested, network.OperationSucceeded} {
				if _, err := net.Fire(t.Context(), id, on); err != nil {
					t.Fatal(err)
				}
			}
		}
		for i := range callers {
			if _, err := nic1.Create(t.Context(), &nic.NIC{Object: object(fmt.Sprint(id, "-", i)), NetworkID: id}); err != nil {
				t.Fatal(err)
			}
		}
		var wg sync.WaitGroup
		begin := make(chan struct{})
		errs := make([]error, callers+1)
		for i := range errs {
			wg.Go(func() {
				<-begin
				if i == callers {
					_, errs[i] = net.Fire(context.Background(), id, on)
				} else {
					_, errs[i] = nic1.Fire(context.Background(), fmt.Sprint(id, "-", i), nic.ReservationRequested)
				}
			})
		}
		close(begin)
		wg.Wait()
		reserved := 0
		for i, err := range errs {
			var forbidden *cascade.ForbiddenError
			if err != nil && !errors.As(err, &forbidden) {
				t.Errorf("caller %d: %v", i, err)
			}
			if i < callers && err == nil {
				reserved++
			}
		}
		left := errs[callers] == nil
		obj, err := net.Get(t.Context(), id)
		if err != nil || (obj.(*network.Network).State == to) != left {
			t.Fatalf("%+v, %v", obj, err)
		}
		if left == (reserved > 0) {
			t.Errorf("round %d: the network has left: %v, and %d NICs are reserved in it", n, left, reserved)
		}
		if left {
			gone++
		} else {
			held++
		}
	}
	t.Logf("%d networks went, %d were held", gone, held)
}

func TestNetworksAndNICsRace(t *testing.T) {
	t.Run("memory", func(t *testing.T) {
		e := guarded(t, memstore.New(memstore.Options{}))
		race(t, e, e)
	})
	t.Run("database", func(t *testing.T) { // SQLite; once more on PostgreSQL
		store := openStore(t)
		t.Cleanup(func() { _ = store.Close(context.Background()) })
		e := guarded(t, store)
		race(t, e, e)
	})
	t.Run("two servers", func(t *testing.T) {
		dsn := postgrestest.Schema(t)
		serve := func() *resources.Engine {
			store, err := postgres.Open(dsn, postgres.Options{Logger: quiet})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = store.Close(context.Background()) })
			return guarded(t, store)
		}
		race(t, serve(), serve())
	})
}

func TestWrongForbids(t *testing.T) {
	right := cascade.DefaultForbids()[0]
	for name, test := range map[string]struct {
		spoil func(*cascade.Forbid)
		want  string
	}{
		"no name":       {func(f *cascade.Forbid) { f.Name = "" }, "option forbid[0].name"},
		"no states":     {func(f *cascade.Forbid) { f.States = nil }, "option forbid.network_in_use.states is missing"},
		"no kind":       {func(f *cascade.Forbid) { f.Name, f.Kind = "mine", "netwrk" }, `option forbid.mine.kind "netwrk" is no registered kind (allowed: cluster, container,`},
		"no other":      {func(f *cascade.Forbid) { f.Name, f.While = "mine", "nick" }, `option forbid.mine.while "nick" is no registered kind`},
		"no relation":   {func(f *cascade.Forbid) { f.By = "mac" }, `by "mac" is no relation of nic to network (allowed: network_id)`},
		"other kind":    {func(f *cascade.Forbid) { f.By = "vm_id" }, `by "vm_id" is no relation of nic to network (allowed: network_id)`},
		"no state":      {func(f *cascade.Forbid) { f.To = fsm.States("gone") }, `to "gone" is no state of network (allowed: allocated, setup,`},
		"no trigger":    {func(f *cascade.Forbid) { f.On = []fsm.Trigger{"drop"} }, `on "drop" is no trigger of network (allowed:`},
		"no held state": {func(f *cascade.Forbid) { f.States = fsm.States("held") }, `states "held" is no state of nic`},
		"no entrance":   {func(f *cascade.Forbid) { f.Enter = []fsm.Trigger{"grab"} }, `enter "grab" is no trigger of nic`},
	} {
		t.Run(name, func(t *testing.T) {
			f := right
			test.spoil(&f)
			g, err := cascade.NewGuard(f)
			if err == nil {
				e := guarded(t, memstore.New(memstore.Options{}))
				err = g.Check(e)
			}
			var option *cascade.OptionError
			if !errors.As(err, &option) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %s", err, test.want)
			}
		})
	}
	if _, err := cascade.NewGuard(right, right); err == nil || !strings.Contains(err.Error(), "is there twice") {
		t.Errorf("a rule twice: %v", err)
	}
}
