package resources

import (
	"context"
	"fmt"
	"time"

	"github.com/cloudbus-go/cloudbus/fsm"
)

// Kind is the typed face of a registered kind. All methods may be called concurrently; what they return is the caller's.
type Kind[T any] struct{ h *Handle }

// Handle returns the untyped face.
func (k *Kind[T]) Handle() *Handle { return k.h }

// Create makes a resource. Without an ID it gets one; without a State, the machine's first initial one. v may set ID, State, Tenant,
// Name and the kind's own fields; the rest is the engine's.
// Errors: *InvalidError, ErrExists, *UnknownError for a state, *VetoError.
func (k *Kind[T]) Create(ctx context.Context, v T, opts ...Option) (*T, error) {
	obj, err := k.h.Create(ctx, &v, opts...)
	if err != nil {
		return nil, err
	}
	return obj.(*T), nil
}

// Get reads a resource; ErrNotFound.
func (k *Kind[T]) Get(ctx context.Context, id string) (*T, error) {
	obj, err := k.h.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	return obj.(*T), nil
}

// List reads a page of resources in order of ID.
func (k *Kind[T]) List(ctx context.Context, q Query) (Page[T], error) {
	items, next, err := k.h.List(ctx, q)
	if err != nil {
		return Page[T]{}, err
	}
	p := Page[T]{Items: make([]*T, len(items)), Next: next}
	for i, item := range items {
		p.Items[i] = item.(*T)
	}
	return p, nil
}

// Fire fires a trigger at a resource. See Handle.Fire.
func (k *Kind[T]) Fire(ctx context.Context, id string, on fsm.Trigger, opts ...Option) (Changed[T], error) {
	out, err := k.h.fire(ctx, id, on, opts)
	return k.changed(out, err)
}

// Update alters a resource without moving it. See Handle.Update.
func (k *Kind[T]) Update(ctx context.Context, id string, set func(*T) error, opts ...Option) (Changed[T], error) {
	var untyped func(any) error
	if set != nil {
		untyped = func(obj any) error { return set(obj.(*T)) }
	}
	out, err := k.h.update(ctx, id, untyped, opts)
	return k.changed(out, err)
}

func (k *Kind[T]) changed(out outcome, err error) (Changed[T], error) {
	if err != nil {
		return Changed[T]{}, err
	}
	c := out.change
	c.payload, c.links = nil, nil
	return Changed[T]{Change: c, Resource: *k.h.info.snapshot(out.object).(*T)}, nil
}

// Purge removes resources that have been in a final state for longer than age. See Handle.Purge.
func (k *Kind[T]) Purge(ctx context.Context, age time.Duration, opts ...Option) (Purged, error) {
	return k.h.Purge(ctx, age, opts...)
}

// Allowed lists the triggers that Fire would take now, in order of declaration; ErrNotFound.
func (k *Kind[T]) Allowed(ctx context.Context, id string) ([]fsm.Trigger, error) {
	return k.h.Allowed(ctx, id)
}

// Set alters the resource as a part of the move. See the untyped Set.
func (k *Kind[T]) Set(set func(*T) error) Option {
	if set == nil {
		return Set(nil)
	}
	return Set(func(obj any) error {
		v, ok := obj.(*T)
		if !ok {
			return &InvalidError{Field: "Set", Reason: fmt.Sprintf("is for a %T, not for a %T", v, obj)}
		}
		return set(v)
	})
}

// Page of a List.
type Page[T any] struct {
	Items []*T
	Next  string // After of the next page; "" at the end
}
