package main

import (
	"fmt"
	"hash/fnv"

	"github.com/cloudbus-go/cloudbus/resources/network"
	"github.com/cloudbus-go/cloudbus/resources/nic"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"github.com/cloudbus-go/cloudbus/resources/volume"
)

// takeEffect writes on a resource what an operation that has succeeded came to. What the user chose stays.
func takeEffect(obj any, op operation) {
	switch v := obj.(type) {
	case *vm.VM:
		effectOnVM(v, op)
	case *volume.Volume:
		effectOnVolume(v, op)
	case *nic.NIC:
		effectOnNIC(v, op)
	case *network.Network:
		effectOnNetwork(v, op)
	}
}

const hosts = 8

func effectOnVM(v *vm.VM, op operation) {
	switch op.State {
	case vm.Starting:
		fill(&v.HostID, fmt.Sprintf("host-%d", 1+number(op.Resource)%hosts))
	case vm.Migrating: // to the next one
		var at uint32
		if _, err := fmt.Sscanf(v.HostID, "host-%d", &at); err != nil {
			at = number(op.Resource)
		}
		v.HostID = fmt.Sprintf("host-%d", 1+at%hosts)
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
