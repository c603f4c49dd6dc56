package main

import (
	"context"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/host"
	"github.com/cloudbus-go/cloudbus/resources/hostadmin"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// hostsFor lists the hosts that the VM of an operation may be put on, in order: those that are up, and that nobody keeps VMs off. It is
// empty if there are none, and for operations that put no VM anywhere.
func (h *hypervisor) hostsFor(ctx context.Context, op operation) ([]string, error) {
	if op.Kind != vm.Kind || op.State != vm.Starting && op.State != vm.Migrating {
		return nil, nil
	}
	up, err := h.idsIn(ctx, host.Kind, host.Up)
	if err != nil || len(up) == 0 {
		return nil, err
	}
	closed, err := h.idsIn(ctx, hostadmin.Kind, hostadmin.Disabled, hostadmin.PreparingMaintenance, hostadmin.Maintenance, hostadmin.Error, hostadmin.Removed)
	if err != nil {
		return nil, err
	}
	without := make(map[string]bool, len(closed))
	for _, id := range closed {
		without[id] = true
	}
	var open []string
	for _, id := range up {
		if !without[id] {
			open = append(open, id)
		}
	}
	return open, nil
}

// idsIn lists the resources of a kind that are in one of some states, in order. There are none of a kind that isn't simulated.
func (h *hypervisor) idsIn(ctx context.Context, kind string, states ...fsm.State) ([]string, error) {
	handle, owned := h.kinds[kind]
	if !owned {
		return nil, nil
	}
	var ids []string
	for q := (resources.Query{States: states, Limit: hypervisorPage}); ; {
		page, next, err := handle.List(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, obj := range page {
			ids = append(ids, resources.ObjectOf(obj).ID)
		}
		if q.After = next; next == "" {
			return ids, nil
		}
	}
}
