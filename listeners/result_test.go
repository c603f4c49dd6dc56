package listeners_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/resources"
)

func TestResultOf(t *testing.T) {
	broken := errors.New("disk on fire")
	for _, c := range []struct {
		action resources.Action
		err    error
		want   listeners.Result
	}{
		{resources.Created, nil, listeners.Created},
		{resources.Moved, nil, listeners.Moved},
		{resources.Updated, nil, listeners.Updated},
		{resources.Removed, nil, listeners.Removed},
		{resources.Unchanged, nil, listeners.Unchanged},
		{resources.Moved, &fsm.TransitionError{}, listeners.Refused},
		{resources.Updated, fmt.Errorf("%w: vm/1", resources.ErrRemoved), listeners.Refused},
		{resources.Moved, fmt.Errorf("%w: vm/1", resources.ErrNoEffect), listeners.Refused},
		{resources.Moved, &resources.VetoError{Err: broken}, listeners.Vetoed},
		{resources.Moved, &resources.VetoError{Err: resources.ErrNotFound}, listeners.Vetoed},
		{resources.Created, &resources.BatchError{Err: &resources.VetoError{Err: broken}}, listeners.Vetoed},
		{resources.Moved, fmt.Errorf("%w: vm/1", resources.ErrConflict), listeners.Conflict},
		{resources.Moved, &resources.StaleError{}, listeners.Stale},
		{resources.Moved, fmt.Errorf("%w: vm/1", resources.ErrNotFound), listeners.NotFound},
		{resources.Created, fmt.Errorf("%w: vm/1", resources.ErrExists), listeners.Exists},
		{resources.Created, &resources.InvalidError{}, listeners.Invalid},
		{resources.Created, &resources.UnknownError{}, listeners.Invalid},
		{resources.Created, &resources.RelationError{}, listeners.Invalid},
		{resources.Moved, &fsm.UnknownError{}, listeners.Invalid},
		{resources.Moved, fmt.Errorf("resources: vm/1: %w", context.Canceled), listeners.Cancelled},
		{resources.Moved, context.DeadlineExceeded, listeners.Cancelled},
		{resources.Moved, &resources.PanicError{Value: &resources.VetoError{}}, listeners.Panicked},
		{resources.Moved, &fsm.GuardError{Err: broken}, listeners.Panicked},
		{resources.Moved, broken, listeners.Failed},
		{resources.Moved, resources.ErrInWriter, listeners.Failed},
	} {
		got := listeners.ResultOf(resources.Change{Action: c.action}, c.err)
		if got != c.want {
			t.Errorf("%s, %v: %s, want %s", c.action, c.err, got, c.want)
		}
		if !slices.Contains(listeners.Results(), got) {
			t.Errorf("%s is not listed", got)
		}
		if fault := got == listeners.Failed || got == listeners.Panicked; got.Fault() != fault {
			t.Errorf("%s: Fault is %v", got, got.Fault())
		}
	}
}
