package hostadmin_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/host"
	"github.com/cloudbus-go/cloudbus/resources/hostadmin"
	"github.com/cloudbus-go/cloudbus/resources/memstore"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// farm is an engine with hosts, their administration and VMs.
type farm struct {
	t      *testing.T
	hosts  *resources.Kind[host.Host]
	admins *resources.Kind[hostadmin.HostAdmin]
	vms    *resources.Kind[vm.VM]
}

func newFarm(t *testing.T, hosts ...string) *farm {
	t.Helper()
	store := memstore.New(memstore.Options{})
	b := bus.New(bus.Options{Journal: store.Journal(), Logger: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() { _ = b.Close(context.Background()) })
	e, err := resources.New(resources.Options{Store: store, Bus: b, Logger: slog.New(slog.DiscardHandler),
		Listeners: []resources.Listener{listeners.Post(), hostadmin.Guard()}})
	if err != nil {
		t.Fatal(err)
	}
	f := &farm{t: t}
	f.hosts, err = resources.Register[host.Host](e, host.Machine)
	f.check(err)
	f.admins, err = resources.Register[hostadmin.HostAdmin](e, hostadmin.Machine)
	f.check(err)
	f.vms, err = resources.Register[vm.VM](e, vm.Machine)
	f.check(err)
	for _, id := range hosts {
		_, err = f.hosts.Create(t.Context(), host.Host{Object: resources.Object{ID: id}})
		f.check(err)
		f.check(f.host(id, host.AgentReady))
		_, err = f.admins.Create(t.Context(), hostadmin.HostAdmin{Object: resources.Object{ID: id}})
		f.check(err)
	}
	return f
}

func (f *farm) check(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *farm) create(id, on string) error {
	_, err := f.vms.Create(f.t.Context(), vm.VM{Object: resources.Object{ID: id}, HostID: on})
	return err
}

// vm fires a trigger at a VM; with a host, that is set.
func (f *farm) vm(id string, on fsm.Trigger, to ...string) error {
	var opts []resources.Option
	for _, h := range to {
		opts = append(opts, f.vms.Set(func(v *vm.VM) error { v.HostID = h; return nil }))
	}
	_, err := f.vms.Fire(f.t.Context(), id, on, opts...)
	return err
}

func (f *farm) admin(id string, on ...fsm.Trigger) error {
	for _, t := range on {
		if _, err := f.admins.Fire(f.t.Context(), id, t); err != nil {
			return err
		}
	}
	return nil
}

func (f *farm) host(id string, on fsm.Trigger) error {
	_, err := f.hosts.Fire(f.t.Context(), id, on)
	return err
}

// running makes a VM that runs on a host.
func (f *farm) running(id, on string) {
	f.t.Helper()
	f.check(f.create(id, on))
	f.check(f.vm(id, vm.StartRequested))
	f.check(f.vm(id, vm.OperationSucceeded))
}

func TestGuardKeepsVMsOff(t *testing.T) {
	for name, leave := range map[string][]fsm.Trigger{
		"disabled":              {hostadmin.DisableRequested},
		"preparing_maintenance": {hostadmin.MaintenanceRequested},
		"maintenance":           {hostadmin.MaintenanceRequested, hostadmin.OperationSucceeded},
		"error":                 {hostadmin.MaintenanceRequested, hostadmin.OperationFailed},
		"removed":               {hostadmin.DisableRequested, hostadmin.RemoveRequested},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFarm(t, "good", "bad")
			f.check(f.create("was", "bad"))
			f.check(f.create("other", "good"))
			f.running("runs", "good")
			f.check(f.admin("bad", leave...))
			for what, err := range map[string]error{
				"created there":       f.create("new", "bad"),
				"starts where it was": f.vm("was", vm.StartRequested),
				"starts there":        f.vm("other", vm.StartRequested, "bad"),
				"migrates there":      f.vm("runs", vm.MigrationRequested, "bad"),
				"updated": func() error {
					_, err := f.vms.Update(t.Context(), "other", func(v *vm.VM) error { v.HostID = "bad"; return nil })
					return err
				}(),
			} {
				var veto *resources.VetoError
				var refused *hostadmin.NotEnabledError
				if !errors.As(err, &veto) || veto.Listener != hostadmin.GuardName || !errors.As(err, &refused) || refused.Host != "bad" || string(refused.State) != name {
					t.Errorf("%s: %v, want a veto that says that bad is %q", what, err, name)
				}
			}
			f.check(f.vm("other", vm.StartRequested))
			f.check(f.vm("was", vm.StartRequested, "good"))
		})
	}
}

func TestGuardLetsFactsAndLeaversPass(t *testing.T) {
	f := newFarm(t, "good", "bad")
	for _, id := range []string{"a", "b", "c"} {
		f.running(id, "bad")
	}
	f.check(f.vm("c", vm.StopRequested))
	f.check(f.vm("c", vm.OperationSucceeded))
	f.check(f.admin("bad", hostadmin.DisableRequested))
	f.check(f.vm("a", vm.StopRequested))
	f.check(f.vm("a", vm.OperationFailed))
	f.check(f.vm("a", vm.MigrationRequested))
	f.check(f.vm("a", vm.OperationSucceeded, "good"))
	f.check(f.vm("b", vm.PauseRequested))
	f.check(f.vm("c", vm.ReportRunning)) // somebody started it by hand
}

func TestMaintenanceIsReachedWithoutVMs(t *testing.T) {
	f := newFarm(t, "h", "other")
	f.running("web", "h")
	f.running("db", "h")
	f.check(f.create("cold", "h"))
	f.check(f.admin("h", hostadmin.MaintenanceRequested))
	err := f.admin("h", hostadmin.OperationSucceeded)
	var occupied *hostadmin.OccupiedError
	if !errors.As(err, &occupied) || !strings.Contains(err.Error(), `host/h can't become "maintenance" while vm db, web are there: migrate or stop them first`) {
		t.Fatalf("%v, want an OccupiedError that names db and web", err)
	}
	f.check(f.vm("web", vm.MigrationRequested, "other"))
	f.check(f.vm("web", vm.OperationSucceeded))
	f.check(f.vm("db", vm.StopRequested))
	if err := f.admin("h", hostadmin.OperationSucceeded); !errors.As(err, &occupied) || len(occupied.IDs) != 1 || occupied.IDs[0] != "db" {
		t.Fatalf("%v, want an OccupiedError that names db, which is stopping", err)
	}
	f.check(f.vm("db", vm.OperationSucceeded))
	f.check(f.admin("h", hostadmin.OperationSucceeded, hostadmin.CancelRequested))
	f.check(f.vm("cold", vm.StartRequested))
	f.check(f.vm("cold", vm.OperationSucceeded))
	// Cancelled, it is what it was.
	f.check(f.admin("h", hostadmin.DisableRequested, hostadmin.MaintenanceRequested, hostadmin.CancelRequested))
	if got, err := f.admins.Get(t.Context(), "h"); err != nil || got.State != hostadmin.Disabled {
		t.Errorf("after the cancellation: %+v, %v", got, err)
	}
	for what, err := range map[string]error{"its administration": f.admin("h", hostadmin.RemoveRequested), "the host": f.host("h", host.RemoveRequested)} {
		if !errors.As(err, &occupied) || occupied.To != "removed" {
			t.Errorf("%s is removed with a VM on it: %v", what, err)
		}
	}
	f.check(f.vm("cold", vm.StopRequested))
	f.check(f.vm("cold", vm.OperationSucceeded))
	f.check(f.host("h", host.RemoveRequested))
	if err := f.vm("cold", vm.StartRequested); err == nil || !strings.Contains(err.Error(), `host/h, which is "removed"`) {
		t.Errorf("a start on a host that is removed: %v", err)
	}
}

func TestHostWithoutAdministrationTakesNone(t *testing.T) {
	f := newFarm(t)
	_, err := f.hosts.Create(t.Context(), host.Host{Object: resources.Object{ID: "bare"}})
	f.check(err)
	if err := f.create("v", "bare"); err == nil || !strings.Contains(err.Error(), "host/bare, which has no administration: create host_admin/bare") {
		t.Errorf("%v", err)
	}
	var missing *resources.RelationError
	if err := f.create("v", "nowhere"); !errors.As(err, &missing) {
		t.Errorf("a host that isn't there: %v, want a RelationError", err)
	}
}

// TestDisablingRaces: no VM starts on a host after it was put into maintenance.
func TestDisablingRaces(t *testing.T) {
	for range 100 {
		f := newFarm(t, "h")
		f.check(f.create("v", "h"))
		var wg sync.WaitGroup
		var started, left error
		wg.Go(func() { started = f.vm("v", vm.StartRequested) })
		wg.Go(func() { left = f.admin("h", hostadmin.DisableRequested, hostadmin.RemoveRequested) })
		wg.Wait()
		if (started == nil) == (left == nil) {
			t.Fatalf("the start: %v, the removal: %v; want one of them to be refused", started, left)
		}
	}
}
