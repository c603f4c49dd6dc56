package main

import (
	"context"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge/status"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// TestAServerFollowsTheVMsOfAVCenter goes from vCenter's API through the provider and NATS into a server's database.
func TestAServerFollowsTheVMsOfAVCenter(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := newVCenter(t)
	ref := v.anyVM()
	id := v.uuid(ref)
	create(s, id, "web-1")
	startProvider(t, v, s)

	say := func(format string, args ...any) { t.Logf("vcenter    "+format, args...) }
	check := func(want status.Status, raw string, state fsm.State) {
		t.Helper()
		seen, mine := s.expect(id, want)
		if seen.Raw != raw || seen.Provider != "vcenter-1" || mine.State != state {
			t.Errorf("observed %s (%s) by %s, own state %s; want %s (%s) and %s", seen.Status, seen.Raw, seen.Provider, mine.State, want, raw, state)
		}
	}
	say("vm/%.8s is on when the provider starts", id)
	check(status.Running, "poweredOn", vm.Running)
	say("PowerOffVM_Task vm/%.8s", id)
	v.powerOff(ref)
	check(status.Stopped, "poweredOff", vm.Stopped)
	say("PowerOnVM_Task vm/%.8s", id)
	v.powerOn(ref)
	check(status.Running, "poweredOn", vm.Running)
	say("SuspendVM_Task vm/%.8s", id)
	v.suspend(ref)
	check(status.Paused, "suspended", vm.Paused)
	say("PowerOnVM_Task vm/%.8s", id)
	v.powerOn(ref)
	check(status.Running, "poweredOn", vm.Running)
	say("PowerOffVM_Task, Destroy_Task vm/%.8s", id)
	v.powerOff(ref)
	v.destroy(ref)
	check(status.Deleted, status.VMwareGone, vm.Stopped)

	made := v.create("db-1")
	id = v.uuid(made)
	say("CreateVM_Task vm/%.8s: a VM that the server doesn't know yet", id)
	v.powerOn(made)
	create(s, id, "db-1")
	t.Logf("server     vm/%.8s is created", id)
	seen, mine := s.expect(id, status.Running)
	if seen.Raw != "poweredOn" || mine.State != vm.Running {
		t.Errorf("observed %+v, own state %s", seen, mine.State)
	}
}

func create(s *site, id, name string) {
	s.t.Helper()
	_, err := s.vms.Create(s.t.Context(), vm.VM{Object: resources.Object{ID: id, Tenant: "acme", Name: name}})
	s.must(err)
}

// startProvider runs a provider that reports to a site until the test ends.
func startProvider(t *testing.T, v *vcenter, s *site) {
	t.Helper()
	transport := s.connect("provider vcenter-1")
	reporter, err := status.NewReporter(transport, status.ReporterOptions{Provider: "vcenter-1", Window: 50 * time.Millisecond, Logger: quiet})
	s.must(err)
	stop := v.watch(Options{Reporter: reporter})
	t.Cleanup(func() {
		stop()
		ctx := context.Background()
		s.must(reporter.Close(ctx))
		s.must(transport.Close(ctx))
	})
}
