package bridge

import (
	"cmp"
	"fmt"
	"strconv"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// texts are the attributes of a CloudEvent that we know, by name.
type texts map[string]string

func (texts) knows(name string) bool {
	switch name {
	case "specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema":
		return true
	}
	return isExtension(name)
}

// header reads what an event's header is made of. Errors: *DecodeError.
func (t texts) header(h *bus.Header) error {
	for name, text := range t {
		if reason := bus.TextFault(text); reason != "" {
			return &DecodeError{Attribute: name, Reason: reason}
		}
	}
	for _, required := range [...]string{"specversion", "id", "source", "type"} {
		if t[required] == "" {
			return &DecodeError{Attribute: required, Reason: "is missing"}
		}
	}
	h.Source, h.Type = t["source"], t["type"]
	h.Tenant, h.Actor = t[extTenant], t[extActor]
	h.CorrelationID, h.CausationID, h.TraceParent = t[extCorrelationID], t[extCausationID], t[extTraceParent]
	return cmp.Or(t.spec(), t.source(), t.id(h), t.subject(h), t.time(h), t.dataSchema(), t.sequence(h), t.versions(h))
}

func (t texts) spec() error {
	if t["specversion"] != specVersion {
		return &DecodeError{Attribute: "specversion", Reason: fmt.Sprintf("must be %q", specVersion)}
	}
	return nil
}

func (t texts) source() error {
	if _, reason := parseSource(t["source"]); reason != "" {
		return &DecodeError{Attribute: "source", Reason: reason}
	}
	return nil
}

func (t texts) id(h *bus.Header) error {
	id, err := bus.ParseID(t["id"])
	if err != nil || id.IsZero() {
		return &DecodeError{Attribute: "id", Reason: "must be a UUID"}
	}
	h.ID = id
	return nil
}

func (t texts) subject(h *bus.Header) error {
	text, has := t["subject"]
	if !has {
		return nil
	}
	var reason string
	if h.Kind, h.ResourceID, reason = splitSubject(text); reason != "" {
		return &DecodeError{Attribute: "subject", Reason: reason}
	}
	return nil
}

func (t texts) time(h *bus.Header) error {
	text, has := t["time"]
	if !has {
		return nil
	}
	when, err := time.Parse(time.RFC3339Nano, text)
	when = when.UTC()
	if year := when.Year(); err != nil || year < 0 || year > 9999 {
		return &DecodeError{Attribute: "time", Reason: "must be a time as in RFC 3339"}
	}
	h.Time = when
	return nil
}

func (t texts) dataSchema() error {
	text, has := t["dataschema"]
	if !has {
		return nil
	}
	if reason := checkURI(text); reason != "" {
		return &DecodeError{Attribute: "dataschema", Reason: reason}
	}
	return nil
}

func (t texts) sequence(h *bus.Header) error {
	text, has := t[extSequence]
	if !has {
		return nil
	}
	seq, err := strconv.ParseUint(text, 10, 64)
	if err != nil || len(text) != sequenceDigits || seq == 0 {
		return &DecodeError{Attribute: extSequence, Reason: "must be a number from 1, in 20 digits"}
	}
	h.Seq = seq
	return nil
}

func (t texts) versions(h *bus.Header) error {
	if text, has := t[extResourceVersion]; has {
		v, err := strconv.ParseUint(text, 10, 64)
		if err != nil || v == 0 {
			return &DecodeError{Attribute: extResourceVersion, Reason: "must be a number from 1"}
		}
		h.Version = v
	}
	if text, has := t[extSchemaVersion]; has {
		v, err := strconv.Atoi(text)
		if err != nil || v < 1 {
			return &DecodeError{Attribute: extSchemaVersion, Reason: "must be a number from 1"}
		}
		h.Schema = v
	}
	return nil
}

// contentType checks the one of the data, if it is given.
func (t texts) contentType() error {
	if text, has := t["datacontenttype"]; has && !isJSON(text) {
		return &DecodeError{Attribute: "datacontenttype", Reason: fmt.Sprintf("must be %q", jsonMediaType)}
	}
	return nil
}
