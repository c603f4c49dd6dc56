package volume

import (
	"time"

	"github.com/cloudbus-go/cloudbus/fsm"
)

// Kind is the name of the kind.
const Kind = "volume"

// States.
const (
	Allocated    fsm.State = "allocated"
	Creating     fsm.State = "creating"
	Ready        fsm.State = "ready"
	Resizing     fsm.State = "resizing"
	Snapshotting fsm.State = "snapshotting"
	Reverting    fsm.State = "reverting"
	Migrating    fsm.State = "migrating"
	Attaching    fsm.State = "attaching"
	Detaching    fsm.State = "detaching"
	Uploading    fsm.State = "uploading"
	Uploaded     fsm.State = "uploaded"
	Copying      fsm.State = "copying"
	UploadFailed fsm.State = "upload_failed"
	Destroyed    fsm.State = "destroyed"
	Restoring    fsm.State = "restoring"
	Expunging    fsm.State = "expunging"
	Expunged     fsm.State = "expunged"
)

// Triggers: what is asked for, and how operations end.
const (
	CreateRequested    fsm.Trigger = "create_requested"
	UploadRequested    fsm.Trigger = "upload_requested"
	CopyRequested      fsm.Trigger = "copy_requested"
	ResizeRequested    fsm.Trigger = "resize_requested"
	SnapshotRequested  fsm.Trigger = "snapshot_requested"
	RevertRequested    fsm.Trigger = "revert_requested"
	MigrationRequested fsm.Trigger = "migration_requested"
	AttachRequested    fsm.Trigger = "attach_requested"
	DetachRequested    fsm.Trigger = "detach_requested"
	DestroyRequested   fsm.Trigger = "destroy_requested"
	RecoveryRequested  fsm.Trigger = "recovery_requested"
	RestoreRequested   fsm.Trigger = "restore_requested"
	ExpungeRequested   fsm.Trigger = "expunge_requested"

	OperationSucceeded             = fsm.OperationSucceeded
	OperationFailed                = fsm.OperationFailed
	OperationTimedOut  fsm.Trigger = "operation_timed_out"
	OperationRetried   fsm.Trigger = "operation_retried"
)

// Machine is the lifecycle of a volume.
var Machine = fsm.MustNew(fsm.Spec{
	Kind:    Kind,
	Initial: fsm.States(Allocated),
	Final:   fsm.States(Expunged),
	Limits: map[fsm.State]time.Duration{
		Creating:     30 * time.Minute,
		Resizing:     30 * time.Minute,
		Snapshotting: 2 * time.Hour,
		Reverting:    2 * time.Hour,
		Migrating:    12 * time.Hour,
		Attaching:    5 * time.Minute,
		Detaching:    5 * time.Minute,
		Uploading:    24 * time.Hour,
		Copying:      12 * time.Hour,
		Restoring:    12 * time.Hour,
		Expunging:    24 * time.Hour,
	},
	Edges: []fsm.Edge{
		{From: fsm.States(Allocated), On: CreateRequested, To: Creating},
		{From: fsm.States(Allocated), On: UploadRequested, To: Uploading},
		{From: fsm.States(Allocated), On: DestroyRequested, To: Destroyed},

		{From: fsm.States(Creating), On: OperationSucceeded, To: Ready},
		{From: fsm.States(Creating), On: OperationFailed, To: fsm.Origin},
		{From: fsm.States(Creating), On: OperationRetried, To: fsm.Same},
		{From: fsm.States(Creating), On: CreateRequested, To: fsm.Same},

		{From: fsm.States(Ready), On: ResizeRequested, To: Resizing},
		{From: fsm.States(Ready), On: SnapshotRequested, To: Snapshotting},
		{From: fsm.States(Ready), On: RevertRequested, To: Reverting},
		{From: fsm.States(Ready), On: MigrationRequested, To: Migrating},
		{From: fsm.States(Ready), On: AttachRequested, To: Attaching, If: detached},
		{From: fsm.States(Ready), On: DetachRequested, To: Detaching, If: attached},
		{From: fsm.States(Ready), On: DestroyRequested, To: Destroyed, If: detached},
		{From: fsm.States(Ready), On: CreateRequested, To: fsm.Same},

		{From: fsm.States(Resizing, Snapshotting, Reverting, Migrating, Attaching), On: OperationSucceeded, To: Ready},
		{From: fsm.States(Resizing, Snapshotting, Reverting, Migrating, Attaching), On: OperationFailed, To: fsm.Origin},

		{From: fsm.States(Detaching), On: OperationSucceeded, To: Ready},
		{From: fsm.States(Detaching), On: OperationFailed, To: fsm.Origin},
		{From: fsm.States(Detaching), On: DetachRequested, To: fsm.Same},

		{From: fsm.States(Uploading), On: OperationSucceeded, To: Uploaded},
		{From: fsm.States(Uploading), On: OperationFailed, To: UploadFailed},
		{From: fsm.States(Uploading), On: OperationTimedOut, To: UploadFailed},

		{From: fsm.States(Uploaded), On: CopyRequested, To: Copying},
		{From: fsm.States(Uploaded), On: DestroyRequested, To: Destroyed},

		{From: fsm.States(Copying), On: OperationSucceeded, To: Ready},
		{From: fsm.States(Copying), On: OperationFailed, To: fsm.Origin},

		{From: fsm.States(UploadFailed), On: DestroyRequested, To: Destroyed},
		{From: fsm.States(UploadFailed), On: UploadRequested, To: Uploading},

		// Back to what it was: of the two facts, created goes first.
		{From: fsm.States(Destroyed), On: RecoveryRequested, To: Ready, If: created},
		{From: fsm.States(Destroyed), On: RecoveryRequested, To: Uploaded, If: uploaded},
		{From: fsm.States(Destroyed), On: RecoveryRequested, To: Allocated},
		{From: fsm.States(Destroyed), On: RestoreRequested, To: Restoring},
		{From: fsm.States(Destroyed), On: ExpungeRequested, To: Expunging},
		{From: fsm.States(Destroyed), On: DestroyRequested, To: fsm.Same},

		{From: fsm.States(Restoring), On: OperationSucceeded, To: Ready},
		{From: fsm.States(Restoring), On: OperationFailed, To: fsm.Origin},

		// No way back: the cleanup tries again, and the limit tells somebody.
		{From: fsm.States(Expunging), On: OperationSucceeded, To: Expunged},
		{From: fsm.States(Expunging), On: OperationFailed, To: Expunging},
		{From: fsm.States(Expunging), On: ExpungeRequested, To: fsm.Same},
		{From: fsm.States(Expunging), On: DestroyRequested, To: fsm.Same},

		{From: fsm.States(Expunged), On: ExpungeRequested, To: fsm.Same},
		{From: fsm.States(Expunged), On: DestroyRequested, To: fsm.Same},
	},
})
