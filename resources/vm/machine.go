package vm

import (
	"time"

	"github.com/cloudbus-go/cloudbus/fsm"
)

// Kind is the name of the kind.
const Kind = "vm"

// States.
const (
	Stopped   fsm.State = "stopped"
	Starting  fsm.State = "starting"
	Running   fsm.State = "running"
	Pausing   fsm.State = "pausing"
	Paused    fsm.State = "paused"
	Resuming  fsm.State = "resuming"
	Stopping  fsm.State = "stopping"
	Migrating fsm.State = "migrating"
	Restoring fsm.State = "restoring"
	Destroyed fsm.State = "destroyed"
	Error     fsm.State = "error"
	Expunging fsm.State = "expunging"
	Expunged  fsm.State = "expunged"
)

// Triggers: what is asked for, how operations end, and what the hypervisor reports.
const (
	StartRequested     fsm.Trigger = "start_requested"
	StopRequested      fsm.Trigger = "stop_requested"
	PauseRequested     fsm.Trigger = "pause_requested"
	ResumeRequested    fsm.Trigger = "resume_requested"
	MigrationRequested fsm.Trigger = "migration_requested"
	RestoreRequested   fsm.Trigger = "restore_requested"
	DestroyRequested   fsm.Trigger = "destroy_requested"
	RecoveryRequested  fsm.Trigger = "recovery_requested"
	ExpungeRequested   fsm.Trigger = "expunge_requested"

	CreationFailed     fsm.Trigger = "creation_failed"
	OperationSucceeded             = fsm.OperationSucceeded
	OperationFailed                = fsm.OperationFailed
	OperationRetried   fsm.Trigger = "operation_retried"

	ReportRunning fsm.Trigger = "report_running"
	ReportPaused  fsm.Trigger = "report_paused"
	ReportStopped fsm.Trigger = "report_stopped"
)

// Machine is the lifecycle of a VM.
var Machine = fsm.MustNew(fsm.Spec{
	Kind:    Kind,
	Initial: fsm.States(Stopped),
	Final:   fsm.States(Expunged),
	Limits: map[fsm.State]time.Duration{
		Starting:  10 * time.Minute,
		Stopping:  10 * time.Minute,
		Pausing:   2 * time.Minute,
		Resuming:  2 * time.Minute,
		Migrating: 2 * time.Hour,
		Restoring: 4 * time.Hour,
		Expunging: 24 * time.Hour,
	},
	Edges: []fsm.Edge{
		{From: fsm.States(Stopped), On: StartRequested, To: Starting},
		{From: fsm.States(Stopped), On: MigrationRequested, To: Migrating},
		{From: fsm.States(Stopped), On: RestoreRequested, To: Restoring},
		{From: fsm.States(Stopped), On: DestroyRequested, To: Destroyed},
		{From: fsm.States(Stopped), On: ExpungeRequested, To: Expunging},
		{From: fsm.States(Stopped), On: CreationFailed, To: Error, If: neverRan},
		{From: fsm.States(Stopped), On: ReportRunning, To: Running},
		{From: fsm.States(Stopped), On: ReportPaused, To: Paused},
		{From: fsm.States(Stopped), On: ReportStopped, To: fsm.Same},
		{From: fsm.States(Stopped), On: StopRequested, To: fsm.Same},
		{From: fsm.States(Stopped), On: RecoveryRequested, To: fsm.Same},

		{From: fsm.States(Starting), On: OperationSucceeded, To: Running},
		{From: fsm.States(Starting), On: OperationFailed, To: fsm.Origin},
		{From: fsm.States(Starting), On: OperationRetried, To: fsm.Same},
		{From: fsm.States(Starting), On: StartRequested, To: fsm.Same},
		{From: fsm.States(Starting), On: ReportRunning, To: Running},
		{From: fsm.States(Starting), On: ReportStopped, To: fsm.Same},
		{From: fsm.States(Starting), On: ReportPaused, To: fsm.Same},

		{From: fsm.States(Running), On: StopRequested, To: Stopping},
		{From: fsm.States(Running), On: PauseRequested, To: Pausing},
		{From: fsm.States(Running), On: MigrationRequested, To: Migrating},
		{From: fsm.States(Running), On: ReportStopped, To: Stopped},
		{From: fsm.States(Running), On: ReportPaused, To: Paused},
		{From: fsm.States(Running), On: ReportRunning, To: fsm.Same},
		{From: fsm.States(Running), On: StartRequested, To: fsm.Same},
		{From: fsm.States(Running), On: ResumeRequested, To: fsm.Same},

		{From: fsm.States(Pausing), On: OperationSucceeded, To: Paused},
		{From: fsm.States(Pausing), On: OperationFailed, To: fsm.Origin},
		{From: fsm.States(Pausing), On: PauseRequested, To: fsm.Same},
		{From: fsm.States(Pausing), On: ReportPaused, To: Paused},
		{From: fsm.States(Pausing), On: ReportRunning, To: fsm.Same},
		{From: fsm.States(Pausing), On: ReportStopped, To: Stopped},

		{From: fsm.States(Paused), On: ResumeRequested, To: Resuming},
		{From: fsm.States(Paused), On: StopRequested, To: Stopping},
		{From: fsm.States(Paused), On: ReportRunning, To: Running},
		{From: fsm.States(Paused), On: ReportStopped, To: Stopped},
		{From: fsm.States(Paused), On: ReportPaused, To: fsm.Same},
		{From: fsm.States(Paused), On: PauseRequested, To: fsm.Same},

		{From: fsm.States(Resuming), On: OperationSucceeded, To: Running},
		{From: fsm.States(Resuming), On: OperationFailed, To: fsm.Origin},
		{From: fsm.States(Resuming), On: ResumeRequested, To: fsm.Same},
		{From: fsm.States(Resuming), On: ReportRunning, To: Running},
		{From: fsm.States(Resuming), On: ReportPaused, To: fsm.Same},
		{From: fsm.States(Resuming), On: ReportStopped, To: Stopped},

		{From: fsm.States(Stopping), On: OperationSucceeded, To: Stopped},
		{From: fsm.States(Stopping), On: OperationFailed, To: fsm.Origin},
		{From: fsm.States(Stopping), On: StopRequested, To: fsm.Same},
		{From: fsm.States(Stopping), On: ReportStopped, To: Stopped},
		{From: fsm.States(Stopping), On: ReportRunning, To: fsm.Same},
		{From: fsm.States(Stopping), On: ReportPaused, To: fsm.Same},

		{From: fsm.States(Migrating), On: OperationSucceeded, To: fsm.Origin},
		{From: fsm.States(Migrating), On: OperationFailed, To: fsm.Origin},
		{From: fsm.States(Migrating), On: ReportRunning, To: fsm.Same},
		{From: fsm.States(Migrating), On: ReportStopped, To: fsm.Same},
		{From: fsm.States(Migrating), On: ReportPaused, To: fsm.Same},

		{From: fsm.States(Restoring), On: OperationSucceeded, To: Stopped},
		{From: fsm.States(Restoring), On: OperationFailed, To: fsm.Origin},
		{From: fsm.States(Restoring), On: RestoreRequested, To: fsm.Same},
		{From: fsm.States(Restoring), On: ReportStopped, To: fsm.Same},

		{From: fsm.States(Destroyed), On: RecoveryRequested, To: Stopped},
		{From: fsm.States(Destroyed), On: ExpungeRequested, To: Expunging},
		{From: fsm.States(Destroyed), On: RestoreRequested, To: Restoring},
		{From: fsm.States(Destroyed), On: DestroyRequested, To: fsm.Same},
		{From: fsm.States(Destroyed), On: ReportStopped, To: fsm.Same},

		{From: fsm.States(Error), On: DestroyRequested, To: Expunging},
		{From: fsm.States(Error), On: ExpungeRequested, To: Expunging},
		{From: fsm.States(Error), On: ReportStopped, To: fsm.Same},

		// No way back: the cleanup tries again, and the limit tells somebody.
		{From: fsm.States(Expunging), On: OperationSucceeded, To: Expunged},
		{From: fsm.States(Expunging), On: OperationFailed, To: Expunging},
		{From: fsm.States(Expunging), On: ExpungeRequested, To: fsm.Same},
		{From: fsm.States(Expunging), On: DestroyRequested, To: fsm.Same},
		{From: fsm.States(Expunging), On: ReportStopped, To: fsm.Same},

		// Hypervisors tell late: a stop may be reported long after the end.
		{From: fsm.States(Expunged), On: ReportStopped, To: fsm.Same},
		{From: fsm.States(Expunged), On: ExpungeRequested, To: fsm.Same},
		{From: fsm.States(Expunged), On: DestroyRequested, To: fsm.Same},
	},
})
