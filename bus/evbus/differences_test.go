package evbus_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/asaskevich/EventBus"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/evbus"
)

func TestNestedPublishWorks(t *testing.T) {
	b := newBus(t, evbus.Options{})
	n := &notes{}
	must(t, b.Subscribe("outer", func() { n.add("outer"); b.Publish("inner", "x"); n.add("end") }))
	must(t, b.Subscribe("inner", func(s string) { n.add("inner %s", s) }))
	within(t, "publishing", in(func() { b.Publish("outer") }))
	n.want(t, "outer", "inner x", "end")
}

func TestHandlersSubscribeUnsubscribeAndAsk(t *testing.T) {
	b := newBus(t, evbus.Options{})
	n := &notes{}
	var first func()
	last := func() { n.add("last") }
	first = func() {
		n.add("first %t", b.HasCallback("t"))
		must(t, b.Unsubscribe("t", first))
		must(t, b.Unsubscribe("t", last)) // isn't started any more
		must(t, b.Subscribe("t", func() { n.add("new") }))
	}
	must(t, b.Subscribe("t", first))
	must(t, b.Subscribe("t", last))
	within(t, "publishing", in(func() { b.Publish("t"); b.Publish("t") }))
	n.want(t, "first true", "new")
}

func TestTopicsDoNotWaitForOneAnother(t *testing.T) {
	b := newBus(t, evbus.Options{})
	entered, release := make(chan struct{}), make(chan struct{})
	must(t, b.Subscribe("slow", func() { close(entered); <-release }))
	must(t, b.Subscribe("quick", func() {}))
	slow := in(func() { b.Publish("slow") })
	within(t, "the slow handler", entered)
	within(t, "another topic", in(func() { b.Publish("quick"); b.HasCallback("slow"); must(t, b.Subscribe("slow", func() {})) }))
	close(release)
	within(t, "the slow topic", slow)
}

func TestAsynchronousHandlersStartAtThePlaceOfTheFirst(t *testing.T) {
	b := newBus(t, evbus.Options{})
	n := &notes{}
	ran := make(chan struct{})
	must(t, b.Subscribe("t", func() { n.add("sync") }))
	must(t, b.SubscribeAsync("t", func() {}, false))
	must(t, b.Subscribe("t", func() { within(t, "the last handler", ran); n.add("sync too") }))
	must(t, b.SubscribeAsync("t", func() { n.add("async"); close(ran) }, false))
	within(t, "publishing", in(func() { b.Publish("t") }))
	n.want(t, "sync", "async", "sync too")
}

func TestTransactionalHandlersDoNotHoldUpPublishers(t *testing.T) {
	b := newBus(t, evbus.Options{})
	release := make(chan struct{})
	must(t, b.SubscribeAsync("t", func() { <-release }, true))
	within(t, "publishing", in(func() {
		for range 3 {
			b.Publish("t")
		}
	}))
	close(release)
	b.WaitAsync()
}

func TestOnceIsOnceUnderConcurrency(t *testing.T) {
	for _, mode := range []string{"sync", "async"} {
		t.Run(mode, func(t *testing.T) {
			b := newBus(t, evbus.Options{})
			for range 50 {
				var once, twice, always atomic.Int64
				subscribe := b.SubscribeOnce
				if mode == "async" {
					subscribe = b.SubscribeOnceAsync
				}
				f := func() { always.Add(1) }
				must(t, subscribe("t", func() { once.Add(1) }))
				must(t, b.Subscribe("t", f))
				must(t, subscribe("t", func() { twice.Add(1); b.Publish("t") })) // and nested
				var wg sync.WaitGroup
				for range 4 {
					wg.Go(func() { b.Publish("t") })
				}
				wg.Wait()
				b.WaitAsync()
				if once.Load() != 1 || twice.Load() != 1 || always.Load() != 5 {
					t.Fatalf("%d, %d and %d calls, want 1, 1 and 5", once.Load(), twice.Load(), always.Load())
				}
				must(t, b.Unsubscribe("t", f))
			}
			wantNoneRunning(t, b)
		})
	}
}

// wantNoneRunning fails the test if an asynchronous handler that is gone and idle has left its subscription open.
func wantNoneRunning(t *testing.T, b *evbus.Bus) {
	t.Helper()
	for _, s := range b.Client().Bus().Inspect().Subscriptions {
		if s.State == "running" {
			t.Errorf("subscription %s is left", s.Name)
		}
	}
}

func TestUnsubscribeAndOnceRace(t *testing.T) {
	b := newBus(t, evbus.Options{})
	for range 200 {
		var calls atomic.Int64
		f := func() { calls.Add(1) }
		must(t, b.SubscribeOnceAsync("t", f))
		published := in(func() { b.Publish("t") })
		gone := b.Unsubscribe("t", f) == nil
		<-published
		b.WaitAsync()
		if want := map[bool]int64{true: 0, false: 1}[gone]; calls.Load() != want {
			t.Fatalf("unsubscribed: %t, %d calls, want %d", gone, calls.Load(), want)
		}
	}
}

func TestPanicStaysInItsHandler(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	below := bus.New(bus.Options{Logger: logger})
	defer below.Close(context.Background())
	b := evbus.New(below, evbus.Options{Logger: logger})
	n := &notes{}
	boom := errors.New("boom")
	must(t, b.Subscribe("t", func() { panic(boom) }))
	must(t, b.SubscribeAsync("t", func() { panic(boom) }, false))
	must(t, b.Subscribe("t", func() { n.add("called") }))
	err := b.PublishContext(t.Context(), "t")
	b.Publish("t")
	b.WaitAsync()
	n.want(t, "called", "called")
	var p *bus.PanicError
	var h *evbus.HandlerError
	if !errors.Is(err, boom) || !errors.As(err, &p) || !errors.As(err, &h) || h.Topic != "t" {
		t.Errorf("error %v", err)
	}
	for _, i := range b.Inspect().Handlers[:2] {
		if i.Failed != 2 || !errors.Is(i.Err, boom) {
			t.Errorf("%s: failed %d times with %v", i.Handler, i.Failed, i.Err)
		}
	}
	if got := strings.Count(log.String(), "level=ERROR"); got != 2 || !strings.Contains(log.String(), "stack=") {
		t.Errorf("want one line for each handler, with a stack:\n%s", log.String())
	}
}

func TestGoexitEndsThePublisherAlone(t *testing.T) {
	b := newBus(t, evbus.Options{})
	n := &notes{}
	must(t, b.Subscribe("t", func() { runtime.Goexit() }))
	must(t, b.SubscribeAsync("u", func(i int) {
		n.add("%d", i)
		if i == 1 {
			runtime.Goexit()
		}
	}, false))
	within(t, "the publisher's end", in(func() { b.Publish("t"); t.Error("went on") }))
	b.Publish("u", 1)
	b.Publish("u", 2)
	within(t, "waiting", in(b.WaitAsync))
	n.want(t, "1", "2")
	for _, h := range b.Inspect().Handlers {
		if h.Failed != 1 || h.Err == nil {
			t.Errorf("%s: failed %d times with %v", h.Topic, h.Failed, h.Err)
		}
	}
}

func TestErrorsThatHandlersReturnAreCounted(t *testing.T) {
	b := newBus(t, evbus.Options{})
	no := errors.New("no")
	must(t, b.Subscribe("t", func(err error) error { return err }))
	must(t, b.SubscribeAsync("t", func(err error) (int, error) { return 1, err }, true))
	if err := b.PublishContext(t.Context(), "t", nil); err != nil {
		t.Error(err)
	}
	if err := b.PublishContext(t.Context(), "t", no); !errors.Is(err, no) {
		t.Errorf("error %v", err)
	}
	b.Publish("t", bus.Stop) // means nothing to a topic's handlers
	b.Publish("t", no)
	b.WaitAsync()
	for _, i := range b.Inspect().Handlers {
		if i.Failed != 3 || !errors.Is(i.Err, no) {
			t.Errorf("%s: failed %d times with %v", i.Handler, i.Failed, i.Err)
		}
	}
}

// The methods of a nil pointer that is returned as an error panic.
func TestAnErrorThatPanicsStaysInItsHandler(t *testing.T) {
	b := newBus(t, evbus.Options{})
	missing := error((*fs.PathError)(nil))
	returns := func() error { return missing }
	panics := func() error { panic(missing) }
	must(t, b.Subscribe("t", returns))
	must(t, b.Subscribe("t", panics))
	must(t, b.SubscribeAsync("t", returns, true))
	must(t, b.SubscribeAsync("t", panics, true))
	var p *bus.PanicError
	if err := b.PublishContext(t.Context(), "t"); !errors.As(err, &p) {
		t.Errorf("error %v, want *bus.PanicError", err)
	}
	b.WaitAsync()
	for _, i := range b.Inspect().Handlers {
		if i.Failed != 1 || !errors.As(i.Err, &p) {
			t.Errorf("%s: failed %d times with %v", i.Handler, i.Failed, i.Err)
		}
	}
}

func TestWhatIsNoHandlerIsAnError(t *testing.T) {
	b := newBus(t, evbus.Options{})
	var nilFunc func()
	for name, fn := range map[string]any{"nil": nil, "nil func": nilFunc, "string": "x", "pointer to func": &nilFunc} {
		for method, err := range map[string]error{
			"Subscribe":          b.Subscribe("t", fn),
			"SubscribeAsync":     b.SubscribeAsync("t", fn, true),
			"SubscribeOnce":      b.SubscribeOnce("t", fn),
			"SubscribeOnceAsync": b.SubscribeOnceAsync("t", fn),
			"Unsubscribe":        b.Unsubscribe("t", fn),
		} {
			if !errors.Is(err, evbus.ErrHandler) {
				t.Errorf("%s of %s: %v", method, name, err)
			}
		}
	}
	if b.HasCallback("t") {
		t.Error("there is a callback")
	}
}

func TestSignaturesThatCannotBothBeServedAreAnError(t *testing.T) {
	type (
		order  struct{ ID int }
		refund struct{ Sum int }
		id     int
	)
	for _, c := range []struct {
		name string
		a, b any
		fit  bool
	}{
		{"same", func(int) {}, func(int) {}, true},
		{"results don't matter", func(int) {}, func(int) error { return nil }, true},
		{"number of parameters", func() {}, func(int) {}, false},
		{"basic types", func(int) {}, func(string) {}, false},
		{"a type of its own", func(int) {}, func(id) {}, false},
		{"structs", func(order) {}, func(refund) {}, false},
		{"pointers", func(*order) {}, func(*refund) {}, false},
		{"value and pointer", func(order) {}, func(*order) {}, false},
		{"any", func(any) {}, func(order) {}, true},
		{"interface that it has", func(greeter) {}, func(english) {}, true},
		{"interface that it lacks", func(greeter) {}, func(order) {}, false},
		{"two interfaces", func(greeter) {}, func(error) {}, true},
		{"named slice", func(labels) {}, func([]string) {}, true},
		{"slices", func([]int) {}, func([]string) {}, false},
		{"channel directions", func(chan<- int) {}, func(<-chan int) {}, true},
		{"channels", func(chan int) {}, func(chan bool) {}, false},
		{"second parameter", func(int, int) {}, func(int, string) {}, false},
		{"variadic takes none", func(int, ...string) {}, func(int) {}, true},
		{"variadic takes some", func(...int) {}, func(int, int) {}, true},
		{"variadic needs more", func(int, int, ...int) {}, func(int) {}, false},
		{"variadic of others", func(...int) {}, func(int, string) {}, false},
		{"variadics", func(...int) {}, func(string, ...int) {}, false},
		{"variadics that both take none", func(...int) {}, func(...string) {}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, order := range [][2]any{{c.a, c.b}, {c.b, c.a}} {
				b := newBus(t, evbus.Options{})
				must(t, b.Subscribe("t", order[0]))
				if err := b.SubscribeAsync("t", order[1], false); (err == nil) != c.fit || err != nil && !errors.Is(err, evbus.ErrSignature) {
					t.Errorf("%T after %T: %v", order[1], order[0], err)
				}
				must(t, b.Subscribe("another", order[1]))
				must(t, b.Unsubscribe("t", order[0]))
				must(t, b.Subscribe("t", order[1]))
			}
		})
	}
}

func TestWrongArgumentsHitThatHandlerAlone(t *testing.T) {
	for _, c := range []struct {
		name string
		fn   any
		args []any
	}{
		{"too few", func(int) {}, nil},
		{"too many", func(int) {}, []any{1, 2}},
		{"some for none", func() {}, []any{1}},
		{"another type", func(int) {}, []any{"x"}},
		{"another basic type", func(int64) {}, []any{1}},
		{"second", func(int, string) {}, []any{1, 2}},
		{"a type that needs reflection", func(english) {}, []any{1}},
		{"pointer for value", func(english) {}, []any{&english{}}},
		{"too few for variadic", func(int, ...int) {}, nil},
		{"wrong variadic", func(...int) {}, []any{1, "x"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBus(t, evbus.Options{})
			n := &notes{}
			must(t, b.Subscribe("t", c.fn))
			must(t, b.SubscribeAsync("t", c.fn, false))
			must(t, b.Subscribe("t", func(...any) { n.add("called") }))
			if err := b.PublishContext(t.Context(), "t", c.args...); !errors.Is(err, evbus.ErrArguments) {
				t.Errorf("error %v", err)
			}
			b.WaitAsync()
			n.want(t, "called")
			handlers := b.Inspect().Handlers
			for _, i := range handlers[:2] {
				if i.Failed != 1 || !errors.Is(i.Err, evbus.ErrArguments) {
					t.Errorf("async %t: failed %d times with %v", i.Async, i.Failed, i.Err)
				}
			}
			if b.Inspect().Failed != 2 {
				t.Errorf("failed %d", b.Inspect().Failed)
			}
		})
	}
}

func TestNilAmongVariadicArguments(t *testing.T) {
	b := newBus(t, evbus.Options{})
	n := &notes{}
	must(t, b.Subscribe("t", func(s string, more ...any) { n.add("%s%v", s, more) }))
	must(t, b.PublishContext(t.Context(), "t", "x", nil, 1, nil))
	n.want(t, "x[<nil> 1 <nil>]")
}

func TestTheOriginalIsDifferent(t *testing.T) {
	panics := func(f func()) (panicked bool) {
		defer func() { panicked = recover() != nil }()
		f()
		return false
	}
	for name, f := range map[string]func(EventBus.Bus){
		"nil handler":          func(b EventBus.Bus) { b.Subscribe("t", nil) },
		"wrong arguments":      func(b EventBus.Bus) { b.Subscribe("t", func(int) {}); b.Publish("t", "x") },
		"nil among variadic":   func(b EventBus.Bus) { b.Subscribe("t", func(...any) {}); b.Publish("t", 1, nil) },
		"panic of a handler":   func(b EventBus.Bus) { b.Subscribe("t", func() { panic("x") }); b.Publish("t") },
		"unsubscribing no one": func(b EventBus.Bus) { b.Subscribe("t", func() {}); b.Unsubscribe("t", nil) },
	} {
		t.Run(name, func(t *testing.T) {
			if !panics(func() { f(EventBus.New()) }) {
				t.Error("the original doesn't panic: the documentation is wrong")
			}
			if panics(func() { f(newBus(t, evbus.Options{})) }) {
				t.Error("ours panics")
			}
		})
	}
	t.Run("unsubscribing another receiver", func(t *testing.T) {
		b := EventBus.New()
		one, two := &counter{}, &counter{}
		b.Subscribe("t", one.Count)
		b.Subscribe("t", two.Count)
		b.Unsubscribe("t", two.Count)
		b.Publish("t")
		if one.calls != 0 || two.calls != 1 {
			t.Error("the original tells receivers apart: the documentation is wrong")
		}
	})
}
