package bus

import (
	"encoding"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"
)

var (
	timeType        = reflect.TypeFor[time.Time]()
	idType          = reflect.TypeFor[ID]()
	jsonMarshaler   = reflect.TypeFor[json.Marshaler]()
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	textMarshaler   = reflect.TypeFor[encoding.TextMarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()

	plans sync.Map // planKey → *plan, nil for nothing to do
)

// planKey: a strict plan also makes a value what JSON will read back: without what JSON doesn't carry, with valid UTF-8,
// nil for the empty things that omitempty leaves out.
type planKey struct {
	typ    reflect.Type
	strict bool
}

// planFor returns the plan of a type, nil if there is nothing to do.
func planFor(typ reflect.Type, strict bool) *plan {
	key := planKey{typ, strict}
	if p, ok := plans.Load(key); ok {
		return p.(*plan)
	}
	c := compiler{strict: strict, made: make(map[reflect.Type]*plan)}
	p := c.plan(typ)
	plans.Store(key, p)
	return p
}

// compiler makes plans. A type that holds itself meets its own plan in made.
type compiler struct {
	strict bool
	made   map[reflect.Type]*plan
}

func (c *compiler) plan(typ reflect.Type) *plan {
	if p, ok := c.made[typ]; ok {
		return p
	}
	if !c.touches(typ, make(map[reflect.Type]bool)) {
		return nil
	}
	p := &plan{typ: typ}
	c.made[typ] = p
	c.add(p, typ, 0)
	return p
}

// add puts into p what has to be done to a typ at an offset.
func (c *compiler) add(p *plan, typ reflect.Type, offset uintptr) {
	deep := func(do func(reflect.Value, int) error) { p.deep = append(p.deep, part{offset, typ, do}) }
	if typ == timeType {
		p.times = append(p.times, offset)
		return
	}
	if !c.touches(typ, make(map[reflect.Type]bool)) {
		return
	}
	switch typ.Kind() {
	case reflect.Struct:
		c.fields(p, typ, offset)
	case reflect.Pointer:
		if e := c.plan(typ.Elem()); e != nil {
			deep(e.pointer)
		}
	case reflect.Slice:
		if e := c.plan(typ.Elem()); e != nil {
			deep(e.slice)
		}
	case reflect.Array:
		if e := c.plan(typ.Elem()); e != nil {
			deep(e.array)
		}
	case reflect.Map:
		deep(c.plan(typ.Elem()).mapping(c.plan(typ.Key())))
	case reflect.Interface:
		deep(dynamic)
	case reflect.String:
		deep(validText)
	}
	if c.strict && encodesItself(typ) {
		deep(readBack)
	}
}

func (c *compiler) fields(p *plan, typ reflect.Type, offset uintptr) {
	for i := range typ.NumField() {
		f := typ.Field(i)
		at := offset + f.Offset
		switch {
		case secret(f), c.strict && zeroed(typ, f):
			p.zero = append(p.zero, part{offset: at, typ: f.Type})
			continue
		case !visible(f):
			continue
		}
		if c.strict {
			c.omitted(p, f, at)
		}
		c.add(p, f.Type, at)
	}
}

// omitted adds what JSON's omitempty and omitzero make of a value.
func (c *compiler) omitted(p *plan, f reflect.StructField, at uintptr) {
	_, options, _ := strings.Cut(f.Tag.Get("json"), ",")
	has := func(o string) bool { return slices.Contains(strings.Split(options, ","), o) }
	if k := f.Type.Kind(); has("omitempty") && (k == reflect.Slice || k == reflect.Map) {
		p.deep = append(p.deep, part{at, f.Type, noEmpty})
	}
	if has("omitzero") && f.Type != timeType {
		p.deep = append(p.deep, part{at, f.Type, noZero})
	}
}

// touches reports whether values of typ can hold anything to sanitise.
func (c *compiler) touches(typ reflect.Type, seen map[reflect.Type]bool) bool {
	if typ == timeType {
		return true
	}
	if typ == idType || seen[typ] {
		return false
	}
	seen[typ] = true
	if c.strict && encodesItself(typ) {
		return true
	}
	switch typ.Kind() {
	case reflect.Interface:
		return true
	case reflect.String:
		return c.strict
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return c.touches(typ.Elem(), seen)
	case reflect.Map:
		return c.touches(typ.Elem(), seen) || c.touches(typ.Key(), seen)
	case reflect.Struct:
		return c.touchesFields(typ, seen)
	default:
		return false
	}
}

func (c *compiler) touchesFields(typ reflect.Type, seen map[reflect.Type]bool) bool {
	for i := range typ.NumField() {
		f := typ.Field(i)
		if secret(f) || c.strict && (!travels(f) || strings.Contains(f.Tag.Get("json"), ",omit")) {
			return true
		}
		if visible(f) && c.touches(f.Type, seen) {
			return true
		}
	}
	return false
}

// secret reports whether a field is tagged cloudbus:"secret".
func secret(f reflect.StructField) bool { return f.Tag.Get("cloudbus") == "secret" }

// zeroed reports whether a strict plan makes a field of typ zero.
func zeroed(typ reflect.Type, f reflect.StructField) bool {
	return secret(f) || !travels(f) && !encodesItself(typ)
}

// visible reports whether others can see a field: it is exported, or an embedded struct that may have exported ones.
func visible(f reflect.StructField) bool {
	return f.IsExported() || f.Anonymous && f.Type.Kind() == reflect.Struct
}

// travels reports whether JSON carries a field.
func travels(f reflect.StructField) bool { return visible(f) && f.Tag.Get("json") != "-" }

// encodesItself reports whether a type has methods that JSON calls instead of looking at its fields.
func encodesItself(typ reflect.Type) bool {
	p := reflect.PointerTo(typ)
	return typ.Kind() != reflect.Interface && (p.Implements(jsonMarshaler) || p.Implements(textMarshaler) || p.Implements(jsonUnmarshaler) || p.Implements(textUnmarshaler))
}
