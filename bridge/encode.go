package bridge

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/cloudevents/sdk-go/v2/types"
)

// Encode returns e as a CloudEvent 1.0 in structured JSON. Decode is the inverse.
//
//	id               the event's UUID
//	source, type     as they are
//	subject          kind/id of the resource
//	time             when it happened, RFC 3339, UTC, nanoseconds
//	datacontenttype  application/json
//	data             the payload's stored JSON, as it is
//	extensions       sequence tenant actor resourceversion schemaversion correlationid causationid traceparent
//
// What the event doesn't have is left out. Errors: *EncodeError.
func Encode(e bus.Event[bus.Raw]) ([]byte, error) {
	if _, err := check(e); err != nil {
		return nil, err
	}
	b := make([]byte, 0, len(e.Payload)+640)
	b = append(b, `{"specversion":"`+specVersion+`"`...)
	b = appendAttribute(b, "id", e.ID.String())
	b = appendAttribute(b, "source", e.Source)
	b = appendAttribute(b, "type", e.Type)
	b = appendAttribute(b, "subject", joinSubject(e.Kind, e.ResourceID))
	if !e.Time.IsZero() {
		b = append(b, `,"time":"`...)
		b = append(e.Time.UTC().AppendFormat(b, time.RFC3339Nano), '"')
	}
	for _, x := range extensions(e.Header) {
		b = appendAttribute(b, x.name, x.value)
	}
	if len(e.Payload) > 0 {
		b = append(b, `,"datacontenttype":"`+jsonMediaType+`","data":`...)
		b = append(b, e.Payload...)
	}
	return append(b, '}'), nil
}

// appendAttribute leaves out what is empty.
func appendAttribute(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	b = append(b, `,"`...)
	b = append(b, name...)
	b = append(b, `":`...)
	if plainText(value) {
		b = append(b, '"')
		b = append(b, value...)
		return append(b, '"')
	}
	quoted, _ := json.Marshal(value) // a string never fails
	return append(b, quoted...)
}

// CloudEvent returns e as the type of the CloudEvents SDK, with the same attributes as Encode gives it; its data is e's payload, not a copy. Errors: *EncodeError.
func CloudEvent(e bus.Event[bus.Raw]) (event.Event, error) {
	source, err := check(e)
	if err != nil {
		return event.Event{}, err
	}
	attributes := &event.EventContextV1{ID: e.ID.String(), Source: source, Type: e.Type, Extensions: map[string]any{}}
	if subject := joinSubject(e.Kind, e.ResourceID); subject != "" {
		attributes.Subject = &subject
	}
	if !e.Time.IsZero() {
		attributes.Time = &types.Timestamp{Time: e.Time.UTC()}
	}
	for _, x := range extensions(e.Header) {
		if x.value != "" {
			attributes.Extensions[x.name] = x.value
		}
	}
	if len(e.Payload) > 0 {
		mediaType := jsonMediaType
		attributes.DataContentType = &mediaType
	}
	return event.Event{Context: attributes, DataEncoded: e.Payload}, nil
}

// check finds what keeps e from being a CloudEvent.
func check(e bus.Event[bus.Raw]) (source types.URIRef, err error) {
	wrong := func(attribute, reason string) (types.URIRef, error) {
		return source, &EncodeError{ID: e.ID.String(), Attribute: attribute, Reason: reason}
	}
	if e.ID.IsZero() {
		return wrong("id", "is missing")
	}
	if e.Type == "" {
		return wrong("type", "is missing")
	}
	source, reason := parseSource(e.Source)
	if reason != "" {
		return wrong("source", reason)
	}
	if reason := checkKind(e.Kind); reason != "" {
		return wrong("subject", reason)
	}
	if year := e.Time.UTC().Year(); year < 0 || year > 9999 {
		return wrong("time", fmt.Sprintf("has the year %d, which RFC 3339 can't write", year))
	}
	if e.Schema < 0 {
		return wrong(extSchemaVersion, fmt.Sprintf("%d is below 0", e.Schema))
	}
	for _, text := range [...]attribute{
		{"type", e.Type}, {"source", e.Source}, {"subject", e.Kind}, {"subject", e.ResourceID},
		{extTenant, e.Tenant}, {extActor, e.Actor}, {extCorrelationID, e.CorrelationID}, {extCausationID, e.CausationID}, {extTraceParent, e.TraceParent},
	} {
		if reason := bus.TextFault(text.value); reason != "" {
			return wrong(text.name, reason)
		}
	}
	if len(e.Payload) > 0 && !json.Valid(e.Payload) {
		return wrong("data", "isn't JSON")
	}
	return source, nil
}

type attribute struct{ name, value string }

// extensions lists those of an event; the value of one that it hasn't is empty.
func extensions(h bus.Header) [8]attribute {
	return [...]attribute{
		{extSequence, sequence(h.Seq)},
		{extTenant, h.Tenant},
		{extActor, h.Actor},
		{extResourceVersion, number(h.Version)},
		{extSchemaVersion, number(uint64(h.Schema))},
		{extCorrelationID, h.CorrelationID},
		{extCausationID, h.CausationID},
		{extTraceParent, h.TraceParent},
	}
}

func number(n uint64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatUint(n, 10)
}

func sequence(n uint64) string {
	digits := number(n)
	if digits == "" {
		return ""
	}
	return "00000000000000000000"[:sequenceDigits-len(digits)] + digits
}
