package resources

import (
	"context"
	"errors"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
)

func (h *Handle) fire(ctx context.Context, id string, on fsm.Trigger, opts []Option) (outcome, error) {
	base := Change{Action: Moved, ResourceID: id, Trigger: on}
	return h.perform(ctx, base, opts, func(ctx context.Context, w *work) error { return w.planMove(ctx) })
}

func (w *work) planMove(ctx context.Context) error {
	obj, err := w.read(ctx)
	if err != nil {
		return err
	}
	o := ObjectOf(obj)
	if op := w.call.operation; !op.IsZero() && op != o.Operation {
		return &StaleError{Kind: w.base.Kind, ID: o.ID, Operation: op, Current: o.Operation}
	}
	return w.moveFrom(obj)
}

// moveFrom asks the machine what becomes of obj, whose place is noted, and makes that of it.
func (w *work) moveFrom(obj any) error {
	o := ObjectOf(obj)
	step, err := w.h.info.Machine.Next(o.State, o.Origin, w.base.Trigger, obj)
	if err != nil {
		return refusedAt(err, o.ID)
	}
	if !step.Moved {
		return w.unchanged(obj)
	}
	w.lift(o)
	w.change.ID = bus.NewID(w.now)
	w.keepLinks(obj)
	w.stamp(o, step)
	if obj, err = w.alter(obj); err != nil {
		return err
	}
	w.settle(obj)
	return nil
}

// refusedAt tells a refusal of the machine which resource it was about.
func refusedAt(err error, id string) error {
	var refused *fsm.TransitionError
	if errors.As(err, &refused) {
		refused.ID = id
	}
	return err
}

// alter runs what the caller and the kind have to say about obj, which is in its new state, and returns a copy that is the engine's
// alone.
func (w *work) alter(obj any) (any, error) {
	mover, moves := obj.(Mover)
	if len(w.call.sets) == 0 && !moves {
		return obj, nil
	}
	for _, set := range w.call.sets {
		if err := w.own("Set", obj, func() error { return set(obj) }); err != nil {
			return nil, err
		}
	}
	if moves {
		err := w.own("Moved", obj, func() error {
			mover.Moved(w.change.From, ObjectOf(obj).State, w.base.Trigger)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return w.vet(obj)
}
