package main

import "github.com/vmware/govmomi/vim25/types"

// operation is what a task does to a VM.
type operation int

const (
	nothing operation = iota
	creating
	destroying
)

// task is a running task of the vCenter that makes or destroys a VM.
type task struct {
	vm    types.ManagedObjectReference
	doing operation
}

const taskDestroy = "VirtualMachine.destroy"

// readTask returns what a task does to which VM; false if it has ended, or does neither.
//
// The entity of a task that makes a VM is a folder, or the VM that is cloned: the new one is its result, as soon as there is one.
func readTask(info types.TaskInfo) (task, bool) {
	if ended(info) {
		return task{}, false
	}
	switch info.DescriptionId {
	case taskDestroy:
		if info.Entity != nil && info.Entity.Type == kindVM {
			return task{*info.Entity, destroying}, true
		}
	case "Folder.createVm", "VirtualMachine.clone", "VirtualMachine.instantClone", "ResourcePool.createVm", "ResourcePool.ImportVAppLRO":
		if vm, ok := info.Result.(types.ManagedObjectReference); ok && vm.Type == kindVM {
			return task{vm, creating}, true
		}
	}
	return task{}, false
}

func ended(info types.TaskInfo) bool {
	return info.State != types.TaskInfoStateRunning && info.State != types.TaskInfoStateQueued
}
