package bus

import "reflect"

// flat reports whether a copy of a value of typ, as strict plans leave it, shares nothing with it that could be changed:
// no pointer, slice or map.
func flat(typ reflect.Type) bool {
	if typ == timeType {
		return true // times are in UTC here, and their pointer to it is shared by all
	}
	switch typ.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface, reflect.Chan, reflect.Func, reflect.UnsafePointer:
		return false
	case reflect.Array:
		return flat(typ.Elem())
	case reflect.Struct:
		for i := range typ.NumField() {
			if f := typ.Field(i); !zeroed(typ, f) && !flat(f.Type) {
				return false
			}
		}
	}
	return true
}
