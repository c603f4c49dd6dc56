package cascade_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/plugins/cascade"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/cluster"
	"github.com/cloudbus-go/cloudbus/resources/container"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres/postgrestest"
	"github.com/cloudbus-go/cloudbus/resources/host"
	"github.com/cloudbus-go/cloudbus/resources/hostadmin"
	"github.com/cloudbus-go/cloudbus/resources/network"
	"github.com/cloudbus-go/cloudbus/resources/nic"
	"github.com/cloudbus-go/cloudbus/resources/publicip"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"github.com/cloudbus-go/cloudbus/resources/volume"
)

// TestOnPostgreSQL runs the package's tests once more, on PostgreSQL.
func TestOnPostgreSQL(t *testing.T) {
	postgrestest.Again(t, "Example.*|TestNoConsequenceIsLostWhenTheProcessIsKilled|TestKillChild")
}

func object(id string) resources.Object { return resources.Object{ID: id, Tenant: "acme"} }

// TestDestroyedVM follows a VM to its end: what it held is given back, its data isn't lost.
func TestDestroyedVM(t *testing.T) {
	h := open(t, cascade.Options{})
	h.mustStart()
	h.cloud("web")
	h.cloud("other")
	h.make(&publicip.PublicIP{Object: object("ip"), VMID: "web"})
	h.fire("public_ip", "ip", publicip.AllocateRequested)
	if _, err := h.kind("public_ip").Fire(t.Context(), "ip", publicip.OperationSucceeded, resources.Set(func(obj any) error {
		obj.(*publicip.PublicIP).VMID = "web"
		return nil
	})); err != nil {
		t.Fatal(err)
	}
	h.fire("vm", "web", vm.StopRequested, vm.OperationSucceeded, vm.DestroyRequested)
	h.settle()
	h.want(map[string]fsm.State{"nic/web-nic": nic.Releasing, "volume/web-data": volume.Detaching, "volume/web-root": volume.Ready,
		"public_ip/ip": publicip.Allocated, "nic/other-nic": nic.Reserved, "volume/other-data": volume.Ready})
	h.fire("nic", "web-nic", nic.OperationSucceeded)
	h.fire("volume", "web-data", volume.OperationSucceeded)
	h.settle()
	h.want(map[string]fsm.State{"nic/web-nic": nic.Allocated, "volume/web-data": volume.Ready, "volume/web-root": volume.Ready})
	h.fire("vm", "web", vm.ExpungeRequested, vm.OperationSucceeded)
	h.settle()
	h.want(map[string]fsm.State{"nic/web-nic": nic.Deleted, "volume/web-data": volume.Ready, "volume/web-root": volume.Detaching, "public_ip/ip": publicip.Releasing})
	h.fire("volume", "web-root", volume.OperationSucceeded)
	h.settle()
	h.want(map[string]fsm.State{"volume/web-root": volume.Destroyed, "volume/web-data": volume.Ready, "vm/other": vm.Running,
		"nic/other-nic": nic.Reserved, "volume/other-data": volume.Ready, "volume/other-root": volume.Ready})
}

// TestOnTheirWay: what was in a transitional state when its VM was destroyed is dealt with when it arrives, however long that takes.
func TestOnTheirWay(t *testing.T) {
	h := open(t, cascade.Options{})
	h.mustStart()
	h.cloud("web")
	h.make(&nic.NIC{Object: object("late"), VMID: "web"}, &volume.Volume{Object: object("disk")})
	h.fire("nic", "late", nic.ReservationRequested)
	h.fire("volume", "disk", volume.CreateRequested, volume.OperationSucceeded)
	if _, err := h.kind("volume").Fire(t.Context(), "disk", volume.AttachRequested, resources.Set(func(obj any) error {
		obj.(*volume.Volume).VMID, obj.(*volume.Volume).DeviceID = "web", 2
		return nil
	})); err != nil {
		t.Fatal(err)
	}
	h.fire("vm", "web", vm.StopRequested, vm.OperationSucceeded)
	h.settle() // else these may be handled when it is destroyed already, and the rule holds for each
	h.fire("vm", "web", vm.DestroyRequested)
	h.settle()
	h.want(map[string]fsm.State{"nic/late": nic.Reserving, "volume/disk": volume.Attaching})
	if got := h.count("waiting"); got != "2" {
		t.Errorf("waiting counts %s, want 2", got)
	}
	h.fire("vm", "web", vm.ExpungeRequested) // the cause moves on, the rule still holds
	h.settle()                               // else its own rule may find them when they have arrived
	h.fire("nic", "late", nic.OperationSucceeded)
	h.fire("volume", "disk", volume.OperationSucceeded)
	h.settle()
	h.want(map[string]fsm.State{"nic/late": nic.Releasing, "volume/disk": volume.Detaching})
	if got := h.count("late"); got != "2" {
		t.Errorf("late counts %s, want 2", got)
	}
	// The VM is expunged and purged before the NIC is free again: the journal knows.
	h.fire("vm", "web", vm.OperationSucceeded)
	h.settle()
	if done, err := h.kind("vm").Purge(t.Context(), 0); err != nil || done.Removed != 1 {
		t.Fatalf("purge: %+v, %v", done, err)
	}
	h.fire("nic", "late", nic.OperationSucceeded)
	h.settle()
	h.want(map[string]fsm.State{"nic/late": nic.Deleted})
}

// TestRecoveredVM: who handles an event late looks whether it still holds.
func TestRecoveredVM(t *testing.T) {
	h := open(t, cascade.Options{})
	h.mustStart()
	h.cloud("web")
	h.settle()
	h.stop()
	h.fire("vm", "web", vm.StopRequested, vm.OperationSucceeded, vm.DestroyRequested, vm.RecoveryRequested)
	h.mustStart()
	h.settle()
	h.want(map[string]fsm.State{"nic/web-nic": nic.Reserved, "volume/web-data": volume.Ready})
	if got := h.count("fired"); got != "0" {
		t.Errorf("%s were fired, want 0", got)
	}
}

// TestAFailedConsequence isn't begun anew by the rule that began it, by whomever the failure is reported.
func TestAFailedConsequence(t *testing.T) {
	h := open(t, cascade.Options{})
	h.mustStart()
	h.cloud("web")
	h.fire("vm", "web", vm.StopRequested, vm.OperationSucceeded, vm.DestroyRequested)
	h.settle()
	h.fire("nic", "web-nic", nic.OperationFailed)
	h.settle()
	h.want(map[string]fsm.State{"nic/web-nic": nic.Reserved})
	if got := h.count("looped"); got != "1" {
		t.Errorf("looped counts %s, want 1", got)
	}
	h.fire("nic", "web-nic", nic.ReleaseRequested) // by hand
	h.want(map[string]fsm.State{"nic/web-nic": nic.Releasing})
}

func TestOtherDefaultRules(t *testing.T) {
	h := open(t, cascade.Options{})
	h.mustStart()
	h.make(&cluster.Cluster{Object: object("k8s")}, &container.Container{Object: object("c1"), ClusterID: "k8s"}, &container.Container{Object: object("c2")},
		&host.Host{Object: object("h1")}, &host.Host{Object: object("h2")}, &network.Network{Object: object("lan")}, &nic.NIC{Object: object("n"), NetworkID: "lan"})
	h.settle()
	h.want(map[string]fsm.State{"host_admin/h1": hostadmin.Enabled, "host_admin/h2": hostadmin.Enabled})
	for _, id := range []string{"h1", "h2"} {
		h.fire("host", id, host.AgentReady)
	}
	h.fire("host", "h1", host.RemoveRequested)                                        // its administration follows
	h.fire("host_admin", "h2", hostadmin.DisableRequested, hostadmin.RemoveRequested) // the host follows
	h.fire("cluster", "k8s", cluster.ReportDeleted)
	h.fire("network", "lan", network.DeleteRequested)
	h.settle()
	h.want(map[string]fsm.State{"host_admin/h1": hostadmin.Removed, "host/h2": host.Removed, "container/c1": container.Deleted,
		"container/c2": container.Pending, "nic/n": nic.Deleted})
}

// TestThousands: related resources come in pages, and a handler that is closed in the midst of them goes on after the next start.
func TestThousands(t *testing.T) {
	h := open(t, cascade.Options{})
	h.mustStart()
	h.make(&cluster.Cluster{Object: object("k8s")})
	const n = 2500
	for first := 0; first < n; first += 500 {
		objs := make([]any, 500)
		for i := range objs {
			objs[i] = &container.Container{Object: object(fmt.Sprintf("c%04d", first+i)), ClusterID: "k8s"}
		}
		if _, err := h.kind("container").CreateBatch(t.Context(), objs); err != nil {
			t.Fatal(err)
		}
	}
	h.fire("cluster", "k8s", cluster.ReportDeleted)
	h.stop()
	h.mustStart()
	h.settle()
	counts, err := h.kind("container").CountStates(t.Context())
	if err != nil || counts[container.Deleted] != n {
		t.Errorf("%v, %v, want %d that are deleted", counts, err, n)
	}
}

// TestAVetoIsTriedAgain, and parked, and told; the other consequences have their turn.
func TestAVetoIsTriedAgain(t *testing.T) {
	var no atomic.Bool
	no.Store(true)
	var asked atomic.Int64
	stubborn := listeners.Funcs{ListenerName: "stubborn", OnInTx: func(_ context.Context, _ resources.Tx, c resources.Change) error {
		if c.Trigger == nic.ReleaseRequested && no.Load() {
			asked.Add(1)
			return errors.New("not now")
		}
		return nil
	}}
	h := open(t, cascade.Options{Tries: 3, Pause: 1}, stubborn)
	h.mustStart()
	h.cloud("web")
	h.settle() // else the NIC may be seen to arrive when the VM is gone already, which is another event that fails
	h.fire("vm", "web", vm.StopRequested, vm.OperationSucceeded, vm.DestroyRequested)
	h.settle()
	h.want(map[string]fsm.State{"nic/web-nic": nic.Reserved, "volume/web-data": volume.Detaching})
	if asked.Load() != 3 || h.count("failed") != "3" {
		t.Errorf("tried %d times, failed counts %s, want 3", asked.Load(), h.count("failed"))
	}
	if health := h.manager.Status(t.Context())[0].Err; health == nil || !strings.Contains(fmt.Sprint(health), "vm/web") {
		t.Errorf("health: %v, want that events of vm/web are parked", health)
	}
	no.Store(false)
	if _, err := h.bus.Replay(t.Context(), cascade.Name, "vm", "web"); err != nil {
		t.Fatal(err)
	}
	h.settle()
	h.want(map[string]fsm.State{"nic/web-nic": nic.Releasing})
}

// TestFollow: a rule along a relation, whose target is on its way.
func TestFollow(t *testing.T) {
	h := open(t, cascade.Options{Tries: 40, Rules: []cascade.Rule{
		{Name: "idle", When: "nic.state.deleted", Follow: "network_id", States: fsm.States(network.Implemented), Fire: network.ShutdownRequested},
	}})
	h.mustStart()
	h.make(&network.Network{Object: object("lan")}, &nic.NIC{Object: object("n"), NetworkID: "lan"}, &nic.NIC{Object: object("free")})
	h.fire("network", "lan", network.ImplementRequested)
	h.fire("nic", "n", nic.DeleteRequested)
	h.fire("nic", "free", nic.DeleteRequested)
	for h.count("waiting") == "0" { //nolint:revive // a condition: the handler has looked
		if err := t.Context().Err(); err != nil {
			t.Fatal(err)
		}
	}
	h.want(map[string]fsm.State{"network/lan": network.Implementing})
	h.fire("network", "lan", network.OperationSucceeded)
	h.settle()
	h.want(map[string]fsm.State{"network/lan": network.ShuttingDown})
}

var _ plugins.Plugin = (*cascade.Plugin)(nil)
