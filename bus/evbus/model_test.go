package evbus_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/asaskevich/EventBus"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/evbus"
	"pgregory.net/rapid"
)

// side is one of two buses that are put through the same steps.
type side struct {
	bus EventBus.Bus
	fns []any

	mu    sync.Mutex
	calls []int
}

func newSide(b EventBus.Bus) *side {
	s := &side{bus: b}
	s.fns = []any{
		func(n int) { s.add(n) },
		func(n int) error { s.add(10 + n); return nil },
		func(n any) { s.add(20 + n.(int)) },
		func(ns ...int) { s.add(30 + ns[0]) },
	}
	return s
}

func (s *side) add(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, n)
}

// TestAnySequenceOfStepsHasTheSameEffect compares with the original. Handlers that it doesn't have are unsubscribed only from topics without any.
func TestAnySequenceOfStepsHasTheSameEffect(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		below := bus.New(bus.Options{Logger: silent})
		defer func() {
			if err := below.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}()
		original, ours := newSide(EventBus.New()), newSide(evbus.New(below, evbus.Options{Logger: silent}))
		there := map[string][]int{}
		topic := rapid.SampledFrom([]string{"a", "b"})
		fn := rapid.IntRange(0, len(ours.fns)-1)
		n := 0
		same := func(t *rapid.T, do func(*side) bool) {
			if a, b := do(original), do(ours); a != b {
				t.Fatalf("original %t, ours %t", a, b)
			}
		}
		subscribe := func(how func(s *side, topic string, fn any) error, stays bool) func(*rapid.T) {
			return func(t *rapid.T) {
				topic, fn := topic.Draw(t, "topic"), fn.Draw(t, "fn")
				same(t, func(s *side) bool { return how(s, topic, s.fns[fn]) == nil })
				if stays {
					there[topic] = append(there[topic], fn)
				}
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"subscribe": subscribe(func(s *side, topic string, fn any) error { return s.bus.Subscribe(topic, fn) }, true),
			"async":     subscribe(func(s *side, topic string, fn any) error { return s.bus.SubscribeAsync(topic, fn, true) }, true),
			"unsubscribe": func(t *rapid.T) {
				topic, fn := topic.Draw(t, "topic"), fn.Draw(t, "fn")
				i := slices.Index(there[topic], fn)
				if i < 0 && len(there[topic]) > 0 {
					return // the original says yes to what it doesn't have
				}
				same(t, func(s *side) bool { return s.bus.Unsubscribe(topic, s.fns[fn]) == nil })
				if i >= 0 {
					there[topic] = slices.Delete(there[topic], i, i+1)
				}
			},
			"once": func(t *rapid.T) {
				fn := fn.Draw(t, "fn")
				same(t, func(s *side) bool { return s.bus.SubscribeOnce("once", s.fns[fn]) == nil })
				same(t, func(s *side) bool { s.bus.Publish("once", 5); return s.bus.HasCallback("once") })
			},
			"publish": func(t *rapid.T) {
				topic := topic.Draw(t, "topic")
				n = (n + 1) % 10
				original.bus.Publish(topic, n)
				original.bus.WaitAsync()
				ours.bus.Publish(topic, n)
				ours.bus.WaitAsync()
			},
			"": func(t *rapid.T) {
				slices.Sort(original.calls) // asynchronous handlers are in no order among each other
				slices.Sort(ours.calls)
				if !slices.Equal(original.calls, ours.calls) {
					t.Fatalf("original %v, ours %v", original.calls, ours.calls)
				}
				for topic := range there {
					same(t, func(s *side) bool { return s.bus.HasCallback(topic) })
				}
			},
		})
	})
}
