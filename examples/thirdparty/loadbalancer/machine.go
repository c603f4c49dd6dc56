package loadbalancer

import (
	"time"

	"github.com/cloudbus-go/cloudbus/fsm"
)

// Kind is the name of the kind.
const Kind = "loadbalancer"

// States.
const (
	Allocated     fsm.State = "allocated"
	Building      fsm.State = "building"
	Active        fsm.State = "active"
	Degraded      fsm.State = "degraded" // some backends don't answer
	Reconfiguring fsm.State = "reconfiguring"
	Deleting      fsm.State = "deleting"
	Deleted       fsm.State = "deleted"
)

// Triggers: what is asked for, what is reported, and how operations end.
const (
	BuildRequested       fsm.Trigger = "build_requested"
	ReconfigureRequested fsm.Trigger = "reconfigure_requested"
	DeleteRequested      fsm.Trigger = "delete_requested"
	ReportDegraded       fsm.Trigger = "report_degraded"
	ReportHealthy        fsm.Trigger = "report_healthy"

	OperationSucceeded = fsm.OperationSucceeded
	OperationFailed    = fsm.OperationFailed
)

var hasBackends = fsm.If("has_backends", func(lb *LoadBalancer) bool { return lb.Backends > 0 })

// Machine is the lifecycle of a load balancer.
var Machine = fsm.MustNew(fsm.Spec{
	Kind:    Kind,
	Initial: fsm.States(Allocated),
	Final:   fsm.States(Deleted),
	Limits: map[fsm.State]time.Duration{
		Building:      10 * time.Minute,
		Reconfiguring: 5 * time.Minute,
		Deleting:      10 * time.Minute,
	},
	Edges: []fsm.Edge{
		{From: fsm.States(Allocated), On: BuildRequested, To: Building, If: hasBackends},
		{From: fsm.States(Allocated), On: DeleteRequested, To: Deleted},

		{From: fsm.States(Building), On: OperationSucceeded, To: Active},
		{From: fsm.States(Building), On: OperationFailed, To: fsm.Origin},
		{From: fsm.States(Building), On: BuildRequested, To: fsm.Same},

		{From: fsm.States(Active, Degraded), On: ReconfigureRequested, To: Reconfiguring, If: hasBackends},
		{From: fsm.States(Active, Degraded), On: DeleteRequested, To: Deleting},
		{From: fsm.States(Active), On: ReportDegraded, To: Degraded},
		{From: fsm.States(Active), On: ReportHealthy, To: fsm.Same},
		{From: fsm.States(Degraded), On: ReportHealthy, To: Active},
		{From: fsm.States(Degraded), On: ReportDegraded, To: fsm.Same},

		{From: fsm.States(Reconfiguring), On: OperationSucceeded, To: Active},
		{From: fsm.States(Reconfiguring), On: OperationFailed, To: fsm.Origin},

		{From: fsm.States(Deleting), On: OperationSucceeded, To: Deleted},
		{From: fsm.States(Deleting), On: OperationFailed, To: Deleting}, // news; the cleanup tries again
		{From: fsm.States(Deleting, Deleted), On: DeleteRequested, To: fsm.Same},
	},
})
