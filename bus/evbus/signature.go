package evbus

import "reflect"

// fits reports whether there are arguments, nil aside, that suit both function types.
func fits(a, b reflect.Type) bool {
	fixedA, fixedB := fixed(a), fixed(b)
	if fixedA > fixedB && !b.IsVariadic() || fixedB > fixedA && !a.IsVariadic() {
		return false
	}
	for i := range max(fixedA, fixedB) {
		if !overlap(parameter(a, i), parameter(b, i)) {
			return false
		}
	}
	return true
}

// fixed counts the parameters before a variadic one.
func fixed(t reflect.Type) int {
	if t.IsVariadic() {
		return t.NumIn() - 1
	}
	return t.NumIn()
}

// parameter is the type of argument i.
func parameter(t reflect.Type, i int) reflect.Type {
	if i >= fixed(t) {
		return t.In(t.NumIn() - 1).Elem()
	}
	return t.In(i)
}

// overlap reports whether a value can be assignable to both types.
func overlap(p, q reflect.Type) bool {
	pi, qi := p.Kind() == reflect.Interface, q.Kind() == reflect.Interface
	switch {
	case p == q, pi && qi:
		return true
	case pi:
		return q.Implements(p)
	case qi:
		return p.Implements(q)
	case p.Kind() != q.Kind():
		return false
	case p.Kind() == reflect.Chan:
		return p.Elem() == q.Elem() // one without direction suits all
	case p.Kind() <= reflect.Complex128, p.Kind() == reflect.String, p.Kind() == reflect.UnsafePointer:
		return false // types of their own
	case p.Kind() == reflect.Pointer && p.Name() == "" && q.Name() == "":
		return false
	default:
		return p.ConvertibleTo(q) // a value of their common, unnamed type
	}
}
