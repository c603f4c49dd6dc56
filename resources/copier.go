package resources

import (
	"reflect"
	"sync"
	"time"
)

// copier copies values of one type so that nothing mutable is shared, with times in UTC and without monotonic readings, the way a
// store gives them back. Flat structs cost an assignment and their times.
type copier struct {
	typ    reflect.Type
	detach detacher // nil: an assignment is enough
	redact detacher // detach, and fields tagged cloudbus:"secret" zeroed
}

// detacher works in place on an addressable value that was copied by assignment.
type detacher func(reflect.Value)

func newCopier(t reflect.Type) *copier {
	c := &copier{typ: t}
	c.detach = (&copyPlan{}).of(t)
	c.redact = (&copyPlan{redact: true}).of(t)
	return c
}

// clone returns a copy of v, a *T.
func (c *copier) clone(v any) any { return c.apply(v, c.detach) }

// snapshot returns a copy of v, a *T, without its secrets.
func (c *copier) snapshot(v any) any { return c.apply(v, c.redact) }

func (c *copier) apply(v any, d detacher) any {
	to := reflect.New(c.typ)
	to.Elem().Set(reflect.ValueOf(v).Elem())
	if d != nil {
		d(to.Elem())
	}
	return to.Interface()
}

// copyPlan compiles detachers.
type copyPlan struct {
	redact bool
	seen   map[reflect.Type]*detacher // types being compiled, for those that contain themselves
}

var timeType = reflect.TypeFor[time.Time]()

func (p *copyPlan) of(t reflect.Type) detacher {
	if t == timeType {
		return detachTime
	}
	switch t.Kind() {
	case reflect.Struct:
		return p.ofStruct(t)
	case reflect.Pointer:
		return p.recursive(t, p.ofPointer)
	case reflect.Slice:
		return p.recursive(t, p.ofSlice)
	case reflect.Map:
		return p.recursive(t, p.ofMap)
	case reflect.Array:
		return p.ofArray(t)
	case reflect.Interface:
		return p.ofInterface()
	}
	return nil
}

func detachTime(v reflect.Value) {
	t := v.Addr().Interface().(*time.Time)
	*t = t.UTC().Round(0)
}

func (p *copyPlan) recursive(t reflect.Type, compile func(reflect.Type) detacher) detacher {
	if d, ok := p.seen[t]; ok {
		return func(v reflect.Value) { (*d)(v) }
	}
	if p.seen == nil {
		p.seen = map[reflect.Type]*detacher{}
	}
	d := new(detacher)
	p.seen[t] = d
	*d = compile(t)
	return *d
}

func (p *copyPlan) ofStruct(t reflect.Type) detacher {
	type part struct {
		index int
		d     detacher
	}
	var parts []part
	for i := range t.NumField() {
		f := t.Field(i)
		if !visible(f) {
			continue
		}
		d := p.of(f.Type)
		if p.redact && f.Tag.Get("cloudbus") == "secret" {
			d = reflect.Value.SetZero
		}
		if d != nil {
			parts = append(parts, part{i, d})
		}
	}
	if parts == nil {
		return nil
	}
	return func(v reflect.Value) {
		for _, part := range parts {
			part.d(v.Field(part.index))
		}
	}
}

// visible fields are those that can be set from here: exported ones, and exported ones of an embedded struct.
func visible(f reflect.StructField) bool {
	return f.IsExported() || f.Anonymous && f.Type.Kind() == reflect.Struct
}

func (p *copyPlan) ofPointer(t reflect.Type) detacher {
	inner := p.of(t.Elem())
	return func(v reflect.Value) {
		if v.IsNil() {
			return
		}
		to := reflect.New(t.Elem())
		to.Elem().Set(v.Elem())
		if inner != nil {
			inner(to.Elem())
		}
		v.Set(to)
	}
}

func (p *copyPlan) ofSlice(t reflect.Type) detacher {
	inner := p.of(t.Elem())
	return func(v reflect.Value) {
		if v.IsNil() {
			return
		}
		to := reflect.MakeSlice(t, v.Len(), v.Len())
		reflect.Copy(to, v)
		for i := 0; inner != nil && i < to.Len(); i++ {
			inner(to.Index(i))
		}
		v.Set(to)
	}
}

func (p *copyPlan) ofMap(t reflect.Type) detacher {
	inner := p.of(t.Elem())
	return func(v reflect.Value) {
		if v.IsNil() {
			return
		}
		to := reflect.MakeMapWithSize(t, v.Len())
		for it := v.MapRange(); it.Next(); {
			value := reflect.New(t.Elem()).Elem()
			value.Set(it.Value())
			if inner != nil {
				inner(value)
			}
			to.SetMapIndex(it.Key(), value)
		}
		v.Set(to)
	}
}

func (p *copyPlan) ofArray(t reflect.Type) detacher {
	inner := p.of(t.Elem())
	if inner == nil {
		return nil
	}
	return func(v reflect.Value) {
		for i := range v.Len() {
			inner(v.Index(i))
		}
	}
}

// ofInterface looks at what lies in the interface when it is copied, and remembers how.
func (p *copyPlan) ofInterface() detacher {
	var plans sync.Map // reflect.Type → detacher
	redact := p.redact
	return func(v reflect.Value) {
		if v.IsNil() {
			return
		}
		t := v.Elem().Type()
		d, ok := plans.Load(t)
		if !ok {
			d, _ = plans.LoadOrStore(t, (&copyPlan{redact: redact}).of(t))
		}
		if d := d.(detacher); d != nil {
			to := reflect.New(t).Elem()
			to.Set(v.Elem())
			d(to)
			v.Set(to)
		}
	}
}
