package bus

import (
	"context"
	"time"
)

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

// Cause returns the header of the event whose handler runs with ctx.
func Cause(ctx context.Context) (Header, bool) { panic("unwritten") }

// ContextWithCorrelation gives what is published, appended or fired with the context a correlation id (an HTTP request's, say).
func ContextWithCorrelation(ctx context.Context, id string) context.Context { panic("unwritten") }

// Correlation returns the correlation and causation that something done with ctx inherits.
func Correlation(ctx context.Context) (correlationID, causationID string) { panic("unwritten") }

// Register says which Go type stored events of a pattern and schema decode to, and which schema number events of that type get.
// The most specific pattern wins. Errors: a pattern that isn't one, a schema below 1, the same pattern and schema for another type,
// a T that JSON can't carry there and back.
func Register[T Payload](b *Bus, pattern string, schema int) error { panic("unwritten") }
