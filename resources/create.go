package resources

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
)

func (h *Handle) create(ctx context.Context, obj any, opts []Option) (outcome, error) {
	base := Change{Action: Created}
	if v := reflect.ValueOf(obj); !v.IsValid() || v.Type() != reflect.PointerTo(h.info.Type) || v.IsNil() {
		obj = nil
	} else {
		base.ResourceID, base.Tenant = ObjectOf(obj).ID, ObjectOf(obj).Tenant
	}
	return h.perform(ctx, base, opts, func(_ context.Context, w *work) error { return w.planCreate(obj) })
}

func (w *work) planCreate(given any) error {
	info := w.h.info
	if given == nil {
		return info.invalid("", "Create wants a *%v that isn't nil", info.Type)
	}
	obj := w.h.info.Clone(given)
	o := ObjectOf(obj)
	if field := preset(o); field != "" {
		return info.invalid(field, "is the engine's, and can't be given to Create")
	}
	if o.ID == "" {
		o.ID = bus.NewID(w.now).String()
	}
	w.change.ResourceID = o.ID
	if err := w.h.checkTexts(o); err != nil {
		return err
	}
	initial := info.Machine.Initial()
	if o.State == "" {
		o.State = initial[0]
	}
	if !slices.Contains(initial, o.State) {
		return info.invalid("State", "%q is no initial state (allowed: %s)", o.State, join(initial))
	}
	if err := w.check(obj); err != nil {
		return err
	}
	w.change.ID = bus.NewID(w.now)
	o.CreatedAt = w.change.Time
	to := o.State
	o.State = ""
	w.stamp(o, fsm.Step{To: to})
	w.settle(w.h.info.Clone(obj))
	return nil
}

// preset returns the name of an engine's field that has a value, or "".
func preset(o *Object) string {
	return owned(o, &Object{ID: o.ID, State: o.State})
}

// owned returns the name of the first field that belongs to the engine and differs, or "".
func owned(a, b *Object) string {
	switch {
	case a.ID != b.ID:
		return "ID"
	case a.State != b.State:
		return "State"
	case a.Origin != b.Origin:
		return "Origin"
	case a.Operation != b.Operation:
		return "Operation"
	case a.Version != b.Version:
		return "Version"
	case !a.StateSince.Equal(b.StateSince):
		return "StateSince"
	case !a.CreatedAt.Equal(b.CreatedAt):
		return "CreatedAt"
	case !a.UpdatedAt.Equal(b.UpdatedAt):
		return "UpdatedAt"
	case !a.RemovedAt.Equal(b.RemovedAt):
		return "RemovedAt"
	}
	return ""
}

// checkTexts checks what Object lets the caller choose.
func (h *Handle) checkTexts(o *Object) error {
	if reason := badID(o.ID); reason != "" {
		return h.info.invalid("ID", "%s", reason)
	}
	for _, text := range []struct{ field, value string }{{"Tenant", o.Tenant}, {"Name", o.Name}} {
		if reason := badText(text.value, 255); reason != "" {
			return &InvalidError{Kind: h.info.Name, ID: o.ID, Field: text.field, Reason: reason}
		}
	}
	return nil
}

// check asks the kind whether its fields are right.
func (w *work) check(obj any) error {
	v, ok := obj.(Validator)
	if !ok {
		return nil
	}
	before := *ObjectOf(obj)
	var invalid error
	if err := w.protect("Validate", func() error { invalid = v.Validate(); return nil }); err != nil {
		return err
	}
	if invalid != nil {
		e := &InvalidError{Kind: w.base.Kind, ID: w.change.ResourceID, Reason: invalid.Error(), Err: invalid}
		if named := new(InvalidError); errors.As(invalid, &named) {
			e.Field, e.Reason = named.Field, named.Reason
		}
		return e
	}
	return w.unowned("Validate", &before, ObjectOf(obj))
}

// unowned refuses what alters the engine's fields.
func (w *work) unowned(who string, before, after *Object) error {
	field := owned(before, after)
	if field == "" {
		return nil
	}
	return &InvalidError{
		Kind: w.base.Kind, ID: before.ID, Field: field,
		Reason: fmt.Sprintf("is the engine's, and can't be altered by %s", who),
	}
}
