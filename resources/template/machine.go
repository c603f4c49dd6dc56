package template

import (
	"time"

	"github.com/cloudbus-go/cloudbus/fsm"
)

// Kind is the name of the kind.
const Kind = "template"

// States. What is to be uploaded begins in NotUploaded, what is registered in Active.
const (
	NotUploaded  fsm.State = "not_uploaded"
	Uploading    fsm.State = "uploading"
	Active       fsm.State = "active"
	Inactive     fsm.State = "inactive"
	UploadFailed fsm.State = "upload_failed"
	Deleted      fsm.State = "deleted"
)

// Triggers: what is asked for, and how operations end.
const (
	UploadRequested     fsm.Trigger = "upload_requested"
	ActivateRequested   fsm.Trigger = "activate_requested"
	DeactivateRequested fsm.Trigger = "deactivate_requested"
	DeleteRequested     fsm.Trigger = "delete_requested"

	OperationSucceeded             = fsm.OperationSucceeded
	OperationFailed                = fsm.OperationFailed
	OperationTimedOut  fsm.Trigger = "operation_timed_out"
)

// Machine is the lifecycle of a template.
var Machine = fsm.MustNew(fsm.Spec{
	Kind:    Kind,
	Initial: fsm.States(NotUploaded, Active),
	Final:   fsm.States(Deleted),
	Limits: map[fsm.State]time.Duration{
		Uploading: 24 * time.Hour,
	},
	Edges: []fsm.Edge{
		// An upload may be over before anybody was told that it began.
		{From: fsm.States(NotUploaded), On: UploadRequested, To: Uploading},
		{From: fsm.States(NotUploaded), On: OperationSucceeded, To: Active},
		{From: fsm.States(NotUploaded), On: OperationFailed, To: UploadFailed},

		{From: fsm.States(Uploading), On: OperationSucceeded, To: Active},
		{From: fsm.States(Uploading), On: OperationFailed, To: UploadFailed},
		{From: fsm.States(Uploading), On: OperationTimedOut, To: UploadFailed},

		{From: fsm.States(Active), On: DeactivateRequested, To: Inactive},
		{From: fsm.States(Active), On: ActivateRequested, To: fsm.Same},

		{From: fsm.States(Inactive), On: ActivateRequested, To: Active},
		{From: fsm.States(Inactive), On: DeleteRequested, To: Deleted},
		{From: fsm.States(Inactive), On: DeactivateRequested, To: fsm.Same},

		{From: fsm.States(UploadFailed), On: UploadRequested, To: Uploading},
		{From: fsm.States(UploadFailed), On: DeleteRequested, To: Deleted},

		{From: fsm.States(Deleted), On: DeleteRequested, To: fsm.Same},
	},
})
