package network

import (
	"time"

	"github.com/cloudbus-go/cloudbus/fsm"
)

// Kind is the name of the kind.
const Kind = "network"

// States. Isolated networks begin in Allocated, shared ones in Setup.
const (
	Allocated    fsm.State = "allocated"
	Setup        fsm.State = "setup"
	Implementing fsm.State = "implementing"
	Implemented  fsm.State = "implemented"
	ShuttingDown fsm.State = "shutting_down"
	Deleted      fsm.State = "deleted"
)

// Triggers: what is asked for, and how operations end.
const (
	ImplementRequested fsm.Trigger = "implement_requested"
	ShutdownRequested  fsm.Trigger = "shutdown_requested"
	DeleteRequested    fsm.Trigger = "delete_requested"

	OperationSucceeded = fsm.OperationSucceeded
	OperationFailed    = fsm.OperationFailed
)

// Machine is the lifecycle of a network. Networks nobody uses are shut down back to Allocated, and implemented again:
// that is one network all along.
var Machine = fsm.MustNew(fsm.Spec{
	Kind:    Kind,
	Initial: fsm.States(Allocated, Setup),
	Final:   fsm.States(Deleted),
	Limits: map[fsm.State]time.Duration{
		Implementing: 30 * time.Minute,
		ShuttingDown: 30 * time.Minute,
	},
	Edges: []fsm.Edge{
		{From: fsm.States(Allocated), On: ImplementRequested, To: Implementing},
		{From: fsm.States(Allocated), On: DeleteRequested, To: Deleted},
		{From: fsm.States(Allocated), On: ShutdownRequested, To: fsm.Same},

		{From: fsm.States(Setup), On: DeleteRequested, To: Deleted},

		// What was built before it failed has to be taken down.
		{From: fsm.States(Implementing), On: OperationSucceeded, To: Implemented},
		{From: fsm.States(Implementing), On: OperationFailed, To: ShuttingDown},
		{From: fsm.States(Implementing), On: ImplementRequested, To: fsm.Same},

		{From: fsm.States(Implemented), On: ShutdownRequested, To: ShuttingDown},
		{From: fsm.States(Implemented), On: ImplementRequested, To: fsm.Same},

		{From: fsm.States(ShuttingDown), On: OperationSucceeded, To: Allocated},
		{From: fsm.States(ShuttingDown), On: OperationFailed, To: ShuttingDown},
		{From: fsm.States(ShuttingDown), On: ShutdownRequested, To: fsm.Same},

		{From: fsm.States(Deleted), On: DeleteRequested, To: fsm.Same},
	},
})
