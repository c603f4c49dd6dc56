package bus

import "time"

// Header says what an event is about. It holds what CloudEvents calls the context attributes.
type Header struct {
	ID            ID
	Type          string    // dotted, lower case: vm.state.running
	Schema        int       // version of the payload's schema, from 1; 0 for a live event of an unregistered type
	Source        string    // who says so: cloudbus/eu1
	Kind          string    // kind of the resource, if the event is about one
	ResourceID    string    // id of the resource
	Time          time.Time // when it happened, UTC, without a monotonic reading
	Seq           uint64    // place in the journal, from 1; 0 for live events
	Tenant        string
	Actor         string // who caused it: user:42
	Version       uint64 // version of the resource after the change
	CorrelationID string // shared by all that one request caused
	CausationID   string // ID of the event that caused this one
	TraceParent   string // W3C trace context
}

// Subject is kind/id, or the one that is set.
func (h Header) Subject() string { panic("unwritten") }

// Event is what a handler gets: a header and a payload. Payloads are shared between subscriptions: read them, don't change them.
type Event[T any] struct {
	Header
	Payload T
}

// Raw as T of Subscribe gives the stored bytes of any event, of unknown types too.
// For a live event it is the JSON encoding of the payload.
type Raw []byte
