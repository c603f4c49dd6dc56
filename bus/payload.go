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

// Stamp sets header fields of an event that is being published or appended.
type Stamp func(*Header)

func WithID(id ID) Stamp              { return func(h *Header) { h.ID = id } }
func WithTime(t time.Time) Stamp      { return func(h *Header) { h.Time = t } }
func WithActor(actor string) Stamp    { return func(h *Header) { h.Actor = actor } }
func WithVersion(v uint64) Stamp      { return func(h *Header) { h.Version = v } }
func WithCorrelation(id string) Stamp { return func(h *Header) { h.CorrelationID = id } }
func WithTenant(t string) Stamp       { return func(h *Header) { h.Tenant = t } }
