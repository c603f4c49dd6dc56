package bridge

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"strconv"
	"time"
	"unicode/utf8"

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

// members of a JSON object, undecoded.
type members map[string]json.RawMessage

// scan splits an object into its members, and refuses what encoding/json would let pass.
func scan(b []byte) (members, error) {
	if !utf8.Valid(b) {
		return nil, &DecodeError{Reason: "not valid UTF-8"}
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	if start, err := dec.Token(); err != nil || start != json.Delim('{') {
		return nil, &DecodeError{Reason: "not a JSON object"}
	}
	found := members{}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, &DecodeError{Reason: err.Error()}
		}
		name, _ := key.(string)
		if _, twice := found[name]; twice {
			return nil, &DecodeError{Attribute: name, Reason: "is given twice"}
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, &DecodeError{Attribute: name, Reason: err.Error()}
		}
		found[name] = value
	}
	if _, err := dec.Token(); err != nil {
		return nil, &DecodeError{Reason: err.Error()}
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, &DecodeError{Reason: "something follows the event"}
	}
	return found, nil
}

// check looks at names and shapes of all members, and drops those that are null: the same as not there.
func (m members) check() error {
	for name, value := range m {
		if name == "data" {
			continue
		}
		if name != "data_base64" && !attributeName(name) {
			return &DecodeError{Attribute: strconv.Quote(name), Reason: "is no attribute name (a-z and 0-9)"}
		}
		switch value[0] {
		case 'n':
			delete(m, name)
		case '{', '[':
			return &DecodeError{Attribute: name, Reason: "must be a string, a number or a boolean"}
		}
	}
	return nil
}

func attributeName(name string) bool {
	for i := range len(name) {
		if c := name[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

func (m members) header(h *bus.Header) error {
	var texts struct{ specVersion, id, subject, time, sequence, version, schema string }
	for _, a := range [...]struct {
		name     string
		into     *string
		required bool
	}{
		{"specversion", &texts.specVersion, true}, {"id", &texts.id, true}, {"source", &h.Source, true}, {"type", &h.Type, true},
		{"subject", &texts.subject, false}, {"time", &texts.time, false},
		{extSequence, &texts.sequence, false}, {extResourceVersion, &texts.version, false}, {extSchemaVersion, &texts.schema, false},
		{extTenant, &h.Tenant, false}, {extActor, &h.Actor, false},
		{extCorrelationID, &h.CorrelationID, false}, {extCausationID, &h.CausationID, false}, {extTraceParent, &h.TraceParent, false},
	} {
		if err := m.text(a.name, a.into, a.required); err != nil {
			return err
		}
	}
	if texts.specVersion != specVersion {
		return &DecodeError{Attribute: "specversion", Reason: fmt.Sprintf("must be %q", specVersion)}
	}
	id, err := bus.ParseID(texts.id)
	if err != nil || id.IsZero() {
		return &DecodeError{Attribute: "id", Reason: "must be a UUID"}
	}
	h.ID = id
	if _, reason := parseSource(h.Source); reason != "" {
		return &DecodeError{Attribute: "source", Reason: reason}
	}
	if _, has := m["subject"]; has {
		var reason string
		if h.Kind, h.ResourceID, reason = splitSubject(texts.subject); reason != "" {
			return &DecodeError{Attribute: "subject", Reason: reason}
		}
	}
	if h.Time, err = m.time(texts.time); err != nil {
		return err
	}
	return m.numbers(h, texts.sequence, texts.version, texts.schema)
}

// text reads a string attribute.
func (m members) text(name string, into *string, required bool) error {
	value, has := m[name]
	if has {
		if value[0] != '"' {
			return &DecodeError{Attribute: name, Reason: "must be a JSON string"}
		}
		if err := json.Unmarshal(value, into); err != nil {
			return &DecodeError{Attribute: name, Reason: err.Error()}
		}
		if reason := checkText(*into); reason != "" {
			return &DecodeError{Attribute: name, Reason: reason}
		}
	}
	if required && *into == "" {
		return &DecodeError{Attribute: name, Reason: "is missing"}
	}
	return nil
}

func (m members) time(s string) (time.Time, error) {
	if _, has := m["time"]; !has {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	t = t.UTC()
	if year := t.Year(); err != nil || year < 0 || year > 9999 {
		return time.Time{}, &DecodeError{Attribute: "time", Reason: "must be a time as in RFC 3339"}
	}
	return t, nil
}

func (m members) numbers(h *bus.Header, sequence, version, schema string) error {
	if _, has := m[extSequence]; has {
		seq, err := strconv.ParseUint(sequence, 10, 64)
		if err != nil || len(sequence) != sequenceDigits || seq == 0 {
			return &DecodeError{Attribute: extSequence, Reason: "must be a number from 1, in 20 digits"}
		}
		h.Seq = seq
	}
	if _, has := m[extResourceVersion]; has {
		v, err := strconv.ParseUint(version, 10, 64)
		if err != nil || v == 0 {
			return &DecodeError{Attribute: extResourceVersion, Reason: "must be a number from 1"}
		}
		h.Version = v
	}
	if _, has := m[extSchemaVersion]; has {
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
	if _, has := m["datacontenttype"]; !has {
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
