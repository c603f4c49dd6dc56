package resources

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
)

// Info describes a registered kind to a store. Stores may keep what they compile from it in a map by *Info.
type Info struct {
	Name    string
	Type    reflect.Type // T
	Machine *fsm.Machine
	Fields  []Field // that queries may filter on, Object's included
	// Relations are the fields that name another resource, in order of declaration. Each is one of Fields too.
	Relations []Relation

	compile sync.Once
	copier  *copier
}

// Field of a kind: a column, by its JSON name.
type Field struct {
	Name  string
	Index []int // reflect path in T
	Type  reflect.Type
}

// New returns a pointer to a zero T.
func (i *Info) New() any { return reflect.New(i.Type).Interface() }

// Clone returns a copy of v, a *T, that shares nothing with it that can be written to. Its times are UTC, without monotonic readings.
func (i *Info) Clone(v any) any { return i.copies().clone(v) }

// snapshot is a clone without the fields tagged cloudbus:"secret".
func (i *Info) snapshot(v any) any { return i.copies().snapshot(v) }

func (i *Info) copies() *copier {
	i.compile.Do(func() { i.copier = newCopier(i.Type) })
	return i.copier
}

// Field returns the field that has the JSON name.
func (i *Info) Field(name string) (Field, bool) {
	for _, f := range i.Fields {
		if f.Name == name {
			return f, true
		}
	}
	return Field{}, false
}

var (
	objectType = reflect.TypeFor[Object]()
	idType     = reflect.TypeFor[bus.ID]()
)

// newInfo checks that t is a struct that embeds Object by value, and lists its fields.
func newInfo(t reflect.Type, m *fsm.Machine) (*Info, error) {
	i := &Info{Name: m.Kind(), Type: t, Machine: m}
	if err := i.checkEmbedding(); err != nil {
		return nil, err
	}
	if err := i.checkTags(t, true, map[place]bool{}); err != nil {
		return nil, err
	}
	taken := map[string]string{}
	if err := i.addFields(t, nil, taken); err != nil {
		return nil, err
	}
	if _, err := json.Marshal(i.New()); err != nil {
		return nil, &InvalidError{Kind: i.Name, Reason: "JSON can't carry its events: " + err.Error(), Err: err}
	}
	return i, nil
}

func (i *Info) checkEmbedding() error {
	if i.Type.Kind() != reflect.Struct {
		return i.invalid("", "%v is not a struct", i.Type)
	}
	f, ok := i.Type.FieldByName("Object")
	switch {
	case ok && f.Anonymous && f.Type == objectType && len(f.Index) == 1:
		return nil
	case ok && f.Anonymous && f.Type == reflect.PointerTo(objectType):
		return i.invalid("Object", "%v embeds *resources.Object; embed resources.Object by value", i.Type)
	default:
		return i.invalid("Object", "%v does not embed resources.Object", i.Type)
	}
}

// place is where a type stands: among the columns, or deeper.
type place struct {
	typ     reflect.Type
	columns bool
}

// checkTags refuses tags that would be passed over: a misspelt secret gets published, a misspelt relation isn't checked.
func (i *Info) checkTags(t reflect.Type, columns bool, seen map[place]bool) error {
	if seen[place{t, columns}] {
		return nil
	}
	seen[place{t, columns}] = true
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return i.checkTags(t.Elem(), false, seen)
	case reflect.Struct:
	default:
		return nil
	}
	for n := range t.NumField() {
		f := t.Field(n)
		if tag, ok := f.Tag.Lookup("cloudbus"); ok {
			if err := i.checkTag(f, tag, columns); err != nil {
				return err
			}
		}
		_, tagged := jsonName(f)
		if err := i.checkTags(f.Type, columns && f.Anonymous && !tagged, seen); err != nil {
			return err
		}
	}
	return nil
}

func (i *Info) addFields(t reflect.Type, path []int, taken map[string]string) error {
	for n := range t.NumField() {
		f := t.Field(n)
		index := append(append([]int{}, path...), n)
		name, tagged := jsonName(f)
		if f.Anonymous && !tagged && f.Type.Kind() == reflect.Struct && f.Type != timeType {
			if err := i.addFields(f.Type, index, taken); err != nil {
				return err
			}
			continue
		}
		if !f.IsExported() || name == "" {
			continue
		}
		if other, ok := taken[name]; ok {
			return i.invalid(f.Name, "JSON name %q is that of %s already", name, other)
		}
		taken[name] = f.Name
		if queryable(f.Type) && f.Tag.Get("cloudbus") != "secret" {
			i.Fields = append(i.Fields, Field{Name: name, Index: index, Type: f.Type})
			if to, ok := relationTag(f); ok {
				i.Relations = append(i.Relations, Relation{Field: name, Kind: to, index: index})
			}
		}
	}
	return nil
}

func (i *Info) invalid(field, format string, args ...any) error {
	return &InvalidError{Kind: i.Name, Field: field, Reason: fmt.Sprintf(format, args...)}
}

// jsonName is "" for fields that JSON leaves out.
func jsonName(f reflect.StructField) (name string, tagged bool) {
	tag := f.Tag.Get("json")
	if tag == "-" {
		return "", true
	}
	name, _, _ = strings.Cut(tag, ",")
	if name == "" {
		return f.Name, false
	}
	return name, true
}

// queryable types are what a column compares: strings, numbers, booleans, times and ids.
func queryable(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return true
	}
	return t == timeType || t == idType
}
