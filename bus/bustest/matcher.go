package bustest

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/cloudbus-go/cloudbus/bus"
)

// Matcher says which event is meant. Its String is what a failure prints. The zero Matcher matches nothing.
type Matcher[T any] struct {
	match func(bus.Event[T]) bool
	text  string
}

// Match reports whether the event is meant.
func (m Matcher[T]) Match(e bus.Event[T]) bool { return m.match != nil && m.match(e) }

func (m Matcher[T]) String() string {
	if m.match == nil {
		return "nothing (a zero Matcher)"
	}
	return m.text
}

// That matches by a function; text says what it looks for.
func That[T any](text string, match func(bus.Event[T]) bool) Matcher[T] {
	return Matcher[T]{match: match, text: text}
}

// Any matches every event.
func Any[T any]() Matcher[T] {
	return That("any event", func(bus.Event[T]) bool { return true })
}

// Payload matches events with this payload (reflect.DeepEqual).
func Payload[T any](want T) Matcher[T] {
	return That(fmt.Sprintf("payload %+v", want), func(e bus.Event[T]) bool { return reflect.DeepEqual(e.Payload, want) })
}

// PayloadThat matches payloads by a function; text says what it looks for.
func PayloadThat[T any](text string, match func(T) bool) Matcher[T] {
	return That(text, func(e bus.Event[T]) bool { return match(e.Payload) })
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

// Tenant matches events of one tenant.
func Tenant[T any](tenant string) Matcher[T] {
	return That("tenant "+tenant, func(e bus.Event[T]) bool { return e.Tenant == tenant })
}

// Actor matches events that one actor has caused.
func Actor[T any](actor string) Matcher[T] {
	return That("actor "+actor, func(e bus.Event[T]) bool { return e.Actor == actor })
}

// CausedBy matches events that a handler of the event h has caused.
func CausedBy[T any](h bus.Header) Matcher[T] {
	return That(fmt.Sprintf("caused by %s (%s)", h.Type, h.ID), func(e bus.Event[T]) bool { return !h.ID.IsZero() && e.CausationID == h.ID.String() })
}

// All matches what all of the matchers match.
func All[T any](ms ...Matcher[T]) Matcher[T] {
	return That(joined(ms, " and "), func(e bus.Event[T]) bool {
		for _, m := range ms {
			if !m.Match(e) {
				return false
			}
		}
		return true
	})
}

// Either matches what at least one of the matchers matches.
func Either[T any](ms ...Matcher[T]) Matcher[T] {
	return That(joined(ms, " or "), func(e bus.Event[T]) bool {
		for _, m := range ms {
			if m.Match(e) {
				return true
			}
		}
		return false
	})
}

// Not matches what m doesn't.
func Not[T any](m Matcher[T]) Matcher[T] {
	return That("not "+m.String(), func(e bus.Event[T]) bool { return !m.Match(e) })
}

func joined[T any](ms []Matcher[T], by string) string {
	texts := make([]string, len(ms))
	for i, m := range ms {
		texts[i] = m.String()
	}
	return strings.Join(texts, by)
}
