package resources

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/cloudbus-go/cloudbus/bus"
)

// maxErrorText bounds Acted.Error, in bytes.
const maxErrorText = 1024

// Done records the end of an action: succeeded if err is nil, else failed. It returns err, joined with what kept the end from being recorded,
// if anything did. It records even if the context of the action has ended, and waits some 10 s for the store at most; an end that
// couldn't be recorded by then is recorded later, by Run or CloseActions. Only the first call records: later ones, and one that
// comes when others have closed the action because this process didn't answer for too long, are ErrActionClosed.
// It may be called concurrently, but not inside a transaction of the store, which it would wait for.
//
// A function that may panic ends its action by Defer. If Done is called by a deferred function that runs because of a panic, or of
// runtime.Goexit, the action has failed even though err is nil.
type Done func(err error) error

// Defer is for defer statements: it records the end of an action by the error that the function returns, and puts what Done returns in
// its place. A panic is recorded as a failure, and goes on. A deferred function may call it too; what the panic says isn't known then.
//
//	defer done.Defer(&err)
func (d Done) Defer(err *error) {
	v := recover()
	if v != nil {
		_ = d(&unwound{v}) // the engine logs what kept it from being recorded
		panic(v)
	}
	if err == nil {
		_ = d(nil)
		return
	}
	*err = d(*err)
}

// noRecord is the Done of what isn't recorded.
func noRecord(err error) error { return err }

// done returns what records the action's end. ctx is the caller's.
func (a *action) done(ctx context.Context) Done {
	var over atomic.Bool
	var began [64]uintptr
	n := runtime.Callers(2, began[:])
	return func(err error) error {
		if over.Swap(true) {
			return errors.Join(err, fmt.Errorf("%w: %s", ErrActionClosed, a.row.ID))
		}
		cause := err
		if err == nil && unwinding(callers()) && !unwinding(began[:n]) {
			cause = &unwound{"the function that acted didn't return"}
		}
		if unrecorded := a.close(ctx, cause); unrecorded != nil {
			return errors.Join(err, unrecorded)
		}
		return err
	}
}

// callers returns the call of the function that called this function's caller, and the one that called that. Defer doesn't count: a deferred
// function may call it, instead of being it.
func callers() []uintptr {
	calls := make([]uintptr, 3)
	calls = calls[:runtime.Callers(3, calls)] // beside runtime.Callers, this function and its caller
	if f, _ := runtime.CallersFrames(calls).Next(); strings.HasSuffix(f.Function, "/resources.Done.Defer") {
		return calls[1:]
	}
	return calls[:min(2, len(calls))]
}

// unwinding reports whether one of some calls was made by a panic or by runtime.Goexit: the goroutine is on its way out. A function that
// was called so while its action began earlier, in the ordinary course, was deferred: what it acted for hasn't returned.
func unwinding(calls []uintptr) bool {
	frames := runtime.CallersFrames(calls)
	for {
		f, more := frames.Next()
		if f.Function == "runtime.gopanic" || f.Function == "runtime.Goexit" {
			return true
		}
		if !more {
			return false
		}
	}
}

// unwound is the failure of an action whose function panicked, or ended its goroutine.
type unwound struct{ value any }

func (u *unwound) Error() string { return fmt.Sprintf("panic: %v", u.value) }

// failureOf says how an action failed, and with which text, in a form that any event can carry. Errors are foreign code.
func failureOf(err error) (how Failure, text string) {
	how = FailureError
	defer func() {
		if v := recover(); v != nil {
			text = fmt.Sprintf("a %T, which panics when it is asked", err)
		}
	}()
	var (
		over  *unwound
		ours  *PanicError
		buses *bus.PanicError
	)
	switch {
	case err == errAbandoned: //nolint:errorlint // nobody else has it
		how = FailureAbandoned
	case errors.As(err, &over), errors.As(err, &ours), errors.As(err, &buses):
		how = FailurePanic
	}
	return how, bounded(strings.ToValidUTF8(err.Error(), string(utf8.RuneError)))
}

// bounded cuts a text that is too long for an event.
func bounded(text string) string {
	if len(text) <= maxErrorText {
		return text
	}
	const more = "…"
	end := maxErrorText - len(more)
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + more
}
