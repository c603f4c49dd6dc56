package bus

import "time"

// maxField bounds the text fields of a header, in bytes.
const maxField = 1024

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
func (h Header) Subject() string {
	switch {
	case h.Kind == "":
		return h.ResourceID
	case h.ResourceID == "":
		return h.Kind
	default:
		return h.Kind + "/" + h.ResourceID
	}
}

// Event is what a handler gets: a header and a payload. Payloads are shared between subscriptions: read them, don't change them.
type Event[T any] struct {
	Header
	Payload T
}

// Raw as T of Subscribe gives the stored bytes of any event, of unknown types too.
// For a live event it is the JSON encoding of the payload.
type Raw []byte

// plain reports whether the fields that a payload gives are in order.
func (h *Header) plain() bool {
	return clean(h.Tenant) && clean(h.ResourceID) && (h.Kind == "" || isToken(h.Kind) && len(h.Kind) <= maxField)
}

// check reports the first field that doesn't fit. The type is checked apart, once per type.
func (h *Header) check() error {
	switch {
	case !clean(h.Tenant):
		return badField("Tenant", h.Tenant)
	case !clean(h.Kind):
		return badField("Kind", h.Kind)
	case !clean(h.ResourceID):
		return badField("ResourceID", h.ResourceID)
	case !clean(h.Actor):
		return badField("Actor", h.Actor)
	case !clean(h.CorrelationID):
		return badField("CorrelationID", h.CorrelationID)
	case !clean(h.CausationID):
		return badField("CausationID", h.CausationID)
	case !clean(h.TraceParent):
		return badField("TraceParent", h.TraceParent)
	case !clean(h.Source):
		return badField("Source", h.Source)
	}
	if h.Kind != "" && !isToken(h.Kind) {
		return &HeaderError{Field: "Kind", Value: h.Kind, Reason: "not a kind (allowed: a-z 0-9 _ -)"}
	}
	return nil
}

// checkTime reports a time that has no RFC 3339 form.
func (h *Header) checkTime() error {
	if y := h.Time.Year(); y < 0 || y > 9999 {
		return &HeaderError{Field: "Time", Value: h.Time.String(), Reason: "year outside 0..9999"}
	}
	return nil
}

func badField(name, value string) error {
	reason := "control character, Unicode non-character or invalid UTF-8"
	if len(value) > maxField {
		value, reason = value[:32]+"…", "longer than 1024 bytes"
	}
	return &HeaderError{Field: name, Value: value, Reason: reason}
}

// clean reports whether s can be a header field.
func clean(s string) bool { return len(s) <= maxField && TextFault(s) == "" }
