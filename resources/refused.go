package resources

import (
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
)

// Refused is the event status.<kind>.refused: a report about a resource that its machine doesn't take where the resource stands, such as one that an expunged VM is
// running. Nothing has changed. Engines post none by themselves: listeners.Refusals records them, one for many repeats.
type Refused struct {
	Kind       string        `json:"kind"`
	ResourceID string        `json:"resource_id"`
	Tenant     string        `json:"tenant,omitempty"`
	Trigger    fsm.Trigger   `json:"trigger"`           // what was reported
	State      fsm.State     `json:"state"`             // where the resource was
	Origin     fsm.State     `json:"origin,omitempty"`  // the steady state it came from
	Allowed    []fsm.Trigger `json:"allowed,omitempty"` // what would have been taken
	Guards     []string      `json:"guards,omitempty"`  // those that did not hold
	Count      int64         `json:"count"`             // how often it was refused since the last of these events for the same resource, trigger and state, this time included
	Time       time.Time     `json:"time"`              // of the last of them
	Actor      string        `json:"actor,omitempty"`   // who reported
	Version    uint64        `json:"version"`           // of the resource, which a refusal doesn't raise
}

// EventType is status.<kind>.refused.
func (r Refused) EventType() string { return RefusedType(r.Kind) }

// Address says which tenant and resource it is about.
func (r Refused) Address() (tenant, kind, id string) { return r.Tenant, r.Kind, r.ResourceID }

// RefusedType is the type of the refusals of a kind.
func RefusedType(kind string) string { return "status." + kind + ".refused" }

var _ bus.Addressed = Refused{}
