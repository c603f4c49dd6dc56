package resources

import (
	"context"
	"reflect"
	"slices"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
)

func (h *Handle) create(ctx context.Context, obj any, opts []Option) (outcome, error) {
	base, obj := h.creation(obj)
	return h.perform(ctx, base, opts, func(_ context.Context, w *work) error { return w.planCreate(obj) })
}

// creation is the change as far as it is known at once; the object is nil if it isn't a *T.
func (h *Handle) creation(obj any) (Change, any) {
	base := Change{Action: Created}
	if v := reflect.ValueOf(obj); !v.IsValid() || v.Type() != reflect.PointerTo(h.info.Type) || v.IsNil() {
		return base, nil
	}
	base.ResourceID, base.Tenant = ObjectOf(obj).ID, ObjectOf(obj).Tenant
	return base, obj
}

func (w *work) planCreate(given any) error {
	if given == nil {
		return w.h.info.invalid("", "Create wants a *%v that isn't nil", w.h.info.Type)
	}
	obj := w.h.info.Clone(given)
	if err := w.begin(ObjectOf(obj)); err != nil {
		return err
	}
	obj, err := w.vet(obj)
	if err != nil {
		return err
	}
	o := ObjectOf(obj)
	w.change.ID = bus.NewID(w.now)
	o.CreatedAt = w.change.Time
	initial := o.State
	o.State = ""
	w.stamp(o, fsm.Step{To: initial})
	w.settle(obj)
	return nil
}

// begin checks and fills in what Create lets the caller leave out.
func (w *work) begin(o *Object) error {
	if field := preset(o); field != "" {
		return w.h.info.invalid(field, "is the engine's, and can't be given to Create")
	}
	if o.ID == "" {
		o.ID = bus.NewID(w.now).String()
	}
	w.change.ResourceID = o.ID
	initial := w.h.info.Machine.Initial()
	if o.State == "" {
		o.State = initial[0]
	}
	if !slices.Contains(initial, o.State) {
		return w.h.info.invalid("State", "%q is no initial state (allowed: %s)", o.State, join(initial))
	}
	return nil
}
