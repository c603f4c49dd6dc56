package resources

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
)

var (
	// ErrNotFound: no resource of that kind has that id.
	ErrNotFound = errors.New("resources: not found")
	// ErrExists: the id is taken.
	ErrExists = errors.New("resources: exists already")
	// ErrConflict: others kept changing the resource while the call tried to.
	ErrConflict = errors.New("resources: changed by somebody else meanwhile")
	// ErrStale: the outcome of an operation that the resource isn't in. See StaleError.
	ErrStale = errors.New("resources: outcome of another operation")
	// ErrNoEffect: the call changes nothing, so what it brought (Set, With) would be lost.
	ErrNoEffect = errors.New("resources: nothing would change, so the arguments would be lost")
	// ErrRemoved: the resource is in a final state, and history isn't altered.
	ErrRemoved = errors.New("resources: in a final state")
	// ErrTxDone: a Tx was used after the function it was given to had returned.
	ErrTxDone = errors.New("resources: the transaction is over")
	// ErrRunning: the engine's Run is at work already.
	ErrRunning = errors.New("resources: the engine is running already")
	// ErrNoActions: the engine's store doesn't keep actions (it is no ActionStore).
	ErrNoActions = errors.New("resources: the store keeps no actions")
	// ErrActionClosed: the action has its end already: it was recorded before, or others have closed the action because its server was gone.
	ErrActionClosed = errors.New("resources: the action is closed")
	// ErrActionStarted: the scheduled action was started before.
	ErrActionStarted = errors.New("resources: the action is started already")
	// ErrInWriter: the caller is itself a member of the writer it would wait for.
	ErrInWriter = bus.ErrInWriter
)

// VetoError says that a listener said no. It wraps the listener's error.
type VetoError struct {
	Listener, Kind, ID string
	Trigger            string // "" for a creation or an update
	Err                error
}

func (e *VetoError) Error() string {
	what := "a change"
	if e.Trigger != "" {
		what = fmt.Sprintf("%q", e.Trigger)
	}
	return fmt.Sprintf("resources: %s/%s: listener %q vetoed %s: %v", e.Kind, e.ID, e.Listener, what, e.Err)
}

func (e *VetoError) Unwrap() error { return e.Err }

// InvalidError says which input was wrong, and what would be right.
type InvalidError struct {
	Kind, ID, Field, Reason string
	Err                     error // the cause, if it is another error
}

func (e *InvalidError) Error() string {
	var b strings.Builder
	b.WriteString("resources: ")
	if e.Kind != "" {
		b.WriteString(e.Kind)
		if e.ID != "" {
			b.WriteString("/" + e.ID)
		}
		b.WriteString(": ")
	}
	if e.Field != "" {
		b.WriteString(e.Field + ": ")
	}
	b.WriteString(e.Reason)
	return b.String()
}

func (e *InvalidError) Unwrap() error { return e.Err }

// UnknownError: a name that isn't there, and those that are.
type UnknownError struct {
	What, Name string // "kind", "field of vm", "state of vm"
	Known      []string
}

func (e *UnknownError) Error() string {
	known := "there are none"
	if len(e.Known) > 0 {
		known = "known: " + strings.Join(e.Known, ", ")
	}
	return fmt.Sprintf("resources: unknown %s %q (%s)", e.What, e.Name, known)
}

// StaleError is an outcome that came too late, or for somebody else: ErrStale.
type StaleError struct {
	Kind, ID  string
	Operation bus.ID // the one the caller named
	Current   bus.ID // the one the resource is in; zero: none
}

func (e *StaleError) Error() string {
	current := "it is in none"
	if !e.Current.IsZero() {
		current = "it is in " + e.Current.String()
	}
	return fmt.Sprintf("%v: %s/%s: operation %s is over (%s)", ErrStale, e.Kind, e.ID, e.Operation, current)
}

// Is makes errors.Is(err, ErrStale) true.
func (e *StaleError) Is(target error) bool { return target == ErrStale }

// StatesError: stored resources are in states that the kind's machine doesn't have.
type StatesError struct {
	Kind   string
	Counts map[fsm.State]int64 // of the unknown states only
	Known  []fsm.State
}

func (e *StatesError) Error() string {
	rows := make([]string, 0, len(e.Counts))
	for _, s := range slices.Sorted(maps.Keys(e.Counts)) {
		rows = append(rows, fmt.Sprintf("%d in %q", e.Counts[s], s))
	}
	return fmt.Sprintf("resources: %s: stored resources in states the machine doesn't have: %s (its states: %s)",
		e.Kind, strings.Join(rows, ", "), join(e.Known))
}

func join[S ~string](s []S) string {
	names := make([]string, len(s))
	for i, v := range s {
		names[i] = string(v)
	}
	return strings.Join(names, ", ")
}
