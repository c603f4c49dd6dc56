package bridge

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"mime"
	"strconv"
	"strings"

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
	texts, err := members.texts()
	if err != nil {
		return e, err
	}
	if err := texts.header(&e.Header); err != nil {
		return e, err
	}
	if err := texts.contentType(); err != nil {
		return e, err
	}
	e.Payload, err = members.data()
	return e, err
}

// DecodeBinary reads what EncodeBinary returned, and CloudEvents 1.0 in binary mode of others that keep to the same attributes. The names of the attributes are
// those of CloudEvents: the protocol's prefix is taken off, and what the protocol encodes decoded. It is as strict as Decode; the event's payload is data, not a copy.
// Errors: *DecodeError.
func DecodeBinary(contentType string, attributes []Attribute, data []byte) (bus.Event[bus.Raw], error) {
	var e bus.Event[bus.Raw]
	known := make(texts, len(attributes))
	names := make(map[string]bool, len(attributes))
	for _, a := range attributes {
		if reason := binaryFault(a, names); reason != "" {
			return e, &DecodeError{Attribute: attributeLabel(a.Name), Reason: reason}
		}
		names[a.Name] = true
		if known.knows(a.Name) {
			known[a.Name] = a.Value
		}
	}
	if err := known.header(&e.Header); err != nil {
		return e, err
	}
	payload, err := binaryData(contentType, data)
	e.Payload = payload
	return e, err
}

func binaryFault(a Attribute, names map[string]bool) (reason string) {
	switch {
	case names[a.Name]:
		return "is given twice"
	case a.Name == "datacontenttype":
		return "is the content type of the message in binary mode"
	case a.Name == "data" || !attributeName(a.Name):
		return "is no attribute name (a-z and 0-9)"
	}
	return bus.TextFault(a.Value)
}

// attributeLabel quotes what is no name.
func attributeLabel(name string) string {
	if attributeName(name) {
		return name
	}
	return strconv.Quote(name)
}

func binaryData(contentType string, data []byte) (bus.Raw, error) {
	wrong := func(attribute, reason string) (bus.Raw, error) {
		return nil, &DecodeError{Attribute: attribute, Reason: reason}
	}
	switch {
	case contentType == "" && len(data) == 0:
		return nil, nil
	case !isJSON(contentType):
		return wrong("datacontenttype", fmt.Sprintf("must be %q", jsonMediaType))
	case len(data) == 0:
		return nil, nil
	case !validJSON(data):
		return wrong("data", "isn't JSON")
	}
	return bytes.TrimSpace(data), nil
}

// DecodeMessage reads a CloudEvent in either mode: a content type application/cloudevents+json says that all of it is in data, any other that data is the event's
// data alone. Errors: *DecodeError.
func DecodeMessage(contentType string, attributes []Attribute, data []byte) (bus.Event[bus.Raw], error) {
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err != nil && contentType != "" {
		return bus.Event[bus.Raw]{}, &DecodeError{Attribute: "datacontenttype", Reason: err.Error()}
	}
	switch {
	case mediaType == structuredMedia+"+json":
		return Decode(data)
	case strings.HasPrefix(mediaType, structuredMedia):
		return bus.Event[bus.Raw]{}, &DecodeError{Reason: fmt.Sprintf("the content type is %s, must be %s+json, or the data's in binary mode", mediaType, structuredMedia)}
	}
	return DecodeBinary(contentType, attributes, data)
}

func (m members) data() (bus.Raw, error) {
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

func decodeBase64(value json.RawMessage) (bus.Raw, error) {
	var text string
	if err := json.Unmarshal(value, &text); err != nil {
		return nil, &DecodeError{Attribute: "data_base64", Reason: "must be a JSON string"}
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil || !validJSON(data) {
		return nil, &DecodeError{Attribute: "data_base64", Reason: "must be JSON in base64"}
	}
	return bytes.TrimSpace(data), nil
}
