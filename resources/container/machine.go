package container

import "github.com/cloudbus-go/cloudbus/fsm"

// Kind is the name of the kind.
const Kind = "container"

// States.
const (
	Pending   fsm.State = "pending"
	Running   fsm.State = "running"
	Succeeded fsm.State = "succeeded"
	Failed    fsm.State = "failed"
	Unknown   fsm.State = "unknown"
	Deleted   fsm.State = "deleted"
)

// Triggers: what the provider reports.
const (
	ReportPending   fsm.Trigger = "report_pending"
	ReportRunning   fsm.Trigger = "report_running"
	ReportSucceeded fsm.Trigger = "report_succeeded"
	ReportFailed    fsm.Trigger = "report_failed"
	ReportUnknown   fsm.Trigger = "report_unknown"
	ReportDeleted   fsm.Trigger = "report_deleted"
)

// Machine is the lifecycle of a container.
var Machine = fsm.MustNew(fsm.Spec{
	Kind:    Kind,
	Initial: fsm.States(Pending),
	Final:   fsm.States(Deleted),
	Edges: []fsm.Edge{
		{From: fsm.States(Pending), On: ReportPending, To: fsm.Same},
		{From: fsm.States(Running, Succeeded, Failed, Unknown), On: ReportPending, To: Pending},

		{From: fsm.States(Running), On: ReportRunning, To: fsm.Same},
		{From: fsm.States(Pending, Succeeded, Failed, Unknown), On: ReportRunning, To: Running},

		{From: fsm.States(Succeeded), On: ReportSucceeded, To: fsm.Same},
		{From: fsm.States(Pending, Running, Failed, Unknown), On: ReportSucceeded, To: Succeeded},

		{From: fsm.States(Failed), On: ReportFailed, To: fsm.Same},
		{From: fsm.States(Pending, Running, Succeeded, Unknown), On: ReportFailed, To: Failed},

		{From: fsm.States(Unknown), On: ReportUnknown, To: fsm.Same},
		{From: fsm.States(Pending, Running, Succeeded, Failed), On: ReportUnknown, To: Unknown},

		{From: fsm.States(Deleted), On: ReportDeleted, To: fsm.Same},
		{From: fsm.States(Pending, Running, Succeeded, Failed, Unknown), On: ReportDeleted, To: Deleted},
	},
})
