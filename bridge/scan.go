package bridge

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"unicode/utf8"
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

// texts reads the attributes that we know; what the others hold is their own business.
func (m members) texts() (texts, error) {
	t := make(texts, len(m))
	for name, value := range m {
		if !t.knows(name) {
			continue
		}
		if value[0] != '"' {
			return nil, &DecodeError{Attribute: name, Reason: "must be a JSON string"}
		}
		var text string
		if err := json.Unmarshal(value, &text); err != nil {
			return nil, &DecodeError{Attribute: name, Reason: err.Error()}
		}
		t[name] = text
	}
	return t, nil
}
