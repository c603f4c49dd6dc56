package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
)

// values makes a JSON object of a file (- is standard input) and of name=value pairs, which come on top. Nothing is guessed about what isn't plainly JSON:
// cpus=2 and dry=true are a number and a boolean, note='"2"' is a string, as is everything else.
func (a *app) values(file string, pairs []string) (map[string]json.RawMessage, error) {
	object := make(map[string]json.RawMessage)
	if file != "" {
		body, err := a.readFile(file)
		if err != nil {
			return nil, badUsage("-f: %v", err)
		}
		d := json.NewDecoder(bytes.NewReader(body))
		if err := d.Decode(&object); err != nil || object == nil {
			return nil, badUsage("-f %s: a JSON object is needed: %v", file, orNull(err))
		}
		if _, err := d.Token(); !errors.Is(err, io.EOF) {
			return nil, badUsage("-f %s: there is something behind the JSON object", file)
		}
	}
	given := make(map[string]bool)
	for _, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		switch {
		case !ok || name == "":
			return nil, badUsage("%q isn't name=value", pair)
		case given[name]:
			return nil, badUsage("%q is given twice", name)
		}
		given[name] = true
		object[name] = jsonOf(value)
	}
	return object, nil
}

func orNull(err error) error {
	if err == nil {
		return errors.New("null isn't one")
	}
	return err
}

func (a *app) readFile(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(a.stdin)
	}
	return os.ReadFile(name)
}

// jsonOf is a value as it is if it is JSON, else as a JSON string.
func jsonOf(value string) json.RawMessage {
	if json.Valid([]byte(value)) {
		return json.RawMessage(value)
	}
	text, _ := json.Marshal(value) // a string never fails
	return text
}
