package evbus_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/asaskevich/EventBus"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/evbus"
)

// sold is an event of ours.
type sold struct {
	Item string
	N    int
}

func (sold) EventType() string { return "shop.sold" }

// foreignBuses are what may be linked: the original, and ours as if it were foreign.
func foreignBuses(t *testing.T, test func(t *testing.T, foreign EventBus.Bus)) { both(t, test) }

func connect(t *testing.T, below *bus.Bus, foreign EventBus.Bus) *evbus.Link {
	t.Helper()
	l, err := evbus.Connect(below.Client("legacy"), foreign, evbus.LinkOptions{Logger: silent})
	must(t, err)
	t.Cleanup(func() { must(t, l.Close(context.Background())) })
	return l
}

func record(t *testing.T, below *bus.Bus, n *notes) {
	t.Helper()
	_, err := bus.Subscribe(below.Client("reader"), func(_ context.Context, e bus.Event[sold]) error {
		n.add("%s %s %d", e.Source, e.Payload.Item, e.Payload.N)
		return nil
	})
	must(t, err)
}

func publish(t *testing.T, below *bus.Bus, s sold) {
	t.Helper()
	must(t, bus.Publish(t.Context(), below.Client("seller"), s))
	must(t, below.Flush(t.Context()))
}

func TestForward(t *testing.T) {
	foreignBuses(t, func(t *testing.T, foreign EventBus.Bus) {
		below := newBelow(t)
		n := &notes{}
		l := connect(t, below, foreign)
		_, err := evbus.Forward[sold](l, nil)
		must(t, err)
		_, err = evbus.Forward(l, func(e bus.Event[sold]) (string, []any, bool) {
			return "items", []any{e.Payload.Item, e.Payload.N}, e.Payload.N > 1
		})
		must(t, err)
		must(t, foreign.Subscribe("shop.sold", func(s sold) { n.add("%s", s.Item) }))
		must(t, foreign.SubscribeAsync("items", func(item string, count int) { n.add("%d %s", count, item) }, true))
		publish(t, below, sold{"pen", 1})
		foreign.WaitAsync()
		n.want(t, "pen")
		publish(t, below, sold{"ink", 2})
		foreign.WaitAsync()
		n.mu.Lock()
		defer n.mu.Unlock()
		if len(n.all) != 3 {
			t.Errorf("calls %q", n.all)
		}
	})
}

func TestReceive(t *testing.T) {
	foreignBuses(t, func(t *testing.T, foreign EventBus.Bus) {
		below := newBelow(t)
		n := &notes{}
		l := connect(t, below, foreign)
		record(t, below, n)
		must(t, l.Receive("sale", func(item string, counts ...int) (sold, error) {
			if len(counts) == 0 {
				return sold{}, errors.New("how many?")
			}
			return sold{item, counts[0]}, nil
		}))
		must(t, l.Receive("maybe", func(s *sold) bus.Payload {
			if s == nil {
				return nil
			}
			return *s
		}))
		must(t, l.Receive("boom", func() sold { panic("boom") }))
		foreign.Publish("sale", "pen", 3, 4)
		foreign.Publish("sale", "pen")
		foreign.Publish("maybe", &sold{"ink", 1})
		foreign.Publish("maybe", nil)
		foreign.Publish("boom")
		must(t, below.Flush(t.Context()))
		n.want(t, "test/legacy pen 3", "test/legacy ink 1")
		if l.Failed() != 2 {
			t.Errorf("%d failed, want 2", l.Failed())
		}
	})
}

func TestReceiveWithoutConvertMakesCalls(t *testing.T) {
	foreignBuses(t, func(t *testing.T, foreign EventBus.Bus) {
		below := newBelow(t)
		n := &notes{}
		l := connect(t, below, foreign)
		_, err := bus.Subscribe(below.Client("reader"), func(_ context.Context, e bus.Event[evbus.Call]) error {
			n.add("%s %s %v", e.Type, e.Payload.Topic(), e.Payload.Args())
			return nil
		}, bus.Type("legacy.>"))
		must(t, err)
		must(t, l.Receive("main:sum", nil))
		foreign.Publish("main:sum", 1, "x")
		must(t, below.Flush(t.Context()))
		n.want(t, "legacy.main_3asum main:sum [1 x]")
	})
}

func TestNothingGoesRoundInCircles(t *testing.T) {
	foreignBuses(t, func(t *testing.T, foreign EventBus.Bus) {
		below := newBelow(t)
		ours, theirs := &notes{}, &notes{}
		l := connect(t, below, foreign)
		record(t, below, ours)
		must(t, foreign.Subscribe("shop.sold", func(s sold) { theirs.add("%s %d", s.Item, s.N) }))
		_, err := evbus.Forward[sold](l, nil)
		must(t, err)
		must(t, l.Receive("shop.sold", func(s sold) sold { return s }))

		publish(t, below, sold{"from us", 1})
		foreign.Publish("shop.sold", sold{"from them", 2})
		must(t, below.Flush(t.Context()))
		ours.want(t, "test from us 1", "test/legacy from them 2")
		theirs.want(t, "from us 1", "from them 2")

		// Both sides at once: each event arrives once on each side.
		const each = 200
		var wg sync.WaitGroup
		wg.Go(func() {
			c := below.Client("seller")
			for i := range each {
				_ = bus.Publish(t.Context(), c, sold{"from us", i})
			}
		})
		wg.Go(func() {
			for i := range each {
				foreign.Publish("shop.sold", sold{"from them", i})
			}
		})
		wg.Wait()
		must(t, below.Flush(t.Context()))
		if len(ours.all) != 2+2*each || len(theirs.all) != 2+2*each {
			t.Errorf("%d events on our side and %d on theirs, want %d", len(ours.all), len(theirs.all), 2+2*each)
		}
	})
}

func TestAFailingForeignHandlerIsCounted(t *testing.T) {
	below := newBelow(t)
	foreign := EventBus.New()
	l := connect(t, below, foreign)
	sub, err := evbus.Forward[sold](l, nil)
	must(t, err)
	must(t, foreign.Subscribe("shop.sold", func() {})) // the original panics: too many arguments
	publish(t, below, sold{"pen", 1})
	var p *bus.PanicError
	if i := sub.Inspect(); i.Failed != 1 || !errors.As(i.Err, &p) {
		t.Errorf("failed %d times with %v", i.Failed, i.Err)
	}
	if foreign.HasCallback("shop.sold"); t.Failed() {
		t.Error("the foreign bus is stuck")
	}
}

func TestConnectAndReceiveRefuse(t *testing.T) {
	below := newBelow(t)
	foreign := EventBus.New()
	l := connect(t, below, foreign)
	if _, err := evbus.Connect(below.Client("second"), foreign, evbus.LinkOptions{}); !errors.Is(err, evbus.ErrLinked) {
		t.Errorf("second link: %v", err)
	}
	if _, err := evbus.Connect(below.Client("none"), nil, evbus.LinkOptions{}); err == nil {
		t.Error("nil was linked")
	}
	for name, convert := range map[string]any{
		"no func": 1, "nil func": (func() sold)(nil), "no result": func() {}, "no payload": func() int { return 1 },
		"no error": func() (sold, int) { return sold{}, 1 }, "three results": func() (sold, int, error) { return sold{}, 1, nil },
	} {
		if err := l.Receive("t", convert); !errors.Is(err, evbus.ErrHandler) {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(t, l.Receive("t", nil))
	if err := l.Receive("t", nil); !errors.Is(err, evbus.ErrLinked) {
		t.Errorf("second time: %v", err)
	}
	must(t, l.Close(t.Context()))
	if err := l.Receive("u", nil); !errors.Is(err, bus.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if foreign.HasCallback("t") || foreign.HasCallback("u") {
		t.Error("handlers are left on the foreign bus")
	}
	again, err := evbus.Connect(below.Client("third"), foreign, evbus.LinkOptions{})
	must(t, err)
	must(t, again.Close(t.Context()))
}
