package resources

import (
	"errors"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
)

// Observed is the event status.<kind>.observed: what a provider sees of a resource has changed. It is recorded with the observation, and
// before the move that the observation leads to, if it leads to one.
type Observed struct {
	Kind       string    `json:"kind"`
	ResourceID string    `json:"resource_id"`
	Tenant     string    `json:"tenant,omitempty"`
	Provider   string    `json:"provider"`
	Status     string    `json:"status"`             // in the words that all providers share: RUNNING
	Raw        string    `json:"raw,omitempty"`      // the platform's own word
	Message    string    `json:"message,omitempty"`  // for people
	Previous   string    `json:"previous,omitempty"` // status; "" for the first observation
	Time       time.Time `json:"time"`               // when it was observed
	State      fsm.State `json:"state"`              // the resource's own, after the move that this leads to
	Version    uint64    `json:"version"`            // of the resource, likewise
}

// EventType is status.<kind>.observed.
func (o Observed) EventType() string { return "status." + o.Kind + ".observed" }

// Address says which tenant and resource it is about.
func (o Observed) Address() (tenant, kind, id string) { return o.Tenant, o.Kind, o.ResourceID }

// Disagreed is the event status.<kind>.disagreed: a resource's own state and its observed status haven't agreed for longer than a limit;
// with Over set status.<kind>.agreed: they do again, or can't be compared any more.
type Disagreed struct {
	Kind       string    `json:"kind"`
	ResourceID string    `json:"resource_id"`
	Tenant     string    `json:"tenant,omitempty"`
	Provider   string    `json:"provider"`
	Status     string    `json:"status"`
	State      fsm.State `json:"state"`
	Since      time.Time `json:"since"`          // when they began to disagree
	Over       bool      `json:"over,omitempty"` // whether that has ended
}

// EventType is status.<kind>.disagreed or status.<kind>.agreed.
func (d Disagreed) EventType() string {
	if d.Over {
		return "status." + d.Kind + ".agreed"
	}
	return "status." + d.Kind + ".disagreed"
}

// Address says which tenant and resource it is about.
func (d Disagreed) Address() (tenant, kind, id string) { return d.Tenant, d.Kind, d.ResourceID }

// Orphaned is the event status.<kind>.orphaned: a provider reports a resource that hasn't been there for longer than a limit; with Over
// set status.<kind>.adopted: it is there now, or the report was removed. The kind may be one that the server doesn't have.
type Orphaned struct {
	Kind       string    `json:"kind"`
	ResourceID string    `json:"resource_id"`
	Provider   string    `json:"provider"`
	Status     string    `json:"status"`
	Since      time.Time `json:"since"`          // when it was first reported
	Over       bool      `json:"over,omitempty"` // whether that has ended
}

// EventType is status.<kind>.orphaned or status.<kind>.adopted.
func (o Orphaned) EventType() string {
	if o.Over {
		return "status." + o.Kind + ".adopted"
	}
	return "status." + o.Kind + ".orphaned"
}

// Address says which resource it is about.
func (o Orphaned) Address() (tenant, kind, id string) { return "", o.Kind, o.ResourceID }

// Misreported is the event status.<kind>.wrong_provider: a provider reports a resource that belongs to another. The report was rejected.
type Misreported struct {
	Kind       string    `json:"kind"`
	ResourceID string    `json:"resource_id"`
	Tenant     string    `json:"tenant,omitempty"`
	Provider   string    `json:"provider"` // who reported
	Owner      string    `json:"owner"`    // whose it is
	Status     string    `json:"status"`   // what was reported
	Time       time.Time `json:"time"`
}

// EventType is status.<kind>.wrong_provider.
func (m Misreported) EventType() string { return "status." + m.Kind + ".wrong_provider" }

// Address says which tenant and resource it is about.
func (m Misreported) Address() (tenant, kind, id string) { return m.Tenant, m.Kind, m.ResourceID }

// registerReports registers the events about what is reported of a kind.
func registerReports(b *bus.Bus, kind string) error {
	root := "status." + kind + "."
	return errors.Join(
		bus.Register[Refused](b, RefusedType(kind), 1), bus.Register[Observed](b, root+"observed", 1),
		bus.Register[Disagreed](b, root+"disagreed", 1), bus.Register[Disagreed](b, root+"agreed", 1),
		bus.Register[Orphaned](b, root+"orphaned", 1), bus.Register[Orphaned](b, root+"adopted", 1),
		bus.Register[Misreported](b, root+"wrong_provider", 1))
}

// IDFault says why a resource can't have an id, or "": an id has 1 to 255 bytes of printable UTF-8, and none of the characters that
// paths, patterns and markup need.
func IDFault(id string) string { return badID(id) }

var (
	_ bus.Addressed = Observed{}
	_ bus.Addressed = Disagreed{}
	_ bus.Addressed = Orphaned{}
	_ bus.Addressed = Misreported{}
)
