package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/host"
	"github.com/cloudbus-go/cloudbus/resources/hostadmin"
	"github.com/cloudbus-go/cloudbus/resources/memstore"
	"github.com/cloudbus-go/cloudbus/resources/network"
	"github.com/cloudbus-go/cloudbus/resources/nic"
	"github.com/cloudbus-go/cloudbus/resources/publicip"
	"github.com/cloudbus-go/cloudbus/resources/snapshot"
	"github.com/cloudbus-go/cloudbus/resources/template"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"github.com/cloudbus-go/cloudbus/resources/volume"
)

// lab is an engine in memory, inside a synctest bubble.
type lab struct {
	*server
	t *testing.T
}

func inLab(t *testing.T, test func(l *lab), extra ...resources.Listener) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		store, log := memstore.New(memstore.Options{}), slog.New(slog.DiscardHandler)
		s := &server{log: log, bus: bus.New(bus.Options{Logger: log, Journal: store.Journal()})}
		var err error
		s.engine, err = resources.New(resources.Options{Store: store, Bus: s.bus, Logger: log, Listeners: append([]resources.Listener{listeners.Post()}, extra...)})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.register(); err != nil {
			t.Fatal(err)
		}
		test(&lab{s, t})
		if err := s.bus.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// start starts a hypervisor whose operations take a minute, give or take a half.
func (l *lab) start(seed uint64, failRate float64) *hypervisor {
	l.t.Helper()
	h, err := startHypervisor(hypervisorOptions{
		Engine: l.engine, Client: l.bus.Client(hypervisorName), Kinds: l.engine.Kinds(), Log: l.log,
		Seed: seed, FailRate: failRate, Duration: time.Minute,
	})
	if err != nil {
		l.t.Fatal(err)
	}
	return h
}

func (l *lab) create(kind, id string) {
	l.t.Helper()
	h, err := l.engine.Kind(kind)
	if err != nil {
		l.t.Fatal(err)
	}
	obj := h.New()
	resources.ObjectOf(obj).ID = id
	if _, err := h.Create(l.t.Context(), obj); err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) fire(kind, id string, on fsm.Trigger) resources.Change {
	l.t.Helper()
	h, err := l.engine.Kind(kind)
	if err != nil {
		l.t.Fatal(err)
	}
	c, err := h.Fire(l.t.Context(), id, on)
	if err != nil {
		l.t.Fatal(err)
	}
	return c
}

func (l *lab) get(kind, id string) any {
	l.t.Helper()
	h, err := l.engine.Kind(kind)
	if err != nil {
		l.t.Fatal(err)
	}
	obj, err := h.Get(l.t.Context(), id)
	if err != nil {
		l.t.Fatal(err)
	}
	return obj
}

func (l *lab) state(kind, id string) fsm.State { return resources.ObjectOf(l.get(kind, id)).State }

// events lists the types of a resource's events.
func (l *lab) events(kind, id string) []string {
	l.t.Helper()
	records, err := l.bus.Journal().Read(l.t.Context(), 0, 1000)
	if err != nil {
		l.t.Fatal(err)
	}
	var types []string
	for _, r := range records {
		if r.Kind == kind && r.ResourceID == id {
			types = append(types, r.Type)
		}
	}
	return types
}

func TestHypervisorCarriesOperationsOut(t *testing.T) {
	tests := []struct {
		kind    string
		trigger fsm.Trigger
		to      fsm.State
		did     func(obj any) bool
	}{
		{"vm", vm.StartRequested, vm.Running, func(o any) bool { return o.(*vm.VM).HostID != "" }},
		{"volume", volume.CreateRequested, volume.Ready, func(o any) bool { return o.(*volume.Volume).Pool != "" }},
		{"nic", nic.ReservationRequested, nic.Reserved, func(o any) bool { return o.(*nic.NIC).MAC != "" && o.(*nic.NIC).IPv4 != "" }},
		{"network", network.ImplementRequested, network.Implemented, func(o any) bool { return o.(*network.Network).VLAN > 0 }},
		{"public_ip", publicip.AllocateRequested, publicip.Allocated, func(any) bool { return true }},
		{"snapshot", snapshot.CreateRequested, snapshot.Created, func(o any) bool { return o.(*snapshot.Snapshot).Pool != "" }},
		{"template", template.UploadRequested, template.Active, func(o any) bool { return o.(*template.Template).Path != "" }},
		{"host_admin", hostadmin.MaintenanceRequested, hostadmin.Maintenance, func(any) bool { return true }},
	}
	inLab(t, func(l *lab) {
		h := l.start(1, 0)
		defer h.Close()
		l.create("host", "host-1")
		time.Sleep(91 * time.Second) // it connects
		synctest.Wait()
		if got := l.get("host", "host-1").(*host.Host); got.State != host.Up || got.AgentVersion == "" {
			l.t.Errorf("host: %+v", got)
		}
		for _, tt := range tests {
			l.create(tt.kind, "x")
			l.fire(tt.kind, "x", tt.trigger)
		}
		time.Sleep(29 * time.Second)
		synctest.Wait()
		for _, tt := range tests {
			if got := l.state(tt.kind, "x"); got == tt.to {
				l.t.Errorf("%s is %s before its time", tt.kind, got)
			}
		}
		time.Sleep(62 * time.Second)
		synctest.Wait()
		for _, tt := range tests {
			if got := l.get(tt.kind, "x"); resources.ObjectOf(got).State != tt.to || !tt.did(got) {
				l.t.Errorf("%s: %+v", tt.kind, got)
			}
		}
	})
}

// TestHypervisorEndsWhatMachinesCallTheirOwn: a host's operations end by triggers of their own, whichever way.
func TestHypervisorEndsWhatMachinesCallTheirOwn(t *testing.T) {
	for _, tt := range []struct {
		failRate              float64
		connected, rebalanced fsm.State
	}{{0, host.Up, host.Up}, {1, host.Alert, host.Disconnected}} {
		inLab(t, func(l *lab) {
			h := l.start(1, tt.failRate)
			defer h.Close()
			l.create("host", "x")
			time.Sleep(2 * time.Minute)
			synctest.Wait()
			if got := l.state("host", "x"); got != tt.connected {
				l.t.Errorf("connected: %s, want %s", got, tt.connected)
			}
			if tt.failRate > 0 {
				l.fire("host", "x", host.Ping)
			}
			l.fire("host", "x", host.RebalanceRequested)
			time.Sleep(4 * time.Minute) // it connects again afterwards
			synctest.Wait()
			if got := l.state("host", "x"); got != tt.rebalanced {
				l.t.Errorf("rebalanced: %s, want %s", got, tt.rebalanced)
			}
		})
	}
}

// TestHypervisorPutsVMsOnHostsThatTakeThem: on those that are up and enabled; on none if there is none.
func TestHypervisorPutsVMsOnHostsThatTakeThem(t *testing.T) {
	inLab(t, func(l *lab) {
		h := l.start(1, 0)
		defer h.Close()
		run := func(id string, on fsm.Trigger) string {
			l.fire("vm", id, on)
			time.Sleep(2 * time.Minute)
			synctest.Wait()
			return l.get("vm", id).(*vm.VM).HostID
		}
		l.create("vm", "early")
		if got := run("early", vm.StartRequested); got != "" {
			l.t.Errorf("there is no host, and it runs on %q", got)
		}
		for _, id := range []string{"a", "b", "c", "d"} {
			l.create("host", id)
			l.create("host_admin", id)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		l.fire("host", "a", host.HostDown)
		l.fire("host_admin", "c", hostadmin.DisableRequested)
		for i := range 8 {
			id := fmt.Sprint("vm", i)
			l.create("vm", id)
			first := run(id, vm.StartRequested)
			if first != "b" && first != "d" {
				l.t.Errorf("%s runs on %q, which takes no VMs", id, first)
			}
			if then := run(id, vm.MigrationRequested); then == first || then != "b" && then != "d" {
				l.t.Errorf("%s moved from %q to %q", id, first, then)
			}
		}
	})
}

func TestHypervisorDecidesBySeed(t *testing.T) {
	fates := func(seed uint64) map[string]fsm.State {
		states := make(map[string]fsm.State)
		inLab(t, func(l *lab) {
			h := l.start(seed, 0.5)
			defer h.Close()
			for i := range 40 {
				id := fmt.Sprint("vm", i)
				l.create("vm", id)
				l.fire("vm", id, vm.StartRequested)
			}
			time.Sleep(2 * time.Minute)
			synctest.Wait()
			for i := range 40 {
				id := fmt.Sprint("vm", i)
				states[id] = l.state("vm", id)
			}
		})
		return states
	}
	one, again, other := fates(1), fates(1), fates(2)
	if !maps.Equal(one, again) {
		t.Error("the same seed, and other outcomes")
	}
	if maps.Equal(one, other) {
		t.Error("another seed, and the same outcomes")
	}
	got := slices.Sorted(maps.Values(one))
	if got[0] != vm.Running || got[len(got)-1] != vm.Stopped {
		t.Errorf("half should fail: %v", got)
	}
}

func TestHypervisorTakesUpWhatIsUnderWay(t *testing.T) {
	inLab(t, func(l *lab) {
		l.create("vm", "early")
		l.fire("vm", "early", vm.StartRequested) // before there was a hypervisor
		first := l.start(1, 0)
		l.create("vm", "late")
		l.fire("vm", "late", vm.StartRequested)
		synctest.Wait()
		first.Close() // in the midst of both
		if l.state("vm", "early") != vm.Starting || l.state("vm", "late") != vm.Starting {
			l.t.Fatal("done before their time")
		}
		second := l.start(1, 0)
		defer second.Close()
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		for _, id := range []string{"early", "late"} {
			if got, want := l.events("vm", id), []string{"vm.created", "vm.state.starting", "vm.state.running"}; !slices.Equal(got, want) {
				l.t.Errorf("%s: %v, want %v", id, got, want)
			}
		}
	})
}

func TestHypervisorTriesACleanupAgain(t *testing.T) {
	inLab(t, func(l *lab) {
		h := l.start(4, 0.8)
		defer h.Close()
		l.create("vm", "x")
		l.fire("vm", "x", vm.ExpungeRequested)
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		events := l.events("vm", "x")
		failed := 0
		for _, e := range events {
			if e == "vm.state.expunging" {
				failed++
			}
		}
		if last := events[len(events)-1]; last != "vm.state.expunged" || failed < 2 {
			l.t.Errorf("events %v: no failure, or no end", events)
		}
	})
}

func TestHypervisorComesTooLate(t *testing.T) {
	inLab(t, func(l *lab) {
		h := l.start(1, 0)
		defer h.Close()
		l.create("vm", "x")
		l.fire("vm", "x", vm.StartRequested)
		l.fire("vm", "x", vm.ReportRunning) // somebody saw it running before the driver said so
		l.fire("vm", "x", vm.StopRequested)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		want := []string{"vm.created", "vm.state.starting", "vm.state.running", "vm.state.stopping", "vm.state.stopped"}
		if got := l.events("vm", "x"); !slices.Equal(got, want) {
			l.t.Errorf("%v, want %v", got, want)
		}
	})
}

func TestHypervisorKeepsCorrelationAndCause(t *testing.T) {
	inLab(t, func(l *lab) {
		h := l.start(1, 0)
		defer h.Close()
		l.create("vm", "x")
		if _, err := l.vms.Fire(bus.ContextWithCorrelation(l.t.Context(), "req-9"), "x", vm.StartRequested); err != nil {
			l.t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		records, err := l.bus.Journal().Read(l.t.Context(), 0, 10)
		if err != nil {
			l.t.Fatal(err)
		}
		if last := records[len(records)-1]; last.Type != "vm.state.running" || last.CorrelationID != "req-9" || last.Actor != hypervisorName ||
			last.CausationID != records[len(records)-2].ID.String() {
			l.t.Errorf("%+v", last.Header)
		}
	})
}

func TestHypervisorReportsAgainWhatWasNotTaken(t *testing.T) {
	vetoes := 0
	full := listeners.Funcs{ListenerName: "disk", OnBefore: func(_ context.Context, c resources.Change) error {
		if c.Trigger == vm.OperationSucceeded && vetoes < 3 {
			vetoes++
			return errors.New("disk full")
		}
		return nil
	}}
	inLab(t, func(l *lab) {
		h := l.start(1, 0)
		defer h.Close()
		l.create("vm", "x")
		l.fire("vm", "x", vm.StartRequested)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if got := l.state("vm", "x"); got != vm.Running || vetoes != 3 {
			l.t.Errorf("the VM is %s after %d vetoes", got, vetoes)
		}
	}, full)
}
