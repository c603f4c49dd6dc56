package resources

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// endTime is how long recording an end may take, which nobody can cancel.
const endTime = 10 * time.Second

// action is an open action as this process sees it.
type action struct {
	engine *Engine
	row    OpenAction
}

// actionStore is the store as one of actions.
func (e *Engine) actionStore() (ActionStore, error) {
	if s, ok := e.store.(ActionStore); ok {
		return s, nil
	}
	return nil, fmt.Errorf("%w: %T", ErrNoActions, e.store)
}

func (a *action) named(err error) error {
	return fmt.Errorf("resources: action %s.%s %s: %w", a.row.Kind, a.row.Verb, a.row.ID, err)
}

// begin notes when the action starts.
func (a *action) begin(now time.Time) {
	a.row.StartedAt = notBefore(now, a.row.ScheduledAt)
	a.row.Started = bus.NewID(a.row.StartedAt)
}

// notBefore keeps time from running backwards between the events of an action.
func notBefore(now, earlier time.Time) time.Time {
	if now = now.UTC().Round(0); now.Before(earlier) {
		return earlier
	}
	return now
}

// acted is the event of a status.
func (a *action) acted(s ActionStatus) Acted {
	r := &a.row
	ev := Acted{
		Action: r.ID, Kind: r.Kind, Verb: r.Verb, Status: s, ResourceID: r.ResourceID, Tenant: r.Tenant, Actor: r.Actor, Reason: r.Reason,
		Owner: r.Owner, ScheduledAt: r.ScheduledAt,
	}
	if s != ActionScheduled {
		ev.StartedAt = r.StartedAt
	}
	return ev
}

// ended is the event of the end that an error makes.
func (a *action) ended(cause error) Acted {
	ev := a.acted(ActionSucceeded)
	ev.EndedAt = notBefore(a.engine.clock(), a.latest())
	if cause != nil {
		ev.Status = ActionFailed
		ev.Failure, ev.Error = failureOf(cause)
	}
	return ev
}

// latest is the time of the action's newest event.
func (a *action) latest() time.Time {
	if a.row.StartedAt.IsZero() {
		return a.row.ScheduledAt
	}
	return a.row.StartedAt
}

// newest is the id of the action's newest event, which causes what comes next.
func (a *action) newest() bus.ID {
	if a.row.Started.IsZero() {
		return a.row.ID
	}
	return a.row.Started
}

// recordScheduled makes the action open.
func (a *action) recordScheduled(tx ActionTx) error {
	if err := tx.InsertAction(a.row); err != nil {
		return err
	}
	return a.append(tx, a.acted(ActionScheduled), a.row.ID, a.row.ScheduledAt, bus.ID{})
}

func (a *action) recordStarted(tx ActionTx) error {
	return a.append(tx, a.acted(ActionStarted), a.row.Started, a.row.StartedAt, a.row.ID)
}

// recordEnd closes the action.
func (a *action) recordEnd(tx ActionTx, ev Acted) error {
	if err := tx.DeleteAction(a.row.ID); err != nil {
		return err
	}
	return a.append(tx, ev, bus.NewID(ev.EndedAt), ev.EndedAt, a.newest())
}

// append posts an event of the action. Without a cause it has that of the context.
func (a *action) append(tx ActionTx, ev Acted, id bus.ID, at time.Time, cause bus.ID) error {
	_, err := tx.Append(ev, func(h *bus.Header) {
		h.ID, h.Time, h.Actor, h.CorrelationID = id, at, a.row.Actor, a.row.CorrelationID
		if !cause.IsZero() {
			h.CausationID = cause.String()
		}
	})
	return err
}

// context returns the one in which the action is carried out.
func (a *action) context(ctx context.Context) context.Context {
	r := &a.row
	return bus.ContextWithCause(ctx, bus.Header{ // the trace is that of ctx
		ID: r.Started, Type: a.acted(ActionStarted).EventType(), Kind: r.Kind, ResourceID: r.ResourceID, Tenant: r.Tenant,
		Time: r.StartedAt, Actor: r.Actor, CorrelationID: r.CorrelationID, CausationID: r.ID.String(),
	})
}

// open runs a member that makes the action open, or lets it begin.
func (a *action) open(ctx context.Context, do func(ActionTx) error) error {
	s, err := a.engine.actionStore()
	if err != nil {
		return err
	}
	if bus.InWriter(ctx, s.Journal()) {
		return a.named(ErrInWriter)
	}
	for range tries {
		if a.row.Owner, err = s.OwnActions(ctx); err != nil {
			break
		}
		if err = a.engine.inActionTx(ctx, s.Do, do); !errors.Is(err, ErrConflict) {
			break
		}
	}
	if err == nil {
		return nil
	}
	return a.named(err)
}

// openNew is open for an action that nobody knows yet. If the database doesn't say whether it is open now, it is closed.
func (a *action) openNew(ctx context.Context, do func(ActionTx) error) error {
	err := a.open(ctx, do)
	if errors.Is(err, bus.ErrOutage) {
		a.engine.late.add(*a, a.ended(fmt.Errorf("it wasn't known whether its beginning was recorded: %w", err)))
	}
	return err
}

// close records the end of the action, whether or not the context has ended, or sees to it that it is recorded later.
func (a *action) close(ctx context.Context, cause error) error {
	ev := a.ended(cause)
	bound, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
	defer cancel()
	err := a.tryEnd(bound, ev)
	if err == nil || errors.Is(err, ErrActionClosed) || errors.Is(err, ErrInWriter) {
		return err
	}
	later := a.engine.late.add(*a, ev)
	a.engine.log.ErrorContext(ctx, "the end of an action couldn't be recorded", "kind", ev.Kind, "verb", ev.Verb, "action", ev.Action,
		"status", ev.Status, "error", err, "will_be_tried_again", later)
	return err
}

// tryEnd records an end.
func (a *action) tryEnd(ctx context.Context, ev Acted) error {
	err := a.engine.inActionTx(ctx, a.engine.store.Do, func(tx ActionTx) error { return a.recordEnd(tx, ev) })
	switch {
	case errors.Is(err, ErrNotFound):
		return fmt.Errorf("%w: %s", ErrActionClosed, a.row.ID)
	case err != nil:
		return a.named(err)
	}
	return nil
}

// inActionTx runs fn as a member.
func (e *Engine) inActionTx(ctx context.Context, do func(context.Context, func(StoreTx) error) error, fn func(ActionTx) error) error {
	return do(ctx, func(tx StoreTx) error {
		t, ok := tx.(ActionTx)
		if !ok {
			return fmt.Errorf("%w: its transactions are %T", ErrNoActions, tx)
		}
		return fn(t)
	})
}
