package evbus

import (
	"fmt"
	"reflect"
)

// invoker calls a handler with what was published. It returns an error that wraps ErrArguments, or the handler's own.
type invoker func(args []any) error

// newInvoker does at Subscribe what can be done before a call. Common functions are called directly, others by reflection.
func newInvoker(fn any) invoker {
	v := reflect.ValueOf(fn)
	if t := v.Type(); t.Name() != "" {
		v = v.Convert(unnamed(t))
		fn = v.Interface()
	}
	slow := newReflected(v).invoke
	switch f := fn.(type) {
	case func():
		return nullary(f, slow)
	case func(any):
		return unary(f, slow)
	case func(string):
		return unary(f, slow)
	case func([]byte):
		return unary(f, slow)
	case func(bool):
		return unary(f, slow)
	case func(int):
		return unary(f, slow)
	case func(int64):
		return unary(f, slow)
	case func(float64):
		return unary(f, slow)
	case func(error):
		return unary(f, slow)
	case func(string, string):
		return binary(f, slow)
	case func(string, any):
		return binary(f, slow)
	case func(string, int):
		return binary(f, slow)
	case func(int, int):
		return binary(f, slow)
	case func(any, any):
		return binary(f, slow)
	case func(...any):
		return func(args []any) error {
			f(append([]any(nil), args...)...) // the handler may change its own
			return nil
		}
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

func nullary(f func(), slow invoker) invoker {
	return func(args []any) error {
		if len(args) != 0 {
			return slow(args)
		}
		f()
		return nil
	}
}

func unary[A any](f func(A), slow invoker) invoker {
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

func binary[A, B any](f func(A, B), slow invoker) invoker {
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
		return fmt.Errorf("%w: got %d", ErrArguments, len(args))
	}
	values := make([]reflect.Value, len(args))
	for i, arg := range args {
		typ := r.rest
		if i < len(r.fixed) {
			typ = r.fixed[i]
		}
		if arg == nil {
			values[i] = reflect.Zero(typ)
			continue
		}
		values[i] = reflect.ValueOf(arg)
		if got := values[i].Type(); got != typ && !got.AssignableTo(typ) {
			return fmt.Errorf("%w: argument %d is %v, not %v", ErrArguments, i+1, got, typ)
		}
	}
	out := r.fn.Call(values)
	if !r.fails {
		return nil
	}
	err, _ := out[len(out)-1].Interface().(error)
	return err
}
