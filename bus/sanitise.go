package bus

import (
	"reflect"
	"strings"
	"time"
	"unicode/utf8"
	"unsafe"
)

// maxDepth bounds how deep a payload may nest; deeper ones are taken for cyclic.
const maxDepth = 200

// Sanitised returns v as it travels: fields tagged cloudbus:"secret" are zero and times are UTC without a monotonic reading,
// deep through structs, pointers, slices, arrays and maps. v itself isn't changed; what needn't change is shared with it.
// Publishing and recording do this by themselves.
func Sanitised[T any](v T) (T, error) {
	if p := planFor(reflect.TypeFor[T](), false); p != nil {
		err := p.run(unsafe.Pointer(&v), 0)
		return v, err
	}
	return v, nil
}

// plan is what has to be done to values of one type, compiled once. A nil plan is nothing to do.
// It is exact: what isn't named here needn't be looked at.
type plan struct {
	typ   reflect.Type
	times []uintptr // offsets of time.Time
	zero  []part    // what doesn't travel
	deep  []part    // what needs a look at the value
}

// part is a field at an offset.
type part struct {
	offset uintptr
	typ    reflect.Type
	do     func(v reflect.Value, depth int) error // v is addressable
}

// run sanitises the value at p, which is the bus's own copy. What it points to is copied before it is changed.
func (pl *plan) run(p unsafe.Pointer, depth int) error {
	if depth > maxDepth {
		return &PayloadError{Type: pl.typ, Reason: "cyclic, or nested too deep"}
	}
	for _, offset := range pl.times {
		t := (*time.Time)(unsafe.Add(p, offset))
		*t = t.UTC() // which strips the monotonic reading
	}
	for _, f := range pl.zero {
		f.at(p).SetZero()
	}
	for _, f := range pl.deep {
		if err := f.do(f.at(p), depth); err != nil {
			return err
		}
	}
	return nil
}

func (f part) at(p unsafe.Pointer) reflect.Value {
	return reflect.NewAt(f.typ, unsafe.Add(p, f.offset)).Elem()
}

// copied runs the plan on a copy of v and returns it.
func (pl *plan) copied(v reflect.Value, depth int) (reflect.Value, error) {
	c := reflect.New(v.Type())
	c.Elem().Set(v)
	err := pl.run(c.UnsafePointer(), depth+1)
	return c, err
}

func (pl *plan) pointer(v reflect.Value, depth int) error {
	if v.IsNil() {
		return nil
	}
	c, err := pl.copied(v.Elem(), depth)
	v.Set(c.Convert(v.Type()))
	return err
}

func (pl *plan) slice(v reflect.Value, depth int) error {
	if v.Len() == 0 {
		return nil
	}
	c := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
	reflect.Copy(c, v)
	v.Set(c)
	return pl.array(v, depth)
}

func (pl *plan) array(v reflect.Value, depth int) error {
	for i := range v.Len() {
		if err := pl.run(v.Index(i).Addr().UnsafePointer(), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// mapping copies a map; key may be nil.
func (pl *plan) mapping(key *plan) func(reflect.Value, int) error {
	return func(v reflect.Value, depth int) error {
		if v.IsNil() {
			return nil
		}
		c := reflect.MakeMapWithSize(v.Type(), v.Len())
		for it := v.MapRange(); it.Next(); {
			k, e := it.Key(), it.Value()
			for _, side := range []struct {
				plan  *plan
				value *reflect.Value
			}{{key, &k}, {pl, &e}} {
				if side.plan == nil {
					continue
				}
				n, err := side.plan.copied(*side.value, depth)
				if err != nil {
					return err
				}
				*side.value = n.Elem()
			}
			c.SetMapIndex(k, e)
		}
		v.Set(c)
		return nil
	}
}

// dynamic looks at what an interface holds.
func dynamic(v reflect.Value, depth int) error {
	if v.IsNil() {
		return nil
	}
	pl := planFor(v.Elem().Type(), false)
	if pl == nil {
		return nil
	}
	c, err := pl.copied(v.Elem(), depth)
	v.Set(c.Elem())
	return err
}

// validText replaces what isn't UTF-8, as JSON does.
func validText(v reflect.Value, _ int) error {
	if s := v.String(); !utf8.ValidString(s) {
		v.SetString(strings.ToValidUTF8(s, "\uFFFD"))
	}
	return nil
}

// noEmpty makes an empty slice or map nil, which is what is read back if omitempty has left it out.
func noEmpty(v reflect.Value, _ int) error {
	if v.Len() == 0 {
		v.SetZero()
	}
	return nil
}

// noZero makes a value zero that omitzero leaves out.
func noZero(v reflect.Value, _ int) error {
	if z, ok := v.Addr().Interface().(interface{ IsZero() bool }); ok && z.IsZero() {
		v.SetZero()
	}
	return nil
}

// readBack replaces a value that encodes itself by what it reads back.
func readBack(v reflect.Value, _ int) error {
	if v.IsZero() && v.Kind() != reflect.Slice {
		return nil
	}
	data, err := marshal(v.Addr().Interface())
	if err != nil {
		return &PayloadError{Type: v.Type(), Reason: "can't be encoded", Err: err}
	}
	n := reflect.New(v.Type())
	if err := unmarshal(data, n.Interface()); err != nil {
		return &PayloadError{Type: v.Type(), Reason: "doesn't read what it has written", Err: err}
	}
	v.Set(n.Elem())
	return nil
}
