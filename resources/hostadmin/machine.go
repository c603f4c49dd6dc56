package hostadmin

import (
	"time"

	"github.com/cloudbus-go/cloudbus/fsm"
)

// Kind is the name of the kind.
const Kind = "host_admin"

// States. A host takes new VMs in Enabled only.
const (
	Enabled              fsm.State = "enabled"
	Disabled             fsm.State = "disabled"
	PreparingMaintenance fsm.State = "preparing_maintenance"
	Maintenance          fsm.State = "maintenance"
	Error                fsm.State = "error"
	Removed              fsm.State = "removed"
)

// Triggers: what is asked for, and how operations end.
const (
	EnableRequested      fsm.Trigger = "enable_requested"
	DisableRequested     fsm.Trigger = "disable_requested"
	MaintenanceRequested fsm.Trigger = "maintenance_requested"
	CancelRequested      fsm.Trigger = "cancel_requested"
	RemoveRequested      fsm.Trigger = "remove_requested"

	OperationSucceeded = fsm.OperationSucceeded
	OperationFailed    = fsm.OperationFailed
)

// Machine is the lifecycle of a host's administration.
var Machine = fsm.MustNew(fsm.Spec{
	Kind:    Kind,
	Initial: fsm.States(Enabled),
	Final:   fsm.States(Removed),
	Limits: map[fsm.State]time.Duration{
		PreparingMaintenance: 6 * time.Hour,
	},
	Edges: []fsm.Edge{
		{From: fsm.States(Enabled), On: DisableRequested, To: Disabled},
		{From: fsm.States(Enabled), On: MaintenanceRequested, To: PreparingMaintenance},
		{From: fsm.States(Enabled), On: EnableRequested, To: fsm.Same},

		{From: fsm.States(Disabled), On: EnableRequested, To: Enabled},
		{From: fsm.States(Disabled), On: MaintenanceRequested, To: PreparingMaintenance},
		{From: fsm.States(Disabled), On: RemoveRequested, To: Removed},
		{From: fsm.States(Disabled), On: DisableRequested, To: fsm.Same},

		{From: fsm.States(PreparingMaintenance), On: OperationSucceeded, To: Maintenance},
		{From: fsm.States(PreparingMaintenance), On: OperationFailed, To: Error},
		{From: fsm.States(PreparingMaintenance), On: CancelRequested, To: fsm.Origin},
		{From: fsm.States(PreparingMaintenance), On: MaintenanceRequested, To: fsm.Same},

		{From: fsm.States(Maintenance), On: CancelRequested, To: Enabled},
		{From: fsm.States(Maintenance), On: RemoveRequested, To: Removed},
		{From: fsm.States(Maintenance), On: MaintenanceRequested, To: fsm.Same},

		{From: fsm.States(Error), On: MaintenanceRequested, To: PreparingMaintenance},
		{From: fsm.States(Error), On: CancelRequested, To: Enabled},
		{From: fsm.States(Error), On: DisableRequested, To: Disabled},

		{From: fsm.States(Removed), On: RemoveRequested, To: fsm.Same},
	},
})
