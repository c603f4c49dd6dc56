package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/cloudbus-go/cloudbus/bridge/status"
	"github.com/vmware/govmomi/fault"
	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// take follows what the property collector tells.
func (p *Provider) take(ctx context.Context, w *watch, updates []types.ObjectUpdate) {
	touched := map[types.ManagedObjectReference]bool{}
	var ended []types.ManagedObjectReference // what was done to them
	for _, u := range updates {
		switch u.Obj.Type {
		case kindTask:
			for _, vm := range p.takeTask(u) {
				touched[vm] = true
				if p.doing(vm) == nothing && p.machines[vm] != nil {
					ended = append(ended, vm)
				}
			}
		case kindVM:
			if u.Kind == types.ObjectUpdateKindLeave {
				p.leave(ctx, w, u.Obj)
				continue
			}
			m := p.machines[u.Obj]
			if m == nil {
				m = &machine{}
				if before := p.before[u.Obj]; before != nil {
					m.uuid, m.extra = before.uuid, before.extra // they may not be readable now
				}
				p.machines[u.Obj] = m
			}
			m.change(u.ChangeSet)
			if free := p.identify(w, u.Obj, m); free != "" {
				p.inherit(ctx, w, free)
			}
			touched[u.Obj] = true
		}
	}
	for _, ref := range ended {
		if p.machines[ref] != nil && w.isGone(ctx, ref) == nil {
			p.leave(ctx, w, ref) // the collector may tell it later, or not at all
		}
	}
	for ref := range touched {
		if m := p.machines[ref]; m != nil {
			p.report(ctx, ref, m)
		}
	}
}

// takeTask returns the VMs that the task is, or was, about.
func (p *Provider) takeTask(u types.ObjectUpdate) (vms []types.ManagedObjectReference) {
	if before, known := p.tasks[u.Obj]; known {
		vms = append(vms, before.vm)
		if u.Kind == types.ObjectUpdateKindLeave {
			delete(p.tasks, u.Obj)
		}
	}
	for _, c := range u.ChangeSet {
		info, ok := c.Val.(types.TaskInfo)
		if !ok || c.Name != "info" {
			continue
		}
		if now, runs := readTask(info); runs {
			p.tasks[u.Obj] = now
			vms = append(vms, now.vm)
			continue
		}
		delete(p.tasks, u.Obj)
		if ended(info) && info.DescriptionId == taskDestroy && info.Entity != nil {
			vms = append(vms, *info.Entity) // it was so quick that nobody saw it run
		}
	}
	return vms
}

// identify gives m its id. Two VMs can't be one resource: who came first keeps the id. free is the one that m had before.
func (p *Provider) identify(w *watch, ref types.ManagedObjectReference, m *machine) (free string) {
	id := w.identity.of(m)
	if id == m.id {
		return ""
	}
	if m.id != "" {
		p.log.Warn("a VM has another id now; nothing is reported of it under the one before", "vm", m.name, "before", m.id, "now", id)
		free = m.id
		delete(p.owners, free)
	}
	if other, taken := p.owners[id]; taken && other != ref {
		if m.refused != id {
			p.log.Error("two VMs have the same id; the second one isn't reported", "id", id, "first", p.machines[other].name, "second", m.name)
		}
		m.refused, id = id, ""
	}
	if m.id = id; id != "" {
		p.owners[id] = ref
	}
	return free
}

// leave is called when a VM is out of sight: it is gone, or we aren't allowed to see it any more.
func (p *Provider) leave(ctx context.Context, w *watch, ref types.ManagedObjectReference) {
	m := p.machines[ref]
	if m == nil {
		return
	}
	delete(p.machines, ref)
	if m.id == "" {
		return
	}
	delete(p.owners, m.id)
	if p.inherit(ctx, w, m.id) {
		return
	}
	switch err := w.isGone(ctx, ref); {
	case err == nil:
		p.gone(ctx, m)
	case errors.Is(err, errThere):
		p.log.Error("a VM is there and can't be watched any more", "vm", m.name, "id", m.id)
		p.send(ctx, m, string(types.VirtualMachineConnectionStateDisconnected))
	default: // the next listing tells
		p.log.Warn("a VM is out of sight, and nobody can say why", "vm", m.name, "id", m.id, "error", err)
	}
}

var errThere = errors.New("the VM is there")

// isGone returns nil if the vCenter doesn't have the VM any more, errThere if it has.
func (w *watch) isGone(ctx context.Context, ref types.ManagedObjectReference) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var vm mo.VirtualMachine
	err := property.DefaultCollector(w.client).RetrieveOne(ctx, ref, []string{propName}, &vm)
	switch {
	case fault.Is(err, &types.ManagedObjectNotFound{}):
		return nil
	case err == nil:
		return errThere
	}
	return err
}

// inherit gives an id that is free to a VM that has it, too, and had to wait.
func (p *Provider) inherit(ctx context.Context, w *watch, id string) bool {
	for ref, m := range p.machines {
		if m.id == "" && w.identity.of(m) == id {
			p.identify(w, ref, m)
			p.report(ctx, ref, m)
			return true
		}
	}
	return false
}

func (p *Provider) gone(ctx context.Context, m *machine) {
	p.send(ctx, m, status.VMwareGone)
}

// list asks for the ids of all VMs, beside the watch. unread is how many of them have no configuration to read an id from, and weren't known before.
func (w *watch) list(ctx context.Context) (ids []string, unread int, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var vms []mo.VirtualMachine
	if err := w.vms.Retrieve(ctx, []string{kindVM}, w.identity.properties(), &vms); err != nil {
		return nil, 0, fmt.Errorf("listing VMs: %w", err)
	}
	for _, vm := range vms {
		m := machine{custom: types.ArrayOfCustomFieldValue{CustomFieldValue: vm.CustomValue}}
		if vm.Config != nil {
			m.uuid, m.extra = vm.Config.InstanceUuid, types.ArrayOfOptionValue{OptionValue: vm.Config.ExtraConfig}
		}
		ids = append(ids, w.identity.of(&m))
		if known := w.provider.machines[vm.Self]; vm.Config == nil && w.identity.by != ByAttribute && (known == nil || known.id == "") {
			unread++
		}
	}
	return ids, unread, nil
}
