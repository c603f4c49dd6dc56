package status

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// JSONSchema is the schema that the data of an observation must meet: the intake's own, or one made of its statuses and aliases.
// Members that it doesn't name are let pass: a provider that adds one mustn't go blind for it.
func (t *Intake) JSONSchema() ([]byte, error) {
	if len(t.Schema) > 0 {
		return t.Schema, nil
	}
	statuses := make([]string, 0, len(t.Statuses)+len(t.Aliases))
	for _, s := range t.Statuses {
		statuses = append(statuses, string(s))
	}
	statuses = append(statuses, slices.Sorted(maps.Keys(t.Aliases))...)
	text := map[string]any{"type": "string"}
	return json.MarshalIndent(map[string]any{
		"$schema":  "https://json-schema.org/draft/2020-12/schema",
		"title":    "What a provider observes of a " + t.Name,
		"type":     "object",
		"required": []string{"id", "status"},
		"properties": map[string]any{
			"id":        map[string]any{"type": "string", "minLength": 1, "maxLength": 255},
			"status":    map[string]any{"enum": statuses},
			"message":   text,
			"timestamp": text,
		},
	}, "", "  ")
}

// compileSchema makes the schema ready for use.
func (t *Intake) compileSchema() (*jsonschema.Schema, error) {
	text, err := t.JSONSchema()
	if err != nil {
		return nil, fmt.Errorf("status: schema of %s: %w", t.Name, err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("status: schema of %s: %w", t.Name, err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	at := "cloudbus:///status/" + t.Name
	if err := c.AddResource(at, doc); err != nil {
		return nil, fmt.Errorf("status: schema of %s: %w", t.Name, err)
	}
	s, err := c.Compile(at)
	if err != nil {
		return nil, fmt.Errorf("status: schema of %s: %w", t.Name, err)
	}
	return s, nil
}

// meets checks data, which is JSON, against a schema. Errors: *RejectError.
func meets(s *jsonschema.Schema, data []byte) error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return reject(BadData, "data: %v", err)
	}
	if err := s.Validate(v); err != nil {
		return reject(BadData, "data: %s", clean(err.Error(), maxMessage))
	}
	return nil
}
