package evbus_test

import (
	"errors"
	"reflect"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus/evbus"
)

func TestMethodValuesAreUnsubscribedIndependently(t *testing.T) {
	for _, mode := range []string{"sync", "async"} {
		t.Run(mode, func(t *testing.T) {
			b := newBus(t, evbus.Options{})
			one, two := &counter{}, &counter{}
			for _, c := range []*counter{one, two} {
				if mode == "sync" {
					must(t, b.Subscribe("t", c.Count))
				} else {
					must(t, b.SubscribeAsync("t", c.Count, true))
				}
			}
			must(t, b.Unsubscribe("t", two.Count))
			b.Publish("t")
			if err := b.Unsubscribe("t", two.Count); !errors.Is(err, evbus.ErrNotSubscribed) {
				t.Errorf("second time: %v", err)
			}
			must(t, b.Unsubscribe("t", one.Count))
			b.WaitAsync()
			if one.calls != 1 || two.calls != 0 {
				t.Errorf("%d and %d calls, want 1 and 0", one.calls, two.calls)
			}
		})
	}
}

type generic[T any] struct{ calls int }

func (g *generic[T]) Count() { g.calls++ }

// closure isn't inlined: each place would have code of its own.
//
//go:noinline
func closure(n *notes, s string) func() { return func() { n.add("%s", s) } }

type outer struct{ *counter }

func TestUnsubscribeFindsWhatIsMeant(t *testing.T) {
	value := english{"x"}
	named := func() {}
	makeFunc := func() any {
		return reflect.MakeFunc(reflect.TypeFor[func()](), func([]reflect.Value) []reflect.Value { return nil }).Interface()
	}
	n := &notes{}
	a, b := closure(n, "a"), closure(n, "b")
	made := makeFunc()
	o := outer{&counter{}}
	g, h := &generic[int]{}, &generic[int]{}
	for _, c := range []struct {
		name       string
		subscribed []any
		meant      any
		want       error
	}{
		{"the same value", []any{named}, named, nil},
		{"a closure by its value", []any{a, b}, b, nil},
		{"the only one of its code", []any{a}, closure(n, "a"), nil},
		{"several of its code", []any{a, b}, closure(n, "a"), evbus.ErrAmbiguous},
		{"another function of the type", []any{named}, func() { n.add("another") }, evbus.ErrNotSubscribed},
		{"another receiver", []any{(&counter{}).Count}, (&counter{}).Count, evbus.ErrNotSubscribed},
		{"a promoted method", []any{o.Count}, o.Count, nil},
		{"a method of a value", []any{value.Greet}, value.Greet, nil},
		{"a method of a generic type", []any{g.Count}, g.Count, nil},
		{"one of two of a generic type", []any{g.Count, h.Count}, h.Count, evbus.ErrAmbiguous},
		{"a method expression", []any{(*counter).Count}, (*counter).Count, nil},
		{"made by reflection", []any{makeFunc(), made}, made, nil},
		{"another made by reflection", []any{made}, makeFunc(), evbus.ErrNotSubscribed},
		{"nothing there", nil, named, evbus.ErrNotSubscribed},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBus(t, evbus.Options{})
			for _, fn := range c.subscribed {
				must(t, b.Subscribe("t", fn))
			}
			err := b.Unsubscribe("t", c.meant)
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			left := len(c.subscribed)
			if c.want == nil {
				left--
			}
			if got := len(b.Inspect().Handlers); got != left {
				t.Errorf("%d handlers are left, want %d", got, left)
			}
		})
	}
	t.Run("the right closure goes", func(t *testing.T) {
		e := newBus(t, evbus.Options{})
		must(t, e.Subscribe("t", a))
		must(t, e.Subscribe("t", b))
		must(t, e.Unsubscribe("t", b))
		e.Publish("t")
		n.want(t, "a")
	})
}
