package bustest

import (
	"fmt"
	"reflect"

	"github.com/cloudbus-go/cloudbus/bus"
)

// Matcher says which event is meant. Its String is what a failure prints.
type Matcher[T any] struct {
	match func(bus.Event[T]) bool
	text  string
}

// Match reports whether the event is meant.
func (m Matcher[T]) Match(e bus.Event[T]) bool { return m.match(e) }

func (m Matcher[T]) String() string { return m.text }

// That matches by a function; text says what it looks for.
func That[T any](text string, match func(bus.Event[T]) bool) Matcher[T] {
	return Matcher[T]{match: match, text: text}
}

// Payload matches events with this payload (reflect.DeepEqual).
func Payload[T any](want T) Matcher[T] {
	return That(fmt.Sprintf("payload %+v", want), func(e bus.Event[T]) bool { return reflect.DeepEqual(e.Payload, want) })
}

// Type matches event types by a pattern, as bus.Type does. A pattern that is none matches nothing, and the failure says so.
func Type[T any](pattern string) Matcher[T] {
	p, err := bus.ParsePattern(pattern)
	if err != nil {
		return That(err.Error(), func(bus.Event[T]) bool { return false })
	}
	return That("type "+pattern, func(e bus.Event[T]) bool { return p.Match(e.Type) })
}

// Resource matches events about one resource.
func Resource[T any](kind, id string) Matcher[T] {
	return That("resource "+kind+"/"+id, func(e bus.Event[T]) bool { return e.Kind == kind && e.ResourceID == id })
}

// All matches what all of the matchers match.
func All[T any](ms ...Matcher[T]) Matcher[T] {
	text := ""
	for i, m := range ms {
		if i > 0 {
			text += " and "
		}
		text += m.text
	}
	return That(text, func(e bus.Event[T]) bool {
		for _, m := range ms {
			if !m.match(e) {
				return false
			}
		}
		return true
	})
}

// Not matches what m doesn't.
func Not[T any](m Matcher[T]) Matcher[T] {
	return That("not "+m.text, func(e bus.Event[T]) bool { return !m.match(e) })
}
