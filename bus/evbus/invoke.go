package evbus

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// invoker calls a handler with what was published. It returns an error that wraps ErrArguments, or the handler's own.
type invoker func(args []any) error

// direct makes invokers for function types that are called without reflection.
type direct map[reflect.Type]func(fn any, slow invoker) invoker

// Direct makes calls of handlers func(T) that are subscribed after it several times as fast: they need no reflection.
// Those of the common basic types, of any and of error are called so anyway.
func Direct[T any](b *Bus) {
	b.mu.Lock()
	defer b.mu.Unlock()
	next := maps.Clone(*b.direct.Load())
	next[reflect.TypeFor[func(T)]()] = unary[T]
	b.direct.Store(&next)
}

// common are the function types that are called directly from the start.
var common = direct{
	reflect.TypeFor[func()]():               nullary,
	reflect.TypeFor[func(...any)]():         variadic,
	reflect.TypeFor[func(any)]():            unary[any],
	reflect.TypeFor[func(error)]():          unary[error],
	reflect.TypeFor[func(string)]():         unary[string],
	reflect.TypeFor[func([]byte)]():         unary[[]byte],
	reflect.TypeFor[func(bool)]():           unary[bool],
	reflect.TypeFor[func(int)]():            unary[int],
	reflect.TypeFor[func(int64)]():          unary[int64],
	reflect.TypeFor[func(uint64)]():         unary[uint64],
	reflect.TypeFor[func(float64)]():        unary[float64],
	reflect.TypeFor[func(any, any)]():       binary[any, any],
	reflect.TypeFor[func(string, any)]():    binary[string, any],
	reflect.TypeFor[func(string, string)](): binary[string, string],
	reflect.TypeFor[func(string, int)]():    binary[string, int],
	reflect.TypeFor[func(int, int)]():       binary[int, int],
}

// invoker does at Subscribe what can be done before a call. Functions of the types in d are called directly, others by reflection.
func (d direct) invoker(fn any) invoker {
	v := reflect.ValueOf(fn)
	if t := v.Type(); t.Name() != "" {
		v = v.Convert(unnamed(t))
	}
	slow := newReflected(v).invoke
	if fast := d[v.Type()]; fast != nil {
		return fast(v.Interface(), slow)
	}
	return slow
}

// unnamed is the type literal of a named function type.
func unnamed(t reflect.Type) reflect.Type {
	in := make([]reflect.Type, t.NumIn())
	for i := range in {
		in[i] = t.In(i)
	}
	out := make([]reflect.Type, t.NumOut())
	for i := range out {
		out[i] = t.Out(i)
	}
	return reflect.FuncOf(in, out, t.IsVariadic())
}

// What isn't exactly the parameter's type (nil, too) takes the slow way, which knows what is assignable.

func nullary(fn any, slow invoker) invoker {
	f := fn.(func())
	return func(args []any) error {
		if len(args) != 0 {
			return slow(args)
		}
		f()
		return nil
	}
}

func unary[A any](fn any, slow invoker) invoker {
	f := fn.(func(A))
	return func(args []any) error {
		if len(args) == 1 {
			if a, ok := args[0].(A); ok {
				f(a)
				return nil
			}
		}
		return slow(args)
	}
}

func binary[A, B any](fn any, slow invoker) invoker {
	f := fn.(func(A, B))
	return func(args []any) error {
		if len(args) == 2 {
			a, okA := args[0].(A)
			b, okB := args[1].(B)
			if okA && okB {
				f(a, b)
				return nil
			}
		}
		return slow(args)
	}
}

func variadic(fn any, _ invoker) invoker {
	f := fn.(func(...any))
	return func(args []any) error {
		f(slices.Clone(args)...) // the handler may change its own
		return nil
	}
}

var errorType = reflect.TypeFor[error]()

// reflected calls a function of any type.
type reflected struct {
	fn    reflect.Value
	fixed []reflect.Type
	rest  reflect.Type // of variadic arguments, nil if there are none
	fails bool         // its last result is an error
}

func newReflected(fn reflect.Value) *reflected {
	t := fn.Type()
	r := &reflected{fn: fn, fails: t.NumOut() > 0 && t.Out(t.NumOut()-1) == errorType}
	for i := range fixed(t) {
		r.fixed = append(r.fixed, t.In(i))
	}
	if t.IsVariadic() {
		r.rest = t.In(t.NumIn() - 1).Elem()
	}
	return r
}

func (r *reflected) invoke(args []any) error {
	if len(args) < len(r.fixed) || r.rest == nil && len(args) > len(r.fixed) {
		return fmt.Errorf("%w: there are %d", ErrArguments, len(args))
	}
	var few [4]reflect.Value // mostly enough, and on the stack
	values := few[:0]
	for i, arg := range args {
		typ := r.rest
		if i < len(r.fixed) {
			typ = r.fixed[i]
		}
		if arg == nil {
			values = append(values, reflect.Zero(typ))
			continue
		}
		v := reflect.ValueOf(arg)
		if got := v.Type(); got != typ && !got.AssignableTo(typ) {
			return fmt.Errorf("%w: argument %d is %v, not %v", ErrArguments, i+1, got, typ)
		}
		values = append(values, v)
	}
	out := r.fn.Call(values)
	if !r.fails {
		return nil
	}
	err, _ := out[len(out)-1].Interface().(error)
	return err
}
