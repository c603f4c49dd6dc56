package bridge

import (
	"encoding/json"
	"fmt"

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
func Encode(e bus.Event[bus.Raw]) ([]byte, error) { return encode(&e, "", false) }

// encode is Encode with a dataschema, or none, of an event that may be recorded, see check.
func encode(e *bus.Event[bus.Raw], dataSchema string, recorded bool) ([]byte, error) {
	if _, err := check(e, recorded); err != nil {
		return nil, err
	}
	b := make([]byte, 0, len(e.Payload)+len(dataSchema)+640)
	b = append(b, '{')
	for i, a := range attributes(&e.Header, dataSchema) {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendAttribute(b, a)
	}
	if len(e.Payload) > 0 {
		b = append(b, `,"datacontenttype":"`+jsonMediaType+`","data":`...)
		b = append(b, e.Payload...)
	}
	return append(b, '}'), nil
}

// EncodeBinary returns e as a CloudEvent 1.0 in binary mode: the attributes that Encode names, but for datacontenttype, which is the content type of the data
// ("" if there is none), and the data, which is e's payload, not a copy. DecodeBinary is the inverse. Errors: *EncodeError.
func EncodeBinary(e bus.Event[bus.Raw]) (contentType string, all []Attribute, data []byte, err error) {
	return encodeBinary(&e, "", false)
}

func encodeBinary(e *bus.Event[bus.Raw], dataSchema string, recorded bool) (contentType string, all []Attribute, data []byte, err error) {
	if _, err := check(e, recorded); err != nil {
		return "", nil, nil, err
	}
	if len(e.Payload) > 0 {
		contentType = jsonMediaType
	}
	return contentType, attributes(&e.Header, dataSchema), e.Payload, nil
}

func appendAttribute(b []byte, a Attribute) []byte {
	b = append(b, '"')
	b = append(b, a.Name...)
	b = append(b, `":`...)
	if plainText(a.Value) {
		b = append(b, '"')
		b = append(b, a.Value...)
		return append(b, '"')
	}
	quoted, _ := json.Marshal(a.Value) // a string never fails
	return append(b, quoted...)
}

// CloudEvent returns e as the type of the CloudEvents SDK, with the same attributes as Encode gives it; its data is e's payload, not a copy. Errors: *EncodeError.
func CloudEvent(e bus.Event[bus.Raw]) (event.Event, error) {
	source, err := check(&e, false)
	if err != nil {
		return event.Event{}, err
	}
	context := &event.EventContextV1{ID: e.ID.String(), Source: source, Type: e.Type, Extensions: map[string]any{}}
	if subject := joinSubject(e.Kind, e.ResourceID); subject != "" {
		context.Subject = &subject
	}
	if !e.Time.IsZero() {
		context.Time = &types.Timestamp{Time: e.Time.UTC()}
	}
	for _, a := range attributes(&e.Header, "") {
		if isExtension(a.Name) {
			context.Extensions[a.Name] = a.Value
		}
	}
	if len(e.Payload) > 0 {
		mediaType := jsonMediaType
		context.DataContentType = &mediaType
	}
	return event.Event{Context: context, DataEncoded: e.Payload}, nil
}

// check finds what keeps e from being a CloudEvent. What is recorded lies in a journal, which holds nothing but what encoding/json has written:
// looking at its data once more would only cost time.
func check(e *bus.Event[bus.Raw], recorded bool) (source types.URIRef, err error) {
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
	for _, text := range [...]Attribute{
		{"type", e.Type}, {"source", e.Source}, {"subject", e.Kind}, {"subject", e.ResourceID},
		{extTenant, e.Tenant}, {extActor, e.Actor}, {extCorrelationID, e.CorrelationID}, {extCausationID, e.CausationID}, {extTraceParent, e.TraceParent},
	} {
		if reason := bus.TextFault(text.Value); reason != "" {
			return wrong(text.Name, reason)
		}
	}
	if len(e.Payload) > 0 && !recorded && !validJSON(e.Payload) {
		return wrong("data", "isn't JSON")
	}
	return source, nil
}
