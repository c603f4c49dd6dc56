package resources

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
)

// Handle is the untyped face of a kind, for HTTP, CLIs and ingest. Objects are *T. All methods may be called concurrently.
type Handle struct {
	engine *Engine
	info   *Info
	chain  chain
	build  func(c Change, snapshot any) bus.Payload // Changed[T]

	limits     []stateLimit
	purgeAfter *time.Duration // nil: never
}

// Name returns the kind's name.
func (h *Handle) Name() string { return h.info.Name }

// Machine returns the kind's machine, with the limits given at Register.
func (h *Handle) Machine() *fsm.Machine { return h.info.Machine }

// Info returns the kind's description, fields included. It is shared: read it, don't change it.
func (h *Handle) Info() *Info { return h.info }

// New returns a new *T to decode into.
func (h *Handle) New() any { return h.info.New() }

// Snapshot returns what a resource is, as its events show it: a Changed[T] of the type <kind>.snapshot, without secrets. obj is a *T that was read; it isn't altered. It isn't posted
// anywhere: it is for those who tell consumers what there is before they tell what happens (the bridge's state stream).
func (h *Handle) Snapshot(obj any) bus.Payload {
	o := ObjectOf(obj)
	c := Change{
		Action: Snapshot, Kind: h.info.Name, ResourceID: o.ID, Tenant: o.Tenant, To: o.State, Origin: o.Origin, Operation: o.Operation,
		Version: o.Version, Time: o.UpdatedAt, Since: o.StateSince,
	}
	return h.build(c, h.info.snapshot(obj))
}

// Create makes a resource from obj, a *T, which it leaves as it is, and returns the one it made. See Kind.Create.
func (h *Handle) Create(ctx context.Context, obj any, opts ...Option) (any, error) {
	out, err := h.create(ctx, obj, opts)
	if err != nil {
		return nil, err
	}
	return out.object, nil
}

// Get reads a resource; ErrNotFound.
func (h *Handle) Get(ctx context.Context, id string) (any, error) {
	obj, err := h.engine.store.Load(ctx, h.info, id)
	if err != nil {
		return nil, h.named(id, err)
	}
	return obj, nil
}

// List reads a page of resources in order of ID. next is the After of the next page, "" at the end.
// Errors: *UnknownError for a field or state, *InvalidError for a value or a limit.
func (h *Handle) List(ctx context.Context, q Query) (items []any, next string, err error) {
	q, none, err := h.info.check(q)
	if err != nil || none {
		return nil, "", err
	}
	page := q.Limit
	q.Limit++
	items, err = h.engine.store.List(ctx, h.info, q)
	if err != nil {
		return nil, "", fmt.Errorf("resources: %s: %w", h.info.Name, err)
	}
	if len(items) > page {
		items = items[:page]
		next = ObjectOf(items[page-1]).ID
	}
	return items, next, nil
}

// Fire fires a trigger at a resource and returns what happened once it is committed. If the machine answers with a Same edge the
// change is Unchanged: nothing was written, and nothing is posted.
//
// Errors: ErrNotFound; *fsm.TransitionError, which names what is allowed; *fsm.UnknownError; *StaleError; *VetoError; *PanicError;
// *InvalidError; ErrNoEffect for a Same edge that would lose Set or With; ErrConflict after 8 tries; ErrInWriter, at once, if ctx is a
// member's; what the store says.
func (h *Handle) Fire(ctx context.Context, id string, on fsm.Trigger, opts ...Option) (Change, error) {
	out, err := h.fire(ctx, id, on, opts)
	if err != nil {
		return Change{}, err
	}
	return out.change, nil
}

// Update alters the kind's own fields, Tenant or Name without moving the resource. set gets *T, may run again if somebody else changed
// the resource meanwhile, and must not keep the pointer. If set alters nothing the change is Unchanged. Errors as for Fire, and
// ErrRemoved in a final state.
func (h *Handle) Update(ctx context.Context, id string, set func(any) error, opts ...Option) (Change, error) {
	out, err := h.update(ctx, id, set, opts)
	if err != nil {
		return Change{}, err
	}
	return out.change, nil
}

// Allowed lists the triggers that Fire would take now, in order of declaration; ErrNotFound.
func (h *Handle) Allowed(ctx context.Context, id string) ([]fsm.Trigger, error) {
	obj, err := h.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	o := ObjectOf(obj)
	allowed, err := h.info.Machine.Allowed(o.State, o.Origin, obj)
	if err != nil {
		return nil, h.named(id, err)
	}
	return allowed, nil
}

// CountStates counts the kind's resources by state.
func (h *Handle) CountStates(ctx context.Context) (map[fsm.State]int64, error) {
	counts, err := h.engine.store.CountStates(ctx, h.info)
	if err != nil {
		return nil, fmt.Errorf("resources: %s: %w", h.info.Name, err)
	}
	return counts, nil
}

// named says which resource an error is about, unless the error does so itself.
func (h *Handle) named(id string, err error) error {
	if err == nil {
		return nil
	}
	switch err {
	case ErrNotFound, ErrExists, ErrConflict, ErrNoEffect, ErrRemoved: //nolint:errorlint // wrapped ones say more already
		return fmt.Errorf("%w: %s/%s", err, h.info.Name, id)
	}
	switch err.(type) { //nolint:errorlint // as above
	case *VetoError, *PanicError, *InvalidError, *RelationError, *StaleError, *fsm.TransitionError:
		return err
	}
	resource := h.info.Name + "/" + id
	if text := err.Error(); strings.HasPrefix(text, "resources: ") && strings.Contains(text, resource) {
		return err // by the store
	}
	return fmt.Errorf("resources: %s: %w", resource, err)
}
