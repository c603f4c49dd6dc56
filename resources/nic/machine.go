package nic

import (
	"time"

	"github.com/cloudbus-go/cloudbus/fsm"
)

// Kind is the name of the kind.
const Kind = "nic"

// States.
const (
	Allocated fsm.State = "allocated"
	Reserving fsm.State = "reserving"
	Reserved  fsm.State = "reserved"
	Releasing fsm.State = "releasing"
	Deleted   fsm.State = "deleted"
)

// Triggers: what is asked for, and how operations end.
const (
	ReservationRequested fsm.Trigger = "reservation_requested"
	CancelRequested      fsm.Trigger = "cancel_requested"
	ReleaseRequested     fsm.Trigger = "release_requested"
	DeleteRequested      fsm.Trigger = "delete_requested"

	OperationSucceeded = fsm.OperationSucceeded
	OperationFailed    = fsm.OperationFailed
)

// Machine is the lifecycle of a NIC.
var Machine = fsm.MustNew(fsm.Spec{
	Kind:    Kind,
	Initial: fsm.States(Allocated),
	Final:   fsm.States(Deleted),
	Limits: map[fsm.State]time.Duration{
		Reserving: 5 * time.Minute,
		Releasing: 5 * time.Minute,
	},
	Edges: []fsm.Edge{
		{From: fsm.States(Allocated), On: ReservationRequested, To: Reserving},
		{From: fsm.States(Allocated), On: DeleteRequested, To: Deleted},
		{From: fsm.States(Allocated), On: ReleaseRequested, To: fsm.Same},

		{From: fsm.States(Reserving), On: OperationSucceeded, To: Reserved},
		{From: fsm.States(Reserving), On: OperationFailed, To: fsm.Origin},
		{From: fsm.States(Reserving), On: CancelRequested, To: fsm.Origin},
		{From: fsm.States(Reserving), On: ReservationRequested, To: fsm.Same},

		{From: fsm.States(Reserved), On: ReleaseRequested, To: Releasing},
		{From: fsm.States(Reserved), On: ReservationRequested, To: fsm.Same},

		{From: fsm.States(Releasing), On: OperationSucceeded, To: Allocated},
		{From: fsm.States(Releasing), On: OperationFailed, To: fsm.Origin},
		{From: fsm.States(Releasing), On: ReleaseRequested, To: fsm.Same},

		{From: fsm.States(Deleted), On: DeleteRequested, To: fsm.Same},
	},
})
