package status

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"mime"
	"strings"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/cloudevents/sdk-go/v2/types"
)

const (
	binaryPrefix        = "ce-"
	structuredMediaType = "application/cloudevents+json"
	batchMediaType      = "application/cloudevents-batch+json"
)

// readEvent reads a letter in whichever mode it is written, as a valid CloudEvent 1.0 whose data is JSON or missing. Errors: *RejectError.
func readEvent(l bridge.Letter) (event.Event, error) {
	contentType, listed, err := bridge.ReadHeader(l.Header)
	if err != nil {
		return event.Event{}, reject(BadAttribute, "header: %v", err)
	}
	mediaType, _, _ := mime.ParseMediaType(contentType)
	switch {
	case mediaType == batchMediaType:
		return event.Event{}, reject(Batch, "a message holds one event; this one says that it is a batch")
	case mediaType == structuredMediaType || len(listed) == 0:
		return readStructured(l.Data)
	}
	attributes := make(map[string]string, len(listed))
	for _, a := range listed {
		attributes[a.Name] = a.Value
	}
	return readBinary(attributes, contentType, l.Data)
}

// readStructured reads an event that is the body. What encoding/json and the SDK would let pass is refused here:
// members given twice, attributes of other types, something after the event.
func readStructured(body []byte) (event.Event, error) {
	e := event.Event{}
	if trimmed := bytes.TrimSpace(body); len(trimmed) > 0 && trimmed[0] == '[' {
		return e, reject(Batch, "a message holds one event; this one begins as a list")
	}
	members, err := splitObject(body)
	if err != nil {
		return e, reject(NotJSON, "%v", err)
	}
	if err := checkMembers(members); err != nil {
		return e, err
	}
	if err := e.UnmarshalJSON(bytes.Clone(body)); err != nil { // the event keeps parts of it
		return e, reject(BadAttribute, "%v", err)
	}
	return e, validate(e)
}

// checkMembers looks for what must be there, and refuses values that the SDK would take or stumble over.
func checkMembers(members map[string]json.RawMessage) error {
	if string(members["specversion"]) != `"`+event.CloudEventsVersionV1+`"` {
		return reject(BadVersion, "specversion is %.40s; it must be %q", cmp.Or(string(members["specversion"]), "missing"), event.CloudEventsVersionV1)
	}
	for _, a := range required {
		if value := string(members[a.name]); value == "" || value == "null" || value == `""` {
			return reject(a.missing, "%s is missing", a.name)
		}
	}
	for name, value := range members {
		switch {
		case name == "data":
		case name == "data_base64":
			if value[0] != '"' {
				return reject(NotAnObject, "data_base64 must be a string")
			}
		case strings.ToLower(name) != name || !event.IsExtensionNameValid(name):
			return reject(BadAttribute, "%.40q is no attribute name (a-z and 0-9)", name)
		case value[0] == '{' || value[0] == '[':
			return reject(BadAttribute, "%s must be a string, a number or a boolean", name)
		}
	}
	if _, twice := members["data_base64"]; twice && members["data"] != nil {
		return reject(BadAttribute, "data_base64 must not stand beside data")
	}
	return nil
}

var required = [...]struct {
	name    string
	missing Reason
}{{"id", NoID}, {"source", NoSource}, {"type", NoType}}

// validate asks the SDK, which unmarshals events without id, source and type.
func validate(e event.Event) error {
	err := e.Validate()
	if err == nil {
		return nil
	}
	reason, detail := BadAttribute, strings.TrimSpace(err.Error())
	if faults := (event.ValidationError{}); errors.As(err, &faults) {
		for _, a := range required {
			if faults[a.name] != nil {
				reason = a.missing
				break
			}
		}
	}
	return reject(reason, "%s", detail)
}

// readBinary makes an event of its attributes and its data.
func readBinary(attributes map[string]string, contentType string, body []byte) (event.Event, error) {
	if v := attributes["specversion"]; v != event.CloudEventsVersionV1 {
		return event.Event{}, reject(BadVersion, "specversion is %.40s; it must be %q", cmp.Or(v, "missing"), event.CloudEventsVersionV1)
	}
	e := event.New(event.CloudEventsVersionV1)
	for name, value := range attributes {
		if err := setAttribute(&e, name, value); err != nil {
			return e, reject(BadAttribute, "header %s%s: %v", binaryPrefix, name, err)
		}
	}
	for _, a := range required {
		if attributes[a.name] == "" {
			return e, reject(a.missing, "header %s%s is missing", binaryPrefix, a.name)
		}
	}
	if contentType != "" {
		e.SetDataContentType(contentType)
	}
	e.DataEncoded = bytes.Clone(body)
	return e, validate(e)
}

func setAttribute(e *event.Event, name, value string) error {
	switch name {
	case "specversion":
		return nil
	case "id":
		return e.Context.SetID(value)
	case "source":
		return e.Context.SetSource(value)
	case "type":
		return e.Context.SetType(value)
	case "subject":
		return e.Context.SetSubject(value)
	case "dataschema":
		return e.Context.SetDataSchema(value)
	case "time":
		t, err := types.ParseTime(value)
		if err != nil {
			return err
		}
		return e.Context.SetTime(t)
	}
	return e.Context.SetExtension(name, value)
}
