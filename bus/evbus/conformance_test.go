package evbus_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/asaskevich/EventBus"
)

// notes is what handlers were called with, in order.
type notes struct {
	mu  sync.Mutex
	all []string
}

func (n *notes) add(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, fmt.Sprintf(format, args...))
}

func (n *notes) want(t *testing.T, want ...string) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	if !slices.Equal(n.all, want) {
		t.Errorf("calls %q, want %q", n.all, want)
	}
}

type (
	labels  []string
	greeter interface{ Greet() string }
	english struct{ name string }
	counter struct{ calls int }
)

func (e english) Greet() string { return "hello " + e.name }
func (c *counter) Count()       { c.calls++ }

// conformance is what the original and ours have in common. Each row runs on both.
var conformance = []struct {
	name string
	test func(t *testing.T, b EventBus.Bus, n *notes)
}{
	{"a topic without handlers hears nothing", func(t *testing.T, b EventBus.Bus, n *notes) {
		b.Publish("nobody", 1)
		b.WaitAsync()
		if b.HasCallback("nobody") {
			t.Error("nobody has a callback")
		}
	}},
	{"what is no func is refused", func(t *testing.T, b EventBus.Bus, n *notes) {
		for name, subscribe := range map[string]func() error{
			"Subscribe":          func() error { return b.Subscribe("t", "x") },
			"SubscribeAsync":     func() error { return b.SubscribeAsync("t", 1, false) },
			"SubscribeOnce":      func() error { return b.SubscribeOnce("t", struct{}{}) },
			"SubscribeOnceAsync": func() error { return b.SubscribeOnceAsync("t", []int{}) },
		} {
			if subscribe() == nil {
				t.Errorf("%s took it", name)
			}
		}
		if b.HasCallback("t") {
			t.Error("and there is a callback")
		}
	}},
	{"handlers run in the order of subscribing, on the publisher's goroutine", func(t *testing.T, b EventBus.Bus, n *notes) {
		for i := range 3 {
			must(t, b.Subscribe("t", func(s string) { n.add("%d:%s", i, s) }))
		}
		b.Publish("t", "a")
		b.Publish("t", "b")
		n.want(t, "0:a", "1:a", "2:a", "0:b", "1:b", "2:b")
	}},
	{"topics are apart, whatever they are called", func(t *testing.T, b EventBus.Bus, n *notes) {
		topics := []string{"", ".", "a", "A", "a.b", "a..b", "a.b.", "a_b", "a__b", "a:b", "ä", "a\nb", "_41", ">", "*"}
		for _, topic := range topics {
			must(t, b.SubscribeAsync(topic, func() { n.add("%s", topic) }, true))
		}
		for _, topic := range topics {
			b.Publish(topic)
			b.WaitAsync()
		}
		n.want(t, topics...)
	}},
	{"several arguments", func(t *testing.T, b EventBus.Bus, n *notes) {
		must(t, b.Subscribe("t", func(a int, s string, f float64) { n.add("%d %s %g", a, s, f) }))
		b.Publish("t", 1, "two", 3.5)
		n.want(t, "1 two 3.5")
	}},
	{"nil is the zero value", func(t *testing.T, b EventBus.Bus, n *notes) {
		must(t, b.Subscribe("t", func(a int, err error, p *int, s string) { n.add("%d %v %v %q", a, err, p, s) }))
		b.Publish("t", nil, nil, nil, nil)
		n.want(t, `0 <nil> <nil> ""`)
	}},
	{"nil reaches functions of one parameter", func(t *testing.T, b EventBus.Bus, n *notes) {
		must(t, b.Subscribe("s", func(s string) { n.add("%q", s) }))
		must(t, b.Subscribe("a", func(a any) { n.add("%v", a) }))
		b.Publish("s", nil)
		b.Publish("a", nil)
		n.want(t, `""`, "<nil>")
	}},
	{"arguments may be assignable only", func(t *testing.T, b EventBus.Bus, n *notes) {
		must(t, b.Subscribe("iface", func(g greeter) { n.add("%s", g.Greet()) }))
		must(t, b.Subscribe("slice", func(l labels) { n.add("%d", len(l)) }))
		must(t, b.Subscribe("chan", func(c chan<- int) { n.add("%d", cap(c)) }))
		b.Publish("iface", english{"you"})
		b.Publish("slice", []string{"a"})
		b.Publish("chan", make(chan int, 3))
		n.want(t, "hello you", "1", "3")
	}},
	{"a named function type", func(t *testing.T, b EventBus.Bus, n *notes) {
		type handler func(string)
		must(t, b.Subscribe("t", handler(func(s string) { n.add("%s", s) })))
		b.Publish("t", "x")
		n.want(t, "x")
	}},
	{"variadic handlers get what there is", func(t *testing.T, b EventBus.Bus, n *notes) {
		must(t, b.Subscribe("t", func(s string, more ...int) { n.add("%s%v", s, more) }))
		must(t, b.Subscribe("t", func(all ...any) { n.add("%v", all) }))
		b.Publish("t", "a")
		b.Publish("t", "b", 1, 2)
		n.want(t, "a[]", "[a]", "b[1 2]", "[b 1 2]")
	}},
	{"results are ignored", func(t *testing.T, b EventBus.Bus, n *notes) {
		must(t, b.Subscribe("t", func() (int, error) { n.add("a"); return 1, nil }))
		must(t, b.Subscribe("t", func() error { n.add("b"); return errors.New("no") }))
		b.Publish("t")
		b.Publish("t")
		n.want(t, "a", "b", "a", "b")
	}},
	{"pointers arrive as they are", func(t *testing.T, b EventBus.Bus, n *notes) {
		type box struct {
			Secret string `cloudbus:"secret"`
		}
		var got *box
		must(t, b.SubscribeAsync("t", func(x *box) { got = x }, false))
		sent := &box{"s"}
		b.Publish("t", sent)
		b.WaitAsync()
		if got != sent || got.Secret != "s" {
			t.Errorf("got %p %+v, sent %p", got, got, sent)
		}
	}},
	{"a handler subscribed twice runs twice, and is unsubscribed once at a time", func(t *testing.T, b EventBus.Bus, n *notes) {
		f := func() { n.add("f") }
		must(t, b.Subscribe("t", f))
		must(t, b.Subscribe("t", f))
		b.Publish("t")
		must(t, b.Unsubscribe("t", f))
		b.Publish("t")
		must(t, b.Unsubscribe("t", f))
		b.Publish("t")
		n.want(t, "f", "f", "f")
	}},
	{"once, beside others", func(t *testing.T, b EventBus.Bus, n *notes) {
		f := func() { n.add("f") }
		must(t, b.Subscribe("t", func() { n.add("first") }))
		must(t, b.SubscribeOnce("t", f))
		must(t, b.Subscribe("t", func() { n.add("last") }))
		b.Publish("t")
		b.Publish("t")
		n.want(t, "first", "f", "last", "first", "last")
	}},
	{"once leaves nothing behind", func(t *testing.T, b EventBus.Bus, n *notes) {
		must(t, b.SubscribeOnce("t", func() { n.add("sync") }))
		must(t, b.SubscribeOnceAsync("u", func(a int, out *int) { *out += a }))
		sum := 0
		for range 3 {
			b.Publish("t")
			b.Publish("u", 10, &sum)
		}
		if b.HasCallback("t") || b.HasCallback("u") {
			t.Error("a callback is left")
		}
		b.WaitAsync()
		n.want(t, "sync")
		if sum != 10 {
			t.Errorf("sum %d, want 10", sum)
		}
	}},
	{"an unsubscribed once never runs", func(t *testing.T, b EventBus.Bus, n *notes) {
		f := func() { n.add("f") }
		must(t, b.SubscribeOnce("t", f))
		must(t, b.Unsubscribe("t", f))
		b.Publish("t")
		n.want(t)
	}},
	{"unsubscribe ends it, a second one is an error", func(t *testing.T, b EventBus.Bus, n *notes) {
		f := func() { n.add("f") }
		must(t, b.Subscribe("t", f))
		b.Publish("t")
		must(t, b.Unsubscribe("t", f))
		if b.HasCallback("t") || b.Unsubscribe("t", f) == nil {
			t.Error("there is still something to unsubscribe")
		}
		b.Publish("t")
		n.want(t, "f")
	}},
	{"a method is unsubscribed by naming it again", func(t *testing.T, b EventBus.Bus, n *notes) {
		c := &counter{}
		must(t, b.Subscribe("t", c.Count))
		b.Publish("t")
		must(t, b.Unsubscribe("t", c.Count))
		b.Publish("t")
		if c.calls != 1 || b.Unsubscribe("t", c.Count) == nil {
			t.Errorf("%d calls, want 1 and nothing left", c.calls)
		}
	}},
	{"publish doesn't wait for asynchronous handlers, WaitAsync does", func(t *testing.T, b EventBus.Bus, n *notes) {
		release := make(chan struct{})
		must(t, b.SubscribeAsync("t", func(s string) { <-release; n.add("%s", s) }, false))
		b.Publish("t", "a")
		n.want(t)
		close(release)
		b.WaitAsync()
		n.want(t, "a")
	}},
	{"transactional calls run one at a time, in order", func(t *testing.T, b EventBus.Bus, n *notes) {
		must(t, b.SubscribeAsync("t", func(i int, wait <-chan struct{}) { <-wait; n.add("%d", i) }, true))
		wait := make(chan struct{})
		published := in(func() { // the original's second Publish waits for the first call
			b.Publish("t", 1, wait)
			b.Publish("t", 2, wait)
		})
		close(wait)
		within(t, "publishing", published)
		b.WaitAsync()
		n.want(t, "1", "2")
	}},
	{"a synchronous handler before an asynchronous one is done before that starts", func(t *testing.T, b EventBus.Bus, n *notes) {
		must(t, b.Subscribe("t", func() { n.add("sync") }))
		must(t, b.SubscribeAsync("t", func() { n.add("async") }, false))
		b.Publish("t")
		b.WaitAsync()
		n.want(t, "sync", "async")
	}},
	{"an asynchronous handler publishes, and WaitAsync waits for that too", func(t *testing.T, b EventBus.Bus, n *notes) {
		must(t, b.SubscribeAsync("t", func(i int) {
			n.add("%d", i)
			if i > 0 {
				b.Publish("t", i-1)
			}
		}, false))
		b.Publish("t", 3)
		b.WaitAsync()
		n.want(t, "3", "2", "1", "0")
	}},
	{"asynchronous handlers subscribe and unsubscribe", func(t *testing.T, b EventBus.Bus, n *notes) {
		second := func() { n.add("second") }
		var first func()
		first = func() {
			n.add("first")
			_ = b.Unsubscribe("t", first)
			_ = b.Subscribe("t", second)
		}
		must(t, b.SubscribeAsync("t", first, false))
		b.Publish("t")
		b.WaitAsync()
		b.Publish("t")
		b.WaitAsync()
		n.want(t, "first", "second")
	}},
	{"calls that were published before Unsubscribe run", func(t *testing.T, b EventBus.Bus, n *notes) {
		release := make(chan struct{})
		f := func(i int) { <-release; n.add("call") }
		must(t, b.SubscribeAsync("t", f, false))
		for i := range 3 {
			b.Publish("t", i)
		}
		must(t, b.Unsubscribe("t", f))
		b.Publish("t", 4)
		close(release)
		b.WaitAsync()
		n.want(t, "call", "call", "call")
	}},
	{"the smaller interfaces", func(t *testing.T, b EventBus.Bus, n *notes) {
		var s EventBus.BusSubscriber = b
		var p EventBus.BusPublisher = b
		var c EventBus.BusController = b
		must(t, s.Subscribe("t", func() { n.add("x") }))
		p.Publish("t")
		if c.WaitAsync(); !c.HasCallback("t") {
			t.Error("no callback")
		}
		n.want(t, "x")
	}},
	{"many publishers", func(t *testing.T, b EventBus.Bus, n *notes) {
		calls := 0
		must(t, b.SubscribeAsync("t", func(i int) { calls += i }, true))
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 100 {
					b.Publish("t", 1)
				}
			})
		}
		wg.Wait()
		b.WaitAsync()
		if calls != 400 {
			t.Errorf("%d calls, want 400", calls)
		}
	}},
}

func TestConformance(t *testing.T) {
	for _, c := range conformance {
		t.Run(c.name, func(t *testing.T) {
			both(t, func(t *testing.T, b EventBus.Bus) { c.test(t, b, &notes{}) })
		})
	}
}
