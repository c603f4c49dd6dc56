package evbus_test

import (
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
		for _, mode := range []string{"sync", "async", "transactional"} {
			for _, whose := range []string{"ours", "original"} {
				b.Run(h.name+"/"+mode+"/"+whose, func(b *testing.B) {
					var e EventBus.Bus = EventBus.New()
					if whose == "ours" {
						below := bus.New(bus.Options{})
						defer below.Close(b.Context())
						e = evbus.New(below, evbus.Options{})
					}
					calls.Store(0)
					for range 3 {
						if mode == "sync" {
							e.Subscribe("topic", h.fn)
						} else {
							e.SubscribeAsync("topic", h.fn, mode == "transactional")
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
