package bus

import (
	"fmt"
	"reflect"
	"strings"
	"time"
	"unsafe"
)

// checkJSON reports why JSON can't carry values of a payload type there and back.
func checkJSON(typ reflect.Type) error {
	c := jsonCheck{seen: make(map[reflect.Type]bool)}
	if reason := c.check(typ, ""); reason != "" {
		return &PayloadError{Type: typ, Reason: "JSON can't carry it there and back: " + reason}
	}
	if reason := c.sample(typ); reason != "" {
		return &PayloadError{Type: typ, Reason: "JSON can't carry it there and back: " + reason}
	}
	return nil
}

type jsonCheck struct {
	seen   map[reflect.Type]bool
	opaque bool // it has parts that encode themselves, and may refuse samples
}

// check returns what is wrong with a type, "" if nothing is. path names the field.
func (c *jsonCheck) check(typ reflect.Type, path string) string {
	if typ == timeType || typ == idType || c.seen[typ] {
		return ""
	}
	c.seen[typ] = true
	if encodesItself(typ) {
		c.opaque = true
		if reason := swallowed(typ, path); reason != "" {
			return reason
		}
		return checkMethods(typ, path)
	}
	switch typ.Kind() {
	case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer:
		return at(path, "%s can't be encoded", typ)
	case reflect.Interface:
		return at(path, "%s is an interface, its type isn't known when it is read", typ)
	case reflect.Pointer:
		switch typ.Elem().Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			return at(path, "%s: a pointer to nil reads back as nil", typ)
		}
		return c.check(typ.Elem(), path)
	case reflect.Slice, reflect.Array:
		return c.check(typ.Elem(), path+"[]")
	case reflect.Map:
		return c.mapping(typ, path)
	case reflect.Struct:
		return c.fields(typ, path)
	default:
		return ""
	}
}

// swallowed finds structs that inherit an embedded field's encoding, which knows nothing of the other fields.
func swallowed(typ reflect.Type, path string) string {
	if typ.Kind() != reflect.Struct {
		return ""
	}
	v, speaker := reflect.New(typ).Elem(), ""
	for i := range typ.NumField() {
		if f := typ.Field(i); f.Anonymous && encodesItself(f.Type) {
			speaker = f.Name
		} else {
			fill(v.Field(i), 1)
		}
	}
	if speaker == "" {
		return ""
	}
	back := reflect.New(typ)
	data, err := marshal(v.Addr().Interface())
	if err == nil {
		err = unmarshal(data, back.Interface())
	}
	if err == nil && reflect.DeepEqual(v.Interface(), back.Elem().Interface()) {
		return ""
	}
	return at(path, "%s takes its encoding from the embedded %s, which leaves the other fields out", typ, speaker)
}

func checkMethods(typ reflect.Type, path string) string {
	p := reflect.PointerTo(typ)
	if p.Implements(jsonMarshaler) && p.Implements(jsonUnmarshaler) || p.Implements(textMarshaler) && p.Implements(textUnmarshaler) && !p.Implements(jsonMarshaler) && !p.Implements(jsonUnmarshaler) {
		return ""
	}
	return at(path, "%s has methods for one direction only (needs both of MarshalJSON and UnmarshalJSON, or of MarshalText and UnmarshalText)", typ)
}

func (c *jsonCheck) mapping(typ reflect.Type, path string) string {
	switch k := typ.Key(); {
	case k.Kind() == reflect.String, k.Kind() >= reflect.Int && k.Kind() <= reflect.Uintptr:
	case k.Implements(textMarshaler) && reflect.PointerTo(k).Implements(textUnmarshaler):
	default:
		return at(path, "%s has keys that aren't text or whole numbers", typ)
	}
	return c.check(typ.Elem(), path+"[]")
}

func (c *jsonCheck) fields(typ reflect.Type, path string) string {
	names := make(map[string]string)
	if reason := c.collect(typ, path, names); reason != "" {
		return reason
	}
	if len(names) == 0 && typ.NumField() > 0 && !allSecret(typ) {
		return at(path, "%s has no field that JSON carries", typ)
	}
	return ""
}

// collect checks the fields of a struct and of those it embeds, whose names share one object.
func (c *jsonCheck) collect(typ reflect.Type, path string, names map[string]string) string {
	for i := range typ.NumField() {
		f := typ.Field(i)
		if f.Anonymous && f.Type.Kind() == reflect.Pointer && f.Tag.Get("json") == "" {
			return at(path, "%s embeds %s by pointer, embed it by value", typ, f.Type)
		}
		if !travels(f) || secret(f) {
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		where := strings.TrimPrefix(path+"."+f.Name, ".")
		if f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct && !encodesItself(f.Type) {
			if reason := c.collect(f.Type, where, names); reason != "" {
				return reason
			}
			continue
		}
		if !f.IsExported() {
			continue
		}
		if name == "" {
			name = f.Name
		}
		if other, taken := names[name]; taken {
			return fmt.Sprintf("%s and %s are both called %q", other, where, name)
		}
		names[name] = where
		if reason := c.check(f.Type, where); reason != "" {
			return reason
		}
	}
	return ""
}

func allSecret(typ reflect.Type) bool {
	for i := range typ.NumField() {
		if !secret(typ.Field(i)) {
			return false
		}
	}
	return true
}

func at(path, format string, args ...any) string {
	reason := fmt.Sprintf(format, args...)
	if path == "" {
		return reason
	}
	return "field " + path + ": " + reason
}

// sample sends a value with something in each field there and back: it finds what types don't show, an embedded MarshalJSON that
// speaks for the whole struct, say.
func (c *jsonCheck) sample(typ reflect.Type) string {
	v := reflect.New(typ)
	fill(v.Elem(), 0)
	if p := planFor(typ, true); p != nil {
		if err := p.run(unsafe.Pointer(v.Pointer()), 0); err != nil {
			return c.refused(err)
		}
	}
	data, err := marshal(v.Interface())
	if err != nil {
		return c.refused(err)
	}
	back := reflect.New(typ)
	if err := unmarshal(data, back.Interface()); err != nil {
		return c.refused(err)
	}
	if !reflect.DeepEqual(v.Interface(), back.Interface()) {
		return fmt.Sprintf("%+v is read back as %+v", v.Elem(), back.Elem())
	}
	return ""
}

// refused is an error with a sample; parts that check what they read may have one without being wrong.
func (c *jsonCheck) refused(err error) string {
	if c.opaque {
		return ""
	}
	return err.Error()
}

// fill puts something into each field.
func fill(v reflect.Value, depth int) {
	if v.Type() == timeType {
		v.Set(reflect.ValueOf(time.Date(2001, 2, 3, 4, 5, 6, 7, time.UTC)))
		return
	}
	if depth > 4 || !v.CanSet() || encodesItself(v.Type()) {
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString("x")
	case reflect.Float32, reflect.Float64:
		v.SetFloat(1.5)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), depth+1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), depth+1)
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), depth+1)
		}
	case reflect.Map:
		fillMap(v, depth)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), depth+1)
		}
	default:
		if v.CanInt() {
			v.SetInt(1)
		} else if v.CanUint() {
			v.SetUint(1)
		}
	}
}

func fillMap(v reflect.Value, depth int) {
	k, e := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
	fill(k, depth+1)
	fill(e, depth+1)
	v.Set(reflect.MakeMap(v.Type()))
	v.SetMapIndex(k, e)
}
