package bus

import "time"

// Payload is what an event says.
type Payload interface {
	// EventType is the dotted type; it may depend on the value.
	EventType() string
}

// Addressed is implemented by payloads that are about a tenant or a resource.
type Addressed interface {
	Address() (tenant, kind, id string)
}

// Stamp sets header fields of an event that is being published or appended. Stamps run in order, on the publisher's goroutine, before
// the header is checked. Seq and Schema can't be set.
type Stamp func(*Header)

// WithID gives the event an ID made before. Defaults to a new one.
func WithID(id ID) Stamp { return func(h *Header) { h.ID = id } }

// WithTime says when it happened. Defaults to now.
func WithTime(t time.Time) Stamp { return func(h *Header) { h.Time = t } }

// WithActor says who caused it: user:42.
func WithActor(actor string) Stamp { return func(h *Header) { h.Actor = actor } }

// WithVersion says which version of the resource the event leaves.
func WithVersion(v uint64) Stamp { return func(h *Header) { h.Version = v } }

// WithCorrelation says what the event belongs to. Defaults to the context's.
func WithCorrelation(id string) Stamp { return func(h *Header) { h.CorrelationID = id } }

// WithTenant says whose event it is. Defaults to what the payload's Address says.
func WithTenant(t string) Stamp { return func(h *Header) { h.Tenant = t } }

// WithSource names another source than the bus, for an event that comes from elsewhere.
func WithSource(s string) Stamp { return func(h *Header) { h.Source = s } }

// WithTraceParent gives the event a W3C trace context. Defaults to that of its cause.
func WithTraceParent(t string) Stamp { return func(h *Header) { h.TraceParent = t } }
