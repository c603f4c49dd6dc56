package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// readBody returns the JSON object that a request brings, after a look at its outside. What a request with a body wants stands in
// the body, so parameters of its address are refused.
func readBody(r *http.Request) ([]byte, error) {
	if p := readParams(r.URL); p.err != nil {
		return nil, p.err
	}
	if given := r.Header.Get("Content-Type"); given != "" {
		media, _, err := mime.ParseMediaType(given)
		curls := media == "application/x-www-form-urlencoded" // what curl -d says if it isn't told
		if err != nil || media != "application/json" && !strings.HasSuffix(media, "+json") && !curls {
			return nil, &requestError{http.StatusUnsupportedMediaType, "content type " + given + " isn't JSON", []string{"application/json"}}
		}
	}
	body, err := io.ReadAll(r.Body)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, &requestError{http.StatusRequestEntityTooLarge, "the body is larger than 1 MiB", nil}
	case err != nil:
		return nil, badRequest(nil, "cannot read the body: %v", err)
	case len(bytes.TrimSpace(body)) == 0:
		return nil, badRequest(nil, "the body is empty, a JSON object is needed")
	case !utf8.Valid(body): // encoding/json would write U+FFFD in place of what isn't
		return nil, badRequest(nil, "the body isn't UTF-8")
	}
	return body, nil
}

// decodeObject fills the struct that into points to from a JSON object whose names must be among allowed. Other fields of the
// struct stay as they are. A null is refused, because it would change nothing.
func decodeObject(body []byte, into any, allowed []string) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return jsonProblem(err)
	}
	if fields == nil {
		return badRequest(nil, "null isn't a JSON object")
	}
	if name, twice := repeated(body); twice {
		return badRequest(nil, "field %q comes more than once", name)
	}
	for name, value := range fields {
		if !slices.Contains(allowed, name) {
			return badRequest(allowed, "unknown field %q", name)
		}
		if string(value) == "null" {
			return badRequest(nil, "field %q is null: give a value, or leave it out", name)
		}
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields() // inside of fields
	return jsonProblem(d.Decode(into))
}

// repeated returns a name that a JSON object has twice; encoding/json would take the last value and say nothing.
func repeated(object []byte) (name string, twice bool) {
	seen := make(map[string]bool)
	d := json.NewDecoder(bytes.NewReader(object))
	_, _ = d.Token() // the opening brace; the object was decoded before, so there are no errors
	for d.More() {
		token, _ := d.Token()
		name, _ := token.(string)
		if seen[name] {
			return name, true
		}
		seen[name] = true
		var value json.RawMessage
		_ = d.Decode(&value)
	}
	return "", false
}

// jsonProblem says in our words why something couldn't be decoded; nil stays nil.
func jsonProblem(err error) error {
	var mismatch *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &mismatch) && mismatch.Field == "":
		return badRequest(nil, "a JSON object is needed, not a JSON %s", mismatch.Value)
	case errors.As(err, &mismatch):
		return badRequest(nil, "field %q: cannot be a JSON %s, %s is needed", mismatch.Field, mismatch.Value, mismatch.Type)
	}
	return badRequest(nil, "not the JSON that is needed: %v", err)
}

// managed are the fields that only the engine writes, and the facts that moves keep.
var managed = []string{
	"origin", "operation", "version", "state_since", "created_at", "updated_at", "removed_at",
	"ever_ran", "was_created", "was_uploaded",
}

// fixed are the fields that only a creation sets: what a resource is called for life, and what only triggers move then.
var fixed = []string{"id", "state"}

// creatable are the fields of a kind that a request may set at creation, settable those that it may change later.
func creatable(t reflect.Type) []string { return without(jsonFields(t), managed) }
func settable(t reflect.Type) []string  { return without(creatable(t), fixed) }

func without(names, taken []string) []string {
	return slices.DeleteFunc(names, func(n string) bool { return slices.Contains(taken, n) })
}

// jsonFields are the names under which encoding/json knows the fields of t and of the structs it embeds.
func jsonFields(t reflect.Type) []string {
	var names []string
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous || !f.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		names = append(names, name)
	}
	return names
}
