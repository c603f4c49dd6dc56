package all

import (
	"errors"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/cluster"
	"github.com/cloudbus-go/cloudbus/resources/container"
	"github.com/cloudbus-go/cloudbus/resources/host"
	"github.com/cloudbus-go/cloudbus/resources/hostadmin"
	"github.com/cloudbus-go/cloudbus/resources/network"
	"github.com/cloudbus-go/cloudbus/resources/nic"
	"github.com/cloudbus-go/cloudbus/resources/publicip"
	"github.com/cloudbus-go/cloudbus/resources/snapshot"
	"github.com/cloudbus-go/cloudbus/resources/template"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"github.com/cloudbus-go/cloudbus/resources/volume"
)

// kind is a built-in kind and how it is registered.
type kind struct {
	machine  *fsm.Machine
	register func(*resources.Engine, ...resources.KindOption) error
}

func of[T any](m *fsm.Machine) kind {
	return kind{m, func(e *resources.Engine, opts ...resources.KindOption) error {
		_, err := resources.Register[T](e, m, opts...)
		return err
	}}
}

var kinds = []kind{
	of[vm.VM](vm.Machine),
	of[volume.Volume](volume.Machine),
	of[nic.NIC](nic.Machine),
	of[network.Network](network.Machine),
	of[publicip.PublicIP](publicip.Machine),
	of[snapshot.Snapshot](snapshot.Machine),
	of[template.Template](template.Machine),
	of[host.Host](host.Machine),
	of[hostadmin.HostAdmin](hostadmin.Machine),
	of[container.Container](container.Machine),
	of[cluster.Cluster](cluster.Machine),
}

// Register adds every built-in kind to the engine, each with the options. A kind whose name is registered already is left as it is: what
// needs options of its own (limits are of one kind's states), or whose typed face the caller wants, is registered before by
// resources.Register.
//
// The error joins those of all kinds that were refused; the others are registered. See resources.Register.
func Register(e *resources.Engine, opts ...resources.KindOption) error {
	if e == nil {
		return &resources.InvalidError{Reason: "Register of all kinds needs an engine"}
	}
	var errs []error
	for _, k := range kinds {
		if _, err := e.Kind(k.machine.Kind()); err == nil {
			continue
		}
		errs = append(errs, k.register(e, opts...))
	}
	return errors.Join(errs...)
}

// Machines lists the lifecycles of the built-in kinds, in the same order each time. The list is the caller's.
func Machines() []*fsm.Machine {
	all := make([]*fsm.Machine, len(kinds))
	for i, k := range kinds {
		all[i] = k.machine
	}
	return all
}
