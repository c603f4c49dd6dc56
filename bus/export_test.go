package bus

import (
	"reflect"
	"unsafe"
)

// StrictlySanitised is what recording makes of a value before it encodes it.
func StrictlySanitised[T any](v T) (T, error) {
	err := planFor(reflect.TypeFor[T](), true).run(unsafe.Pointer(&v), 0)
	return v, err
}
