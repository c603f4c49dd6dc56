package evbus_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/asaskevich/EventBus"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/evbus"
)

// stamped is an event of about 200 bytes, by value.
type stamped struct {
	ID, Kind, Resource, Tenant, Actor, From, To string
	Seq, Version, At                            int64
	Rest                                        [64]byte
}

// inFlight bounds how far the publisher runs ahead of asynchronous handlers, so that none of ours drops a call.
const inFlight = 1024

// BenchmarkPublish runs the same handlers on the original and on ours: synchronous, and asynchronous until all have run.
func BenchmarkPublish(b *testing.B) {
	var calls atomic.Uint64
	handlers := []struct {
		name string
		fn   any
		args []any
	}{
		{"none", func() { calls.Add(1) }, nil},
		{"string", func(string) { calls.Add(1) }, []any{"x"}},
		{"stamped", func(stamped) { calls.Add(1) }, []any{stamped{ID: "x"}}},
	}
	for _, h := range handlers {
		for _, mode := range []string{"sync", "async"} {
			for _, whose := range []string{"ours", "direct", "original"} {
				b.Run(h.name+"/"+mode+"/"+whose, func(b *testing.B) {
					var e EventBus.Bus = EventBus.New()
					if whose != "original" {
						e = newBenchBus(b, whose == "direct")
					}
					calls.Store(0)
					for range 3 {
						if mode == "sync" {
							e.Subscribe("topic", h.fn)
						} else {
							e.SubscribeAsync("topic", h.fn, false)
						}
					}
					b.ReportAllocs()
					for i := 0; b.Loop(); i++ {
						e.Publish("topic", h.args...)
						if i%inFlight == 0 {
							e.WaitAsync()
						}
					}
					e.WaitAsync()
					if got, want := calls.Load(), uint64(3*b.N); got != want {
						b.Errorf("%d calls, want %d", got, want)
					}
				})
			}
		}
	}
}

func newBenchBus(b *testing.B, direct bool) *evbus.Bus {
	below := bus.New(bus.Options{})
	b.Cleanup(func() { below.Close(context.Background()) })
	e := evbus.New(below, evbus.Options{})
	if direct {
		evbus.Direct[stamped](e)
	}
	return e
}
