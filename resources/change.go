package resources

import (
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
)

type Action string

const (
	Created   Action = "created"
	Moved     Action = "moved"
	Updated   Action = "updated"
	Unchanged Action = "unchanged" // a Same edge, or an Update that altered nothing: returned to the caller, never posted
)

// Change is what happened to one resource: what Fire returns, listeners see, events carry.
type Change struct {
	ID         bus.ID      `json:"id"` // also the id of its event
	Action     Action      `json:"action"`
	Kind       string      `json:"kind"`
	ResourceID string      `json:"resource_id"`
	Tenant     string      `json:"tenant,omitempty"`
	Trigger    fsm.Trigger `json:"trigger,omitempty"`
	From       fsm.State   `json:"from,omitempty"` // state before; "" for created
	To         fsm.State   `json:"to"`             // state after
	FromOrigin fsm.State   `json:"from_origin,omitempty"`
	Origin     fsm.State   `json:"origin,omitempty"`
	Operation  bus.ID      `json:"operation,omitzero"` // the operation that this change began, carried on or ended
	Version    uint64      `json:"version"`
	Time       time.Time   `json:"time"`
	Since      time.Time   `json:"since,omitzero"` // when it entered From
	Actor      string      `json:"actor,omitempty"`
	Reason     string      `json:"reason,omitempty"`

	payload bus.Payload // *Changed[T] set by the engine
}

// Moved reports whether the resource changed (false: a Same edge).
func (c Change) Changed() bool { return c.Action != Unchanged }

// EventType is <kind>.created, <kind>.updated, or <kind>.state.<to>.
func (c Change) EventType() string                  { panic("unwritten") }
func (c Change) Address() (tenant, kind, id string) { return c.Tenant, c.Kind, c.ResourceID }

// What makes every Changed[T] an AnyChanged.
func (c Change) What() Change { return c }

// Event is the typed payload Changed[T] of this change, with the snapshot, secrets removed: what listeners.Post appends.
func (c Change) Event() bus.Payload { return c.payload }

// Changed is the event of a kind: a change and the resource after it. Kinds declare type Changed = resources.Changed[VM].
type Changed[T any] struct {
	Change
	Resource T `json:"resource"` // after the change, without fields tagged cloudbus:"secret"
}

// Snapshot returns the resource after the change as *T.
func (c Changed[T]) Snapshot() any { return &c.Resource }

// AnyChanged is implemented by Changed[T] of every kind.
type AnyChanged interface {
	bus.Payload
	What() Change
	Snapshot() any
}
