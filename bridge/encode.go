package bridge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

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
	ce, err := CloudEvent(e)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	out.Grow(len(e.Payload) + 768)
	if err := event.WriteJson(&ce, &out); err != nil {
		return nil, &EncodeError{ID: e.ID.String(), Attribute: "data", Reason: err.Error()}
	}
	return out.Bytes(), nil
}

// CloudEvent returns e as the CloudEvents SDK's type; its data is e's payload, not a copy. Errors: *EncodeError.
func CloudEvent(e bus.Event[bus.Raw]) (event.Event, error) {
	source, attribute, reason := check(e)
	if reason != "" {
		return event.Event{}, &EncodeError{ID: e.ID.String(), Attribute: attribute, Reason: reason}
	}
	context := &event.EventContextV1{
		ID:         e.ID.String(),
		Source:     source,
		Type:       e.Type,
		Extensions: extensions(e.Header),
	}
	if subject, _ := joinSubject(e.Kind, e.ResourceID); subject != "" {
		context.Subject = &subject
	}
	if !e.Time.IsZero() {
		context.Time = &types.Timestamp{Time: e.Time.UTC()}
	}
	if len(e.Payload) > 0 {
		mediaType := jsonMediaType
		context.DataContentType = &mediaType
	}
	return event.Event{Context: context, DataEncoded: e.Payload}, nil
}

// check finds what keeps e from being a CloudEvent.
func check(e bus.Event[bus.Raw]) (source types.URIRef, attribute, reason string) {
	if e.ID.IsZero() {
		return source, "id", "is missing"
	}
	if e.Type == "" {
		return source, "type", "is missing"
	}
	if source, reason = parseSource(e.Source); reason != "" {
		return source, "source", reason
	}
	if _, reason = joinSubject(e.Kind, e.ResourceID); reason != "" {
		return source, "subject", reason
	}
	if year := e.Time.UTC().Year(); year < 0 || year > 9999 {
		return source, "time", fmt.Sprintf("has the year %d, which RFC 3339 can't write", year)
	}
	if e.Schema < 0 {
		return source, extSchemaVersion, fmt.Sprintf("%d is below 0", e.Schema)
	}
	for _, text := range [...]struct{ name, value string }{
		{"type", e.Type}, {"source", e.Source}, {"subject", e.Kind}, {"subject", e.ResourceID},
		{extTenant, e.Tenant}, {extActor, e.Actor}, {extCorrelationID, e.CorrelationID}, {extCausationID, e.CausationID}, {extTraceParent, e.TraceParent},
	} {
		if reason = checkText(text.value); reason != "" {
			return source, text.name, reason
		}
	}
	if len(e.Payload) > 0 && !json.Valid(e.Payload) {
		return source, "data", "isn't JSON"
	}
	return source, "", ""
}

func extensions(h bus.Header) map[string]any {
	set := make(map[string]any, 8)
	for _, text := range [...]struct{ name, value string }{
		{extTenant, h.Tenant}, {extActor, h.Actor}, {extCorrelationID, h.CorrelationID}, {extCausationID, h.CausationID}, {extTraceParent, h.TraceParent},
	} {
		if text.value != "" {
			set[text.name] = text.value
		}
	}
	if h.Seq > 0 {
		set[extSequence] = fmt.Sprintf("%0*d", sequenceDigits, h.Seq)
	}
	if h.Version > 0 {
		set[extResourceVersion] = strconv.FormatUint(h.Version, 10)
	}
	if h.Schema > 0 {
		set[extSchemaVersion] = strconv.Itoa(h.Schema)
	}
	return set
}
