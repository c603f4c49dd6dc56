package resources

import (
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
)

// Stuck is the event <kind>.stuck: a resource has been in a transitional state for longer than the state's limit. Nothing has moved it,
// and nothing will: its driver may still be at work. It comes again after each further limit, until the resource leaves the state.
// It is posted by the engine's Run, with the limit's end as its time and the event that began the operation as its cause.
type Stuck struct {
	Kind       string        `json:"kind"`
	ResourceID string        `json:"resource_id"`
	Tenant     string        `json:"tenant,omitempty"`
	State      fsm.State     `json:"state"`            // the transitional state it is in
	Origin     fsm.State     `json:"origin,omitempty"` // the steady state it came from
	Operation  bus.ID        `json:"operation"`        // the operation that doesn't end
	Since      time.Time     `json:"since"`            // when it entered State
	Limit      time.Duration `json:"limit_ns"`         // how long it may be in State
	Times      int           `json:"times"`            // how often this stay was reported, this time included
	Version    uint64        `json:"version"`          // of the resource, which the report doesn't raise
}

// EventType is <kind>.stuck.
func (s Stuck) EventType() string { return s.Kind + ".stuck" }

// Address says which tenant and resource it is about.
func (s Stuck) Address() (tenant, kind, id string) { return s.Tenant, s.Kind, s.ResourceID }

// stuckOf describes a resource's stay.
func stuckOf(kind string, o *Object, limit time.Duration) Stuck {
	return Stuck{
		Kind: kind, ResourceID: o.ID, Tenant: o.Tenant, State: o.State, Origin: o.Origin, Operation: o.Operation,
		Since: o.StateSince, Limit: limit, Version: o.Version,
	}
}

// stamp fills in a report's header. at is the end of the limit that is reported.
func (s Stuck) stamp(at time.Time) bus.Stamp {
	return func(h *bus.Header) {
		h.Time, h.Version, h.CausationID = at, s.Version, s.Operation.String()
	}
}

var _ bus.Addressed = Stuck{}
