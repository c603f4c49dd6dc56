package alerts_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/plugins/alerts"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

func TestStuckIsRaisedRepeatedAndCleared(t *testing.T) {
	h := open(t, "")
	id := h.create()
	h.fire(id, vm.StartRequested)
	h.later(10*time.Minute - 1)
	h.want()
	h.later(1)
	h.want("stuck 1 active")
	h.later(9 * time.Minute)
	h.want("stuck 1 active")
	h.later(time.Minute)
	h.want("stuck 2 active")
	h.later(35 * time.Minute) // three limits at once are one repeat
	h.want("stuck 3 active")
	h.fire(id, vm.OperationSucceeded)
	h.settle()
	h.want("stuck 3 cleared")
	h.later(time.Hour)
	h.want("stuck 3 cleared")
	if got := h.events(); !slices.Equal(got, []string{"alert.stuck.raised", "alert.stuck.cleared"}) {
		t.Errorf("events %q", got)
	}
	found, _, err := h.watch.List(t.Context(), alerts.Query{ResourceID: id})
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	a := found[0]
	if a.Kind != "vm" || a.Tenant != "acme" || a.Severity != alerts.Warning || a.RaisedAt.Sub(a.ClearedAt) != -45*time.Minute ||
		a.Message != "vm/"+id+" has been starting since 2026-05-01T12:00:00Z, longer than the limit of 10m0s" {
		t.Errorf("alert %+v", a)
	}
}

func TestStuckStartsAnewInEachState(t *testing.T) {
	h := open(t, "")
	id := h.create()
	h.fire(id, vm.ReportRunning, vm.StopRequested)
	h.later(11 * time.Minute)
	h.want("stuck 1 active")
	h.fire(id, vm.OperationSucceeded, vm.StartRequested)
	h.later(9 * time.Minute)
	h.want("stuck 1 cleared")
	h.later(time.Minute)
	h.want("stuck 1 cleared", "stuck 1 active")
}

func TestAMoveToItselfKeepsTheDeadline(t *testing.T) {
	h := open(t, "")
	id := h.create()
	h.fire(id, vm.ExpungeRequested)
	h.later(23 * time.Hour)
	h.fire(id, vm.OperationFailed) // still expunging
	if _, err := h.vms.Update(t.Context(), id, func(v *vm.VM) error { v.Hostname = "web"; return nil }); err != nil {
		t.Fatal(err)
	}
	h.later(time.Hour)
	h.want("stuck 1 active")
	h.fire(id, vm.OperationFailed)
	h.later(time.Hour)
	h.want("stuck 1 active")
}

func TestARestartForgetsNoDeadline(t *testing.T) {
	h := open(t, "")
	late, done := h.create(), h.create()
	h.fire(late, vm.StartRequested)
	h.fire(done, vm.StartRequested)
	h.settle()
	h.stop()
	h.fire(done, vm.OperationSucceeded) // while nobody watches
	h.clock.add(25 * time.Minute)

	raised := make(chan bus.Event[alerts.Notice], 1)
	client := h.bus.Client("test")
	_, err := bus.Subscribe(client, func(_ context.Context, e bus.Event[alerts.Notice]) error { raised <- e; return nil })
	if err != nil {
		t.Fatal(err)
	}
	h.start("")
	if _, err := h.engine.ReportStuck(t.Context()); err != nil { // as the engine's Run does first
		t.Fatal(err)
	}
	if e := <-raised; e.ResourceID != late || e.Type != "alert.stuck.raised" {
		t.Errorf("%s of %s", e.Type, e.ResourceID)
	}
	h.later(0)
	h.want("stuck 1 active")
}

func TestTheWatchGoesOffByItself(t *testing.T) {
	store, b := openStore(t, nil)
	h := &house{t: t, store: store, bus: b}
	h.engine, h.vms = newVMs(t, store, b, resources.Limit(vm.Starting, 30*time.Millisecond))
	h.start("")
	h.run()
	news := make(chan string, 10)
	_, err := bus.Subscribe(b.Client("test"), func(_ context.Context, e bus.Event[alerts.Notice]) error { news <- e.Type; return nil })
	if err != nil {
		t.Fatal(err)
	}
	id := h.create()
	h.fire(id, vm.StartRequested)
	if got := <-news; got != "alert.stuck.raised" {
		t.Errorf("news: %s", got)
	}
	h.fire(id, vm.OperationSucceeded)
	if got := <-news; got != "alert.stuck.cleared" {
		t.Errorf("news: %s", got)
	}
}

func TestADeadlineThatHasPassedAlreadyIsRaisedAtOnce(t *testing.T) {
	h := open(t, "")
	h.run()
	news := make(chan string)
	_, err := bus.Subscribe(h.bus.Client("test"), func(_ context.Context, e bus.Event[alerts.Notice]) error { news <- e.ResourceID; return nil })
	if err != nil {
		t.Fatal(err)
	}
	for range 15 { // a few more would be a storm
		v, err := h.vms.Create(t.Context(), vm.VM{}, resources.At(h.clock.now().Add(-2*time.Hour)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.vms.Fire(t.Context(), v.ID, vm.StartRequested, resources.At(h.clock.now().Add(-time.Hour))); err != nil {
			t.Fatal(err)
		}
		if got := <-news; got != v.ID {
			t.Errorf("raised for %s, not %s", got, v.ID)
		}
	}
}

func TestStuckWhileDisabled(t *testing.T) {
	h := open(t, "")
	first, second, third := h.create(), h.create(), h.create()
	h.fire(first, vm.StartRequested)
	h.fire(second, vm.StartRequested)
	h.later(10 * time.Minute)
	h.want("stuck 1 active", "stuck 1 active")
	h.stop()

	h.start(`{"stuck": {"disabled": true}}`)
	h.fire(first, vm.OperationSucceeded)
	h.fire(second, vm.OperationSucceeded, vm.StopRequested)
	h.fire(third, vm.StartRequested)
	h.later(15 * time.Minute)
	h.want("stuck 1 cleared", "stuck 1 cleared")
	h.stop()

	h.start("")
	h.later(0)
	h.want("stuck 1 cleared", "stuck 1 cleared", "stuck 1 active", "stuck 1 active")
}
