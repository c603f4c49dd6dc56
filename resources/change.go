package resources

import (
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
)

// Action is the sort of a change.
type Action string

const (
	Created   Action = "created"
	Moved     Action = "moved"
	Updated   Action = "updated"
	Removed   Action = "removed"   // a purge has deleted it: what was final is gone
	Snapshot  Action = "snapshot"  // nothing has happened: this is what the resource is; see Handle.Snapshot
	Unchanged Action = "unchanged" // a Same edge, or an Update that altered nothing: told to the caller and to After listeners, never posted
)

// Change is what happened to one resource: what Fire returns, listeners see, events carry.
type Change struct {
	ID         bus.ID      `json:"id,omitzero"` // also the id of its event; zero if Unchanged
	Action     Action      `json:"action"`
	Kind       string      `json:"kind"`
	ResourceID string      `json:"resource_id"`
	Tenant     string      `json:"tenant,omitempty"`
	Trigger    fsm.Trigger `json:"trigger,omitempty"`
	From       fsm.State   `json:"from,omitempty"` // state before; "" for created
	To         fsm.State   `json:"to"`             // state after; of what was removed, its last
	FromOrigin fsm.State   `json:"from_origin,omitempty"`
	Origin     fsm.State   `json:"origin,omitempty"`
	Operation  bus.ID      `json:"operation,omitzero"` // the operation that this change began, carried on or ended
	Version    uint64      `json:"version"`            // of the resource after the change
	Time       time.Time   `json:"time"`               // when it happened
	Since      time.Time   `json:"since,omitzero"`     // when the resource entered From
	Actor      string      `json:"actor,omitempty"`
	Reason     string      `json:"reason,omitempty"`

	payload bus.Payload // Changed[T], set by the engine
	links   *links      // nil: the kind has no relations
	took    time.Duration
}

// Changed reports whether the resource changed; false: a Same edge, an Update that altered nothing, or a snapshot.
func (c Change) Changed() bool { return c.Action != Unchanged && c.Action != Snapshot }

// Took is how long the call took, listeners included, by the engine's clock: for AfterListeners. Elsewhere it is 0.
func (c Change) Took() time.Duration { return c.took }

// EventType is <kind>.created, <kind>.updated, <kind>.removed, <kind>.snapshot or <kind>.state.<to>; "" for what is never told.
func (c Change) EventType() string {
	switch c.Action {
	case Created, Updated, Removed, Snapshot:
		return c.Kind + "." + string(c.Action)
	case Moved:
		return c.Kind + ".state." + string(c.To)
	}
	return ""
}

// Address says which tenant and resource the change is about.
func (c Change) Address() (tenant, kind, id string) { return c.Tenant, c.Kind, c.ResourceID }

// What returns the change itself; it makes every Changed[T] an AnyChanged.
func (c Change) What() Change { return c }

// Event is the typed payload Changed[T] of this change, with the snapshot, without secrets: what listeners.Post appends.
// All listeners share it: read it, don't change it. It is nil if nothing changed.
func (c Change) Event() bus.Payload { return c.payload }

// Changed is the event of a kind: a change, and the resource after it. Kinds declare type Changed = resources.Changed[VM].
type Changed[T any] struct {
	Change
	Resource T `json:"resource"` // after the change, without fields tagged cloudbus:"secret"
}

// Snapshot returns the resource after the change as *T.
func (c Changed[T]) Snapshot() any { return &c.Resource }

// Event returns the payload to append for this change: itself, or nil if nothing changed.
func (c Changed[T]) Event() bus.Payload {
	if !c.Change.Changed() {
		return nil
	}
	return c
}

// AnyChanged is implemented by Changed[T] of every kind.
type AnyChanged interface {
	bus.Payload
	What() Change
	Snapshot() any
}

var _ AnyChanged = Changed[Object]{}
