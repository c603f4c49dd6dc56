package show

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
)

// Field is a member of a JSON object.
type Field struct {
	Name  string
	Value json.RawMessage
}

var errNoObject = errors.New("isn't a JSON object")

// Fields returns the members of a JSON object in their order.
func Fields(object json.RawMessage) ([]Field, error) {
	d := json.NewDecoder(bytes.NewReader(object))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, errNoObject
	}
	var all []Field
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		f := Field{Name: name.(string)} // a token in the place of a name is a string
		if err := d.Decode(&f.Value); err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

// Text is a JSON value for people: strings without quotes, null as nothing, times by the clock, others as they are.
func (i Ink) Text(value json.RawMessage) string {
	var s string
	switch {
	case len(value) == 0 || string(value) == "null":
		return ""
	case value[0] == '"' && json.Unmarshal(value, &s) == nil:
		if t, ok := timeOf(s); ok {
			return i.Clock.Time(t)
		}
		return s
	}
	var b bytes.Buffer
	if json.Compact(&b, value) != nil {
		return string(value)
	}
	return strings.TrimSpace(b.String())
}
