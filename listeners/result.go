package listeners

import (
	"context"
	"errors"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
)

// Result says in one word how a call of Create, Fire, Update or a purge ended: what metrics and traces tell calls apart by.
type Result string

const (
	Created   Result = "created"
	Moved     Result = "moved"
	Updated   Result = "updated"
	Removed   Result = "removed"
	Unchanged Result = "unchanged" // accepted, and nothing to do

	Refused   Result = "refused"   // the resource's state doesn't allow it: the machine's no, ErrRemoved, ErrNoEffect
	Vetoed    Result = "vetoed"    // a listener's no
	Conflict  Result = "conflict"  // others kept changing the resource
	Stale     Result = "stale"     // the outcome of an operation that is over
	NotFound  Result = "not_found" // no such resource
	Exists    Result = "exists"    // the id is taken
	Invalid   Result = "invalid"   // a wrong argument: a trigger, a state or a related resource that there isn't
	Cancelled Result = "cancelled" // the caller stopped waiting
	Panicked  Result = "panicked"  // a listener, guard or function of the caller's did
	Failed    Result = "error"     // all else: the store, mostly
)

// Results lists all of them.
func Results() []Result {
	return []Result{
		Created, Moved, Updated, Removed, Unchanged,
		Refused, Vetoed, Conflict, Stale, NotFound, Exists, Invalid, Cancelled, Panicked, Failed,
	}
}

// ResultOf returns the result of what an AfterListener is told.
func ResultOf(c resources.Change, err error) Result {
	if err == nil {
		return Result(c.Action)
	}
	return resultOf(err)
}

// Fault reports whether the server is to blame, and not what was asked of it.
func (r Result) Fault() bool { return r == Failed || r == Panicked }

// sentinels are the errors whose result follows from their identity.
var sentinels = []struct {
	err    error
	result Result
}{
	{resources.ErrNotFound, NotFound},
	{resources.ErrConflict, Conflict},
	{resources.ErrStale, Stale},
	{resources.ErrExists, Exists},
	{resources.ErrRemoved, Refused},
	{resources.ErrNoEffect, Refused},
	{context.Canceled, Cancelled},
	{context.DeadlineExceeded, Cancelled},
}

func resultOf(err error) Result {
	var (
		panicked *resources.PanicError
		veto     *resources.VetoError
		refused  *fsm.TransitionError
		guard    *fsm.GuardError
		trigger  *fsm.UnknownError
		invalid  *resources.InvalidError
		unknown  *resources.UnknownError
		relation *resources.RelationError
	)
	switch { // what wraps a listener's or a caller's own error goes first
	case errors.As(err, &panicked), errors.As(err, &guard):
		return Panicked
	case errors.As(err, &veto):
		return Vetoed
	case errors.As(err, &refused):
		return Refused
	case errors.As(err, &trigger), errors.As(err, &invalid), errors.As(err, &unknown), errors.As(err, &relation):
		return Invalid
	}
	for _, s := range sentinels {
		if errors.Is(err, s.err) {
			return s.result
		}
	}
	return Failed
}
