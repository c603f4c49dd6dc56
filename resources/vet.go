package resources

import "errors"

// own runs foreign code that may alter obj, but not what is the engine's in it.
func (w *work) own(where string, obj any, fn func() error) error {
	before := *ObjectOf(obj)
	if err := w.protect(where, fn); err != nil {
		return err
	}
	field := owned(&before, ObjectOf(obj))
	if field == "" {
		return nil
	}
	return &InvalidError{Kind: w.base.Kind, ID: before.ID, Field: field, Reason: "is the engine's, and can't be altered by " + where}
}

// vet checks what obj has become, and returns a copy of it that nobody else has a pointer to.
func (w *work) vet(obj any) (any, error) {
	if err := w.validate(obj); err != nil {
		return nil, err
	}
	obj = w.h.info.Clone(obj)
	return obj, w.h.checkTexts(ObjectOf(obj))
}

// validate asks the kind whether its fields are right.
func (w *work) validate(obj any) error {
	v, ok := obj.(Validator)
	if !ok {
		return nil
	}
	var invalid error
	if err := w.own("Validate", obj, func() error { invalid = v.Validate(); return nil }); err != nil || invalid == nil {
		return err
	}
	e := &InvalidError{Kind: w.base.Kind, ID: w.change.ResourceID, Reason: invalid.Error(), Err: invalid}
	if named := new(InvalidError); errors.As(invalid, &named) {
		e.Field, e.Reason = named.Field, named.Reason
	}
	return e
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
