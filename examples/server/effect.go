package main

import (
	"fmt"
	"hash/fnv"
	"slices"

	"github.com/cloudbus-go/cloudbus/resources/host"
	"github.com/cloudbus-go/cloudbus/resources/network"
	"github.com/cloudbus-go/cloudbus/resources/nic"
	"github.com/cloudbus-go/cloudbus/resources/snapshot"
	"github.com/cloudbus-go/cloudbus/resources/template"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"github.com/cloudbus-go/cloudbus/resources/volume"
)

// takeEffect writes on a resource what an operation that has succeeded came to. What the user chose stays. hosts are those that a VM
// may be put on.
func takeEffect(obj any, op operation, hosts []string) {
	switch v := obj.(type) {
	case *vm.VM:
		effectOnVM(v, op, hosts)
	case *volume.Volume:
		effectOnVolume(v, op)
	case *nic.NIC:
		effectOnNIC(v, op)
	case *network.Network:
		effectOnNetwork(v, op)
	case *snapshot.Snapshot:
		effectOnSnapshot(v, op)
	case *template.Template:
		effectOnTemplate(v, op)
	case *host.Host:
		effectOnHost(v, op)
	}
}

func effectOnVM(v *vm.VM, op operation, hosts []string) {
	if len(hosts) == 0 {
		return // nobody says where it runs
	}
	switch op.State {
	case vm.Starting:
		fill(&v.HostID, hosts[int(number(op.Resource)%uint32(len(hosts)))])
	case vm.Migrating: // to the next one
		at, there := slices.BinarySearch(hosts, v.HostID)
		if there {
			at++
		}
		v.HostID = hosts[at%len(hosts)]
	}
}

func effectOnVolume(v *volume.Volume, op operation) {
	switch op.State {
	case volume.Creating, volume.Copying:
		fill(&v.Pool, fmt.Sprintf("pool-%d", 1+number(op.Resource)%2))
		fill(&v.Path, "/volumes/"+op.Resource)
		fill(&v.Format, "qcow2")
	case volume.Migrating:
		if v.Pool == "pool-1" {
			v.Pool = "pool-2"
		} else {
			v.Pool = "pool-1"
		}
	}
}

func effectOnNIC(n *nic.NIC, op operation) {
	hash := number(op.Resource)
	switch op.State {
	case nic.Reserving:
		fill(&n.MAC, fmt.Sprintf("02:00:%02x:%02x:%02x:%02x", byte(hash>>24), byte(hash>>16), byte(hash>>8), byte(hash)))
		if n.IPv4 == "" {
			n.IPv4, n.IPv4Gateway = fmt.Sprintf("10.%d.%d.%d", byte(hash>>16), byte(hash>>8), 2+hash%252), fmt.Sprintf("10.%d.%d.1", byte(hash>>16), byte(hash>>8))
		}
	case nic.Releasing:
		n.IPv4, n.IPv4Gateway, n.IPv6, n.IPv6Gateway = "", "", "", ""
	}
}

func effectOnNetwork(n *network.Network, op operation) {
	switch op.State {
	case network.Implementing:
		if n.VLAN == 0 {
			n.VLAN = int(2 + number(op.Resource)%4093)
		}
		if n.CIDR == "" && n.Gateway == "" {
			n.CIDR, n.Gateway = "10.1.1.0/24", "10.1.1.1"
		}
	case network.ShuttingDown:
		n.VLAN = 0
	}
}

func effectOnSnapshot(s *snapshot.Snapshot, op operation) {
	switch op.State {
	case snapshot.Creating:
		fill(&s.Pool, fmt.Sprintf("pool-%d", 1+number(op.Resource)%2))
		fill(&s.Path, "/snapshots/"+op.Resource)
		fill(&s.Format, "qcow2")
	case snapshot.BackingUp:
		fill(&s.Backup, "backup-1")
	case snapshot.Copying: // to the other store
		if s.Backup == "backup-1" {
			s.Backup = "backup-2"
		} else {
			s.Backup = "backup-1"
		}
	}
}

func effectOnTemplate(t *template.Template, op operation) {
	if op.State == template.Uploading {
		fill(&t.Path, "/templates/"+op.Resource)
		fill(&t.Format, "qcow2")
	}
}

func effectOnHost(h *host.Host, op operation) {
	if op.State == host.Connecting { // the agent tells
		fill(&h.Hypervisor, "simulated")
		fill(&h.AgentVersion, "1.0")
	}
}

// number is a number that belongs to a name, the same at every run.
func number(name string) uint32 {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(name))
	return hash.Sum32()
}

func fill(field *string, value string) {
	if *field == "" {
		*field = value
	}
}
