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

// Looks counts how often the watcher has looked for stalls.
func Looks(b *Bus) uint64 { return b.watcher.looks.Load() }
