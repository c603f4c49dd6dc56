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

// CarriedValue is the payload that a record carries beside its encoding.
func CarriedValue[T any](r *Record) (v T, ok bool) {
	p, ok := r.value.(*T)
	if ok {
		v = *p
	}
	return v, ok
}

// DecodedValue decodes a record.
func DecodedValue[T any](b *Bus, r Record) (v T, err error) {
	err = b.registry.find(r.Type, r.Schema).codec.(*codec[T]).decodeInto(&r, &v)
	return v, err
}

// OnShut has a subscription call fn when its queues are about to be closed.
func OnShut(s *Subscription, fn func()) { s.inner = shutting{s.inner, fn} }

type shutting struct {
	inner
	fn func()
}

func (s shutting) shut() (left int) {
	s.fn()
	return s.inner.shut()
}
