package usage

import (
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources/network"
	"github.com/cloudbus-go/cloudbus/resources/nic"
	"github.com/cloudbus-go/cloudbus/resources/publicip"
	"github.com/cloudbus-go/cloudbus/resources/snapshot"
	"github.com/cloudbus-go/cloudbus/resources/template"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"github.com/cloudbus-go/cloudbus/resources/volume"
)

// DefaultMeters returns the meters of the built-in kinds, for the caller to change. Hosts, containers and clusters have none: they are what others are made of, or run by others.
func DefaultMeters() []Meter {
	vmSize := SizeOf(func(v *vm.VM) Size { return Size{CPUs: int64(v.CPUs), MemoryMiB: v.MemoryMiB} })
	volumeSize := SizeOf(func(v *volume.Volume) Size { return Size{GiB: v.SizeGiB} })
	snapshotSize := SizeOf(func(s *snapshot.Snapshot) Size { return Size{GiB: s.SizeGiB} })
	templateSize := SizeOf(func(t *template.Template) Size { return Size{GiB: t.SizeGiB} })
	return []Meter{
		{Kind: "vm", Name: "vm.allocated", States: fsm.States(vm.Stopped, vm.Running, vm.Paused), Size: vmSize},
		{Kind: "vm", Name: "vm.running", States: fsm.States(vm.Running, vm.Paused), Size: vmSize}, // a paused VM holds its memory
		{Kind: "volume", Name: "volume.allocated", States: fsm.States(volume.Ready), Size: volumeSize},
		{Kind: "volume", Name: "volume.uploaded", States: fsm.States(volume.Uploaded), Size: volumeSize},
		{Kind: "nic", Name: "nic.reserved", States: fsm.States(nic.Reserved)},
		{Kind: "network", Name: "network.implemented", States: fsm.States(network.Implemented, network.Setup)},
		{Kind: "public_ip", Name: "public_ip.allocated", States: fsm.States(publicip.Allocated)},
		{Kind: "snapshot", Name: "snapshot.stored", States: fsm.States(snapshot.Created, snapshot.BackedUp), Size: snapshotSize},
		{Kind: "template", Name: "template.stored", States: fsm.States(template.Active, template.Inactive), Size: templateSize},
	}
}

// builtin returns the machines of the built-in kinds that have a meter.
func builtin() []*fsm.Machine {
	return []*fsm.Machine{vm.Machine, volume.Machine, nic.Machine, network.Machine, publicip.Machine, snapshot.Machine, template.Machine}
}
