package resources

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/cloudbus-go/cloudbus/bus"
)

// Schedule records that an actor has ordered something that is to begin later: action.<kind>.<verb>.scheduled. Whoever carries it out
// starts it: with what Schedule returns, or, elsewhere, with what Scheduled returns for its id. Arguments and errors are those of Action.
// A scheduled action is open too: it is closed as failed if the process ends that scheduled it.
func (e *Engine) Schedule(ctx context.Context, actor, kind, verb string, opts ...Option) (*ScheduledAction, error) {
	a, err := e.newAction(ctx, actor, kind, verb, opts)
	if err != nil {
		return nil, err
	}
	if err := a.openNew(ctx, a.recordScheduled); err != nil {
		return nil, err
	}
	return &ScheduledAction{action: *a}, nil
}

// Scheduled returns an action that Schedule has recorded and nobody has started, by its id. Errors: ErrActionClosed, also for an id that
// never was one; ErrActionStarted; ErrNoActions; what the store says.
func (e *Engine) Scheduled(ctx context.Context, id bus.ID) (*ScheduledAction, error) {
	s, err := e.actionStore()
	if err != nil {
		return nil, err
	}
	row, err := s.Action(ctx, id)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, fmt.Errorf("%w: %s", ErrActionClosed, id)
	case err != nil:
		return nil, fmt.Errorf("resources: action %s: %w", id, err)
	case !row.Started.IsZero():
		return nil, fmt.Errorf("%w: %s", ErrActionStarted, id)
	}
	return &ScheduledAction{action: action{engine: e, row: row}}, nil
}

// ScheduledAction is an action that is to be started, once. Its methods may be called concurrently.
type ScheduledAction struct {
	action action

	mu    sync.Mutex
	tried OpenAction // by a Start of which the database doesn't say whether it was recorded
}

// ID is the action's, which Engine.Scheduled takes.
func (s *ScheduledAction) ID() bus.ID { return s.action.row.ID }

// Start records that the action begins: action.<kind>.<verb>.started, and makes it this server's. The context it returns is like that of
// Action, with the correlation that the action was scheduled with. Errors: ErrActionStarted; ErrActionClosed if it was cancelled, or
// abandoned by the server that scheduled it; ErrInWriter; what the store says: after a bus.ErrOutage Start may be called again. The context
// and done are usable even then, and record nothing.
func (s *ScheduledAction) Start(ctx context.Context) (context.Context, Done, error) {
	a, again := s.next()
	err := a.open(ctx, func(tx ActionTx) error {
		if err := tx.StartAction(a.row); err != nil {
			return err
		}
		return a.recordStarted(tx)
	})
	if errors.Is(err, ErrNotFound) {
		err = s.whyNot(ctx, a, again)
	}
	if errors.Is(err, bus.ErrOutage) {
		s.mu.Lock()
		s.tried = a.row
		s.mu.Unlock()
	}
	if err != nil {
		return ctx, noRecord, err
	}
	return a.context(ctx), a.done(ctx), nil
}

// next is the start to be recorded: that of the try before if nobody knows whether it was.
func (s *ScheduledAction) next() (a *action, again bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a = &action{engine: s.action.engine, row: s.action.row}
	if again = !s.tried.Started.IsZero(); again {
		a.row, s.tried = s.tried, OpenAction{}
		return a, true
	}
	a.begin(a.engine.clock())
	return a, false
}

// whyNot says why an action couldn't be started; nil: this very start was recorded by the try before.
func (s *ScheduledAction) whyNot(ctx context.Context, a *action, again bool) error {
	store, err := a.engine.actionStore()
	if err != nil {
		return err
	}
	row, err := store.Action(ctx, a.row.ID)
	switch {
	case errors.Is(err, ErrNotFound):
		return fmt.Errorf("%w: %s", ErrActionClosed, a.row.ID)
	case err != nil:
		return a.named(err)
	case again && row.Started == a.row.Started:
		return nil
	}
	return fmt.Errorf("%w: %s", ErrActionStarted, a.row.ID)
}

// Cancel records that the action failed without having been started. cause says why; without one it is an *InvalidError. Like Done it
// records even if ctx has ended. Errors: ErrActionStarted; ErrActionClosed; ErrInWriter; what the store says.
func (s *ScheduledAction) Cancel(ctx context.Context, cause error) error {
	a := s.action
	if cause == nil {
		return &InvalidError{Kind: "action", ID: a.row.ID.String(), Field: "cause", Reason: "is nil: why was it cancelled?"}
	}
	if _, err := a.engine.Scheduled(context.WithoutCancel(ctx), a.row.ID); err != nil {
		return err
	}
	return a.close(ctx, cause)
}
