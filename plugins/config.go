package plugins

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Duration is a time.Duration that configurations write as "5m" or "1h30m".
type Duration time.Duration

// MarshalText writes the form that time.Duration.String gives.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads what time.ParseDuration reads.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is no duration such as \"30s\", \"5m\" or \"1h30m\"", text)
	}
	*d = Duration(v)
	return nil
}

// decodeConfig decodes data into the struct that into points to. Keys it doesn't have are refused at any depth.
func decodeConfig(plugin string, data json.RawMessage, into any) error {
	target := reflect.ValueOf(into)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		return &ConfigError{Plugin: plugin, Reason: fmt.Sprintf("is to be decoded into %T, which is no pointer", into)}
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil
	}
	if !json.Valid(data) {
		var v any
		err := json.Unmarshal(data, &v)
		return &ConfigError{Plugin: plugin, Reason: "is not JSON: " + err.Error(), Err: err}
	}
	if e := checkKeys("", data, target.Type()); e != nil {
		e.Plugin = plugin
		return e
	}
	if err := json.Unmarshal(data, into); err != nil {
		return decodeError(plugin, err)
	}
	return nil
}

func decodeError(plugin string, err error) error {
	e := &ConfigError{Plugin: plugin, Reason: strings.TrimPrefix(err.Error(), "json: "), Err: err}
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) {
		e.Key = mismatch.Field
		e.Reason = fmt.Sprintf("is a %s, not a %s", mismatch.Value, mismatch.Type)
	}
	return e
}

// checkKeys compares the keys of JSON objects with the fields they would be decoded into. Values of the wrong shape are left to the decoder.
func checkKeys(path string, data json.RawMessage, t reflect.Type) *ConfigError {
	if decodesItself(t) {
		return nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		return checkKeys(path, data, t.Elem())
	case reflect.Struct:
		return checkFields(path, data, t)
	case reflect.Map:
		return checkEach(path, members(data), func(string) (reflect.Type, bool) { return t.Elem(), true }, nil)
	case reflect.Slice, reflect.Array:
		var items []json.RawMessage
		_ = json.Unmarshal(data, &items)
		for i, item := range items {
			if e := checkKeys(fmt.Sprintf("%s[%d]", path, i), item, t.Elem()); e != nil {
				return e
			}
		}
	}
	return nil
}

func checkFields(path string, data json.RawMessage, t reflect.Type) *ConfigError {
	fields := make(map[string]reflect.Type)
	var allowed []string
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "-" || f.Anonymous && name == "" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		fields[name] = f.Type
		allowed = append(allowed, name)
	}
	slices.Sort(allowed)
	known := func(key string) (reflect.Type, bool) { ft, ok := fields[key]; return ft, ok }
	return checkEach(path, members(data), known, allowed)
}

func checkEach(path string, object map[string]json.RawMessage, known func(string) (reflect.Type, bool), allowed []string) *ConfigError {
	for key, value := range object {
		at := key
		if path != "" {
			at = path + "." + key
		}
		t, ok := known(key)
		if !ok {
			return &ConfigError{Key: at, Reason: "is unknown", Allowed: append([]string{}, allowed...)}
		}
		if e := checkKeys(at, value, t); e != nil {
			return e
		}
	}
	return nil
}

func members(data json.RawMessage) map[string]json.RawMessage {
	var object map[string]json.RawMessage
	_ = json.Unmarshal(data, &object)
	return object
}

func decodesItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[json.Unmarshaler]()) || p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// saysNothing reports whether a section of the configuration is as good as none.
func saysNothing(data json.RawMessage) bool {
	return slices.Contains([]string{"", "null", "{}"}, string(bytes.Join(bytes.Fields(data), nil)))
}
