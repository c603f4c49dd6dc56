package cluster

import "github.com/cloudbus-go/cloudbus/fsm"

// Kind is the name of the kind.
const Kind = "cluster"

// States.
const (
	Creating fsm.State = "creating"
	Active   fsm.State = "active"
	Updating fsm.State = "updating"
	Degraded fsm.State = "degraded"
	Failed   fsm.State = "failed"
	Deleting fsm.State = "deleting"
	Deleted  fsm.State = "deleted"
)

// Triggers: what the provider reports.
const (
	ReportCreating fsm.Trigger = "report_creating"
	ReportActive   fsm.Trigger = "report_active"
	ReportUpdating fsm.Trigger = "report_updating"
	ReportDegraded fsm.Trigger = "report_degraded"
	ReportFailed   fsm.Trigger = "report_failed"
	ReportDeleting fsm.Trigger = "report_deleting"
	ReportDeleted  fsm.Trigger = "report_deleted"
)

// Machine is the lifecycle of a cluster. None of its states is transitional: how long its provider may take isn't known here.
var Machine = fsm.MustNew(fsm.Spec{
	Kind:    Kind,
	Initial: fsm.States(Creating),
	Final:   fsm.States(Deleted),
	Edges: []fsm.Edge{
		{From: fsm.States(Creating), On: ReportCreating, To: fsm.Same},
		{From: fsm.States(Active, Updating, Degraded, Failed, Deleting), On: ReportCreating, To: Creating},

		{From: fsm.States(Active), On: ReportActive, To: fsm.Same},
		{From: fsm.States(Creating, Updating, Degraded, Failed, Deleting), On: ReportActive, To: Active},

		{From: fsm.States(Updating), On: ReportUpdating, To: fsm.Same},
		{From: fsm.States(Creating, Active, Degraded, Failed, Deleting), On: ReportUpdating, To: Updating},

		{From: fsm.States(Degraded), On: ReportDegraded, To: fsm.Same},
		{From: fsm.States(Creating, Active, Updating, Failed, Deleting), On: ReportDegraded, To: Degraded},

		{From: fsm.States(Failed), On: ReportFailed, To: fsm.Same},
		{From: fsm.States(Creating, Active, Updating, Degraded, Deleting), On: ReportFailed, To: Failed},

		{From: fsm.States(Deleting), On: ReportDeleting, To: fsm.Same},
		{From: fsm.States(Creating, Active, Updating, Degraded, Failed), On: ReportDeleting, To: Deleting},

		{From: fsm.States(Deleted), On: ReportDeleted, To: fsm.Same},
		{From: fsm.States(Creating, Active, Updating, Degraded, Failed, Deleting), On: ReportDeleted, To: Deleted},
	},
})
