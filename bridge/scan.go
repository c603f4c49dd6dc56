package bridge

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/cloudbus-go/cloudbus/bus"
)

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

func (m members) has(name string) bool {
	_, has := m[name]
	return has
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
		if reason := bus.TextFault(*into); reason != "" {
			return &DecodeError{Attribute: name, Reason: reason}
		}
	}
	if required && *into == "" {
		return &DecodeError{Attribute: name, Reason: "is missing"}
	}
	return nil
}
