package snapshot

import (
	"time"

	"github.com/cloudbus-go/cloudbus/fsm"
)

// Kind is the name of the kind.
const Kind = "snapshot"

// States.
const (
	Allocated  fsm.State = "allocated"
	Creating   fsm.State = "creating"
	Created    fsm.State = "created"
	BackingUp  fsm.State = "backing_up"
	BackedUp   fsm.State = "backed_up"
	Copying    fsm.State = "copying"
	Error      fsm.State = "error"
	Destroying fsm.State = "destroying"
	Deleted    fsm.State = "deleted"
)

// Triggers: what is asked for, and how operations end.
const (
	CreateRequested  fsm.Trigger = "create_requested"
	BackupRequested  fsm.Trigger = "backup_requested"
	CopyRequested    fsm.Trigger = "copy_requested"
	DestroyRequested fsm.Trigger = "destroy_requested"

	OperationSucceeded             = fsm.OperationSucceeded
	OperationFailed                = fsm.OperationFailed
	OperationSkipped   fsm.Trigger = "operation_skipped"
)

// Machine is the lifecycle of a snapshot.
var Machine = fsm.MustNew(fsm.Spec{
	Kind:    Kind,
	Initial: fsm.States(Allocated),
	Final:   fsm.States(Deleted),
	Limits: map[fsm.State]time.Duration{
		Creating:   2 * time.Hour,
		BackingUp:  24 * time.Hour,
		Copying:    24 * time.Hour,
		Destroying: 24 * time.Hour,
	},
	Edges: []fsm.Edge{
		{From: fsm.States(Allocated), On: CreateRequested, To: Creating},
		{From: fsm.States(Allocated), On: DestroyRequested, To: Destroying},

		{From: fsm.States(Creating), On: OperationSucceeded, To: Created},
		{From: fsm.States(Creating), On: OperationSkipped, To: BackedUp},
		{From: fsm.States(Creating), On: OperationFailed, To: Error},
		{From: fsm.States(Creating), On: CreateRequested, To: fsm.Same},

		{From: fsm.States(Created), On: BackupRequested, To: BackingUp},
		{From: fsm.States(Created), On: DestroyRequested, To: Destroying},
		{From: fsm.States(Created), On: CreateRequested, To: fsm.Same},

		{From: fsm.States(BackingUp), On: OperationSucceeded, To: BackedUp},
		{From: fsm.States(BackingUp), On: OperationFailed, To: fsm.Origin},
		{From: fsm.States(BackingUp), On: BackupRequested, To: fsm.Same},

		{From: fsm.States(BackedUp), On: CopyRequested, To: Copying},
		{From: fsm.States(BackedUp), On: BackupRequested, To: BackingUp},
		{From: fsm.States(BackedUp), On: DestroyRequested, To: Destroying},

		{From: fsm.States(Copying), On: OperationSucceeded, To: BackedUp},
		{From: fsm.States(Copying), On: OperationFailed, To: fsm.Origin},

		{From: fsm.States(Error), On: DestroyRequested, To: Destroying},

		// No way back: the cleanup tries again, and the limit tells somebody.
		{From: fsm.States(Destroying), On: OperationSucceeded, To: Deleted},
		{From: fsm.States(Destroying), On: OperationFailed, To: Destroying},
		{From: fsm.States(Destroying), On: DestroyRequested, To: fsm.Same},

		{From: fsm.States(Deleted), On: DestroyRequested, To: fsm.Same},
	},
})
