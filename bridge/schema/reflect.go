package schema

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/invopop/jsonschema"
)

const definitions = "#/$defs/"

var (
	idType      = reflect.TypeFor[bus.ID]()
	stateType   = reflect.TypeFor[fsm.State]()
	triggerType = reflect.TypeFor[fsm.Trigger]()
	refusedType = reflect.TypeFor[resources.Refused]()
	jsonType    = reflect.TypeFor[json.Marshaler]()
)

// reflected makes the schema of a payload: a reference to its definition, and all definitions. m, if not nil, is the machine whose states it speaks of.
func reflected(t reflect.Type, m *fsm.Machine) *jsonschema.Schema {
	names := namer{of: map[reflect.Type]string{}, taken: map[string]bool{}}
	r := &jsonschema.Reflector{
		Anonymous: true, AllowAdditionalProperties: true, Namer: names.name,
		Mapper: func(t reflect.Type) *jsonschema.Schema { return mapped(t, m) },
	}
	root := r.ReflectFromType(t)
	refine := refiner{definitions: root.Definitions, names: names, done: map[reflect.Type]bool{}}
	refine.typ(t, root)
	if m != nil && t != refusedType {
		limitTriggers(root, m)
	}
	if isChanged(t) {
		root.Extras = map[string]any{"x-go-changed": true}
	}
	return root
}

// mapped are the types that say more than their Go kind.
func mapped(t reflect.Type, m *fsm.Machine) *jsonschema.Schema {
	switch {
	case t == idType:
		return &jsonschema.Schema{Type: "string", Format: "uuid"}
	case t == stateType && m != nil:
		s := &jsonschema.Schema{Type: "string"}
		for _, state := range m.States() {
			s.Enum = append(s.Enum, string(state))
		}
		return s
	case t == stateType, t == triggerType:
		return &jsonschema.Schema{Type: "string"}
	}
	return nil
}

// limitTriggers names the machine's triggers in the payload's own field.
func limitTriggers(root *jsonschema.Schema, m *fsm.Machine) {
	own := root.Definitions[strings.TrimPrefix(root.Ref, definitions)]
	if own == nil || own.Properties == nil {
		return
	}
	trigger, ok := own.Properties.Get("trigger")
	if !ok {
		return
	}
	for _, t := range m.Triggers() {
		trigger.Enum = append(trigger.Enum, string(t))
	}
}

// namer gives types names that are short, and differ.
type namer struct {
	of    map[reflect.Type]string
	taken map[string]bool
}

func (n namer) name(t reflect.Type) string {
	if name, ok := n.of[t]; ok {
		return name
	}
	base := shortName(t)
	name := base
	for i := 2; n.taken[name]; i++ {
		name = fmt.Sprintf("%s%d", base, i)
	}
	n.of[t], n.taken[name] = name, true
	return name
}

// shortName writes Changed[example.com/cloud/vm.VM] as ChangedVM.
func shortName(t reflect.Type) string {
	outer, inner, _ := strings.Cut(strings.TrimSuffix(t.Name(), "]"), "[")
	for argument := range strings.SplitSeq(inner, ",") {
		outer += argument[strings.LastIndexAny(argument, "./")+1:]
	}
	return outer
}

// refiner corrects what the reflection of a type doesn't know: fields tagged secret hold nothing, and nil is null.
type refiner struct {
	definitions jsonschema.Definitions
	names       namer
	done        map[reflect.Type]bool
}

// resolve follows a reference.
func (r refiner) resolve(s *jsonschema.Schema) *jsonschema.Schema {
	if s == nil || s.Ref == "" {
		return s
	}
	return r.definitions[strings.TrimPrefix(s.Ref, definitions)]
}

// typ corrects the schema of a type.
func (r refiner) typ(t reflect.Type, s *jsonschema.Schema) {
	switch t.Kind() {
	case reflect.Pointer:
		r.typ(t.Elem(), s)
	case reflect.Slice, reflect.Array:
		if s = r.resolve(s); s != nil && s.Items != nil {
			r.typ(t.Elem(), s.Items)
			s.Items = nullable(t.Elem(), s.Items)
		}
	case reflect.Map:
		if s = r.resolve(s); s != nil && s.AdditionalProperties != nil {
			r.typ(t.Elem(), s.AdditionalProperties)
			s.AdditionalProperties = nullable(t.Elem(), s.AdditionalProperties)
		}
	case reflect.Struct:
		s = r.resolve(s)
		if s == nil || s.Properties == nil || r.done[t] {
			return
		}
		r.done[t] = true
		r.fields(t, s)
	}
}

// fields corrects the properties of a struct, those of embedded ones included.
func (r refiner) fields(t reflect.Type, s *jsonschema.Schema) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct {
			r.fields(f.Type, s)
			continue
		}
		if name == "" {
			name = f.Name
		}
		property, ok := s.Properties.Get(name)
		if !ok || !f.IsExported() || name == "-" {
			continue
		}
		if f.Tag.Get("cloudbus") == "secret" {
			s.Properties.Delete(name)
			s.Required = without(s.Required, name)
			continue
		}
		r.typ(f.Type, property)
		if !strings.Contains(options, "omit") {
			s.Properties.Set(name, nullable(f.Type, property))
		}
		if property.Enum != nil && !strings.Contains(options, "omit") && f.Name != "State" && f.Name != "To" {
			property.Enum = append([]any{""}, property.Enum...)
		}
	}
}

func without(all []string, name string) (left []string) {
	for _, one := range all {
		if one != name {
			left = append(left, one)
		}
	}
	return left
}

// nullable allows null where Go's nil is written as that.
func nullable(t reflect.Type, s *jsonschema.Schema) *jsonschema.Schema {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		if t.Implements(jsonType) && t.Kind() != reflect.Pointer {
			return s
		}
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{s, {Type: "null"}}}
	}
	return s
}
