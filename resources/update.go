package resources

import (
	"context"
	"reflect"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
)

func (h *Handle) update(ctx context.Context, id string, set func(any) error, opts []Option) (outcome, error) {
	base := Change{Action: Updated, ResourceID: id}
	return h.perform(ctx, base, opts, func(ctx context.Context, w *work) error { return w.planUpdate(ctx, set) })
}

func (w *work) planUpdate(ctx context.Context, set func(any) error) error {
	if set == nil {
		return &InvalidError{Kind: w.base.Kind, ID: w.base.ResourceID, Field: "set", Reason: "the function is nil"}
	}
	old, err := w.read(ctx)
	if err != nil {
		return err
	}
	if class, _ := w.h.info.Machine.Class(w.change.From); class == fsm.Final {
		return ErrRemoved
	}
	old = w.h.info.Clone(old)
	w.keepLinks(old)
	obj := w.h.info.Clone(old)
	if err := w.own("Update", obj, func() error { return set(obj) }); err != nil {
		return err
	}
	if obj, err = w.vet(obj); err != nil {
		return err
	}
	if reflect.DeepEqual(old, obj) {
		return w.unchanged(obj)
	}
	o := ObjectOf(obj)
	w.lift(o)
	w.change.ID = bus.NewID(w.now)
	w.touch(o)
	w.settle(obj)
	return nil
}
