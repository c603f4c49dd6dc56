package bridge

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"mime"
	"strconv"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// Decode reads what Encode wrote, and CloudEvents 1.0 in structured JSON of others that keep to the same attributes.
//
// It is strict: a missing or malformed attribute, an attribute given twice, data that isn't JSON, and anything after the event are errors (*DecodeError).
// Extensions that it doesn't know are passed over.
func Decode(b []byte) (bus.Event[bus.Raw], error) {
	var e bus.Event[bus.Raw]
	members, err := scan(b)
	if err != nil {
		return e, err
	}
	if err := members.check(); err != nil {
		return e, err
	}
	if err := members.header(&e.Header); err != nil {
		return e, err
	}
	e.Payload, err = members.data()
	return e, err
}

func (m members) header(h *bus.Header) error {
	var spec, id, subject, when, sequence, version, schema string
	for _, a := range [...]struct {
		name     string
		into     *string
		required bool
	}{
		{"specversion", &spec, true}, {"id", &id, true}, {"source", &h.Source, true}, {"type", &h.Type, true},
		{"subject", &subject, false}, {"time", &when, false},
		{extSequence, &sequence, false}, {extResourceVersion, &version, false}, {extSchemaVersion, &schema, false},
		{extTenant, &h.Tenant, false}, {extActor, &h.Actor, false},
		{extCorrelationID, &h.CorrelationID, false}, {extCausationID, &h.CausationID, false}, {extTraceParent, &h.TraceParent, false},
	} {
		if err := m.text(a.name, a.into, a.required); err != nil {
			return err
		}
	}
	if spec != specVersion {
		return &DecodeError{Attribute: "specversion", Reason: fmt.Sprintf("must be %q", specVersion)}
	}
	if _, reason := parseSource(h.Source); reason != "" {
		return &DecodeError{Attribute: "source", Reason: reason}
	}
	return cmp.Or(m.id(h, id), m.subject(h, subject), m.time(h, when), m.sequence(h, sequence), m.versions(h, version, schema))
}

func (members) id(h *bus.Header, text string) error {
	id, err := bus.ParseID(text)
	if err != nil || id.IsZero() {
		return &DecodeError{Attribute: "id", Reason: "must be a UUID"}
	}
	h.ID = id
	return nil
}

func (m members) subject(h *bus.Header, text string) error {
	if !m.has("subject") {
		return nil
	}
	var reason string
	if h.Kind, h.ResourceID, reason = splitSubject(text); reason != "" {
		return &DecodeError{Attribute: "subject", Reason: reason}
	}
	return nil
}

func (m members) time(h *bus.Header, text string) error {
	if !m.has("time") {
		return nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	t = t.UTC()
	if year := t.Year(); err != nil || year < 0 || year > 9999 {
		return &DecodeError{Attribute: "time", Reason: "must be a time as in RFC 3339"}
	}
	h.Time = t
	return nil
}

func (m members) sequence(h *bus.Header, text string) error {
	if !m.has(extSequence) {
		return nil
	}
	seq, err := strconv.ParseUint(text, 10, 64)
	if err != nil || len(text) != sequenceDigits || seq == 0 {
		return &DecodeError{Attribute: extSequence, Reason: "must be a number from 1, in 20 digits"}
	}
	h.Seq = seq
	return nil
}

func (m members) versions(h *bus.Header, version, schema string) error {
	if m.has(extResourceVersion) {
		v, err := strconv.ParseUint(version, 10, 64)
		if err != nil || v == 0 {
			return &DecodeError{Attribute: extResourceVersion, Reason: "must be a number from 1"}
		}
		h.Version = v
	}
	if m.has(extSchemaVersion) {
		v, err := strconv.Atoi(schema)
		if err != nil || v < 1 {
			return &DecodeError{Attribute: extSchemaVersion, Reason: "must be a number from 1"}
		}
		h.Schema = v
	}
	return nil
}

func (m members) data() (bus.Raw, error) {
	if err := m.checkContentType(); err != nil {
		return nil, err
	}
	plain, hasPlain := m["data"]
	encoded, hasEncoded := m["data_base64"]
	switch {
	case hasPlain && hasEncoded:
		return nil, &DecodeError{Attribute: "data_base64", Reason: "must not stand beside data"}
	case hasEncoded:
		return decodeBase64(encoded)
	}
	return bus.Raw(plain), nil
}

func (m members) checkContentType() error {
	var contentType string
	if err := m.text("datacontenttype", &contentType, false); err != nil {
		return err
	}
	if !m.has("datacontenttype") {
		return nil
	}
	if mediaType, _, err := mime.ParseMediaType(contentType); err != nil || mediaType != jsonMediaType {
		return &DecodeError{Attribute: "datacontenttype", Reason: fmt.Sprintf("must be %q", jsonMediaType)}
	}
	return nil
}

func decodeBase64(value json.RawMessage) (bus.Raw, error) {
	var text string
	if err := json.Unmarshal(value, &text); err != nil {
		return nil, &DecodeError{Attribute: "data_base64", Reason: "must be a JSON string"}
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil || !json.Valid(data) {
		return nil, &DecodeError{Attribute: "data_base64", Reason: "must be JSON in base64"}
	}
	return bytes.TrimSpace(data), nil
}
