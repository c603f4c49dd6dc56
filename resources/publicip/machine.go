package publicip

import (
	"time"

	"github.com/cloudbus-go/cloudbus/fsm"
)

// Kind is the name of the kind.
const Kind = "public_ip"

// States.
const (
	Free       fsm.State = "free"
	Allocating fsm.State = "allocating"
	Allocated  fsm.State = "allocated"
	Releasing  fsm.State = "releasing"
	Reserved   fsm.State = "reserved"
)

// Triggers: what is asked for, and how operations end.
const (
	AllocateRequested  fsm.Trigger = "allocate_requested"
	ReleaseRequested   fsm.Trigger = "release_requested"
	ReserveRequested   fsm.Trigger = "reserve_requested"
	UnreserveRequested fsm.Trigger = "unreserve_requested"

	OperationSucceeded = fsm.OperationSucceeded
	OperationFailed    = fsm.OperationFailed
)

// Machine is the lifecycle of a public IP address.
var Machine = fsm.MustNew(fsm.Spec{
	Kind:    Kind,
	Initial: fsm.States(Free),
	Endless: true,
	Limits: map[fsm.State]time.Duration{
		Allocating: 5 * time.Minute,
		Releasing:  5 * time.Minute,
	},
	Edges: []fsm.Edge{
		{From: fsm.States(Free), On: AllocateRequested, To: Allocating},
		{From: fsm.States(Free), On: ReserveRequested, To: Reserved},
		{From: fsm.States(Free), On: ReleaseRequested, To: fsm.Same},
		{From: fsm.States(Free), On: UnreserveRequested, To: fsm.Same},

		{From: fsm.States(Allocating), On: OperationSucceeded, To: Allocated},
		{From: fsm.States(Allocating), On: OperationFailed, To: fsm.Origin},

		{From: fsm.States(Allocated), On: ReleaseRequested, To: Releasing},

		{From: fsm.States(Releasing), On: OperationSucceeded, To: Free},
		{From: fsm.States(Releasing), On: OperationFailed, To: fsm.Origin},
		{From: fsm.States(Releasing), On: ReleaseRequested, To: fsm.Same},

		{From: fsm.States(Reserved), On: UnreserveRequested, To: Free},
		{From: fsm.States(Reserved), On: AllocateRequested, To: Allocating},
		{From: fsm.States(Reserved), On: ReserveRequested, To: fsm.Same},
	},
})
