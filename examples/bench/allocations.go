package main

import (
	"context"
	"runtime"

	"github.com/cloudbus-go/cloudbus/bus"
)

// allocations counts what a publish allocates, by what its takers want.
func (b *bench) allocations() error {
	for _, row := range []struct {
		name  string
		takes []func(*ours, *gate) error
		limit float64
	}{
		{"3 concrete takers", []func(*ours, *gate) error{takes[progress], takes[progress], takes[progress]}, 0},
		{"1 taker of an interface", []func(*ours, *gate) error{takes[bus.Payload]}, 1},
		{"1 taker of any", []func(*ours, *gate) error{takes[any]}, 1},
		{"2 takers of an interface, 2 of any", []func(*ours, *gate) error{takes[bus.Payload], takes[bus.Payload], takes[any], takes[any]}, 4},
	} {
		o, g := newBus(), newGate()
		for _, take := range row.takes {
			if err := take(o, g); err != nil {
				return err
			}
		}
		err := b.hold(contest{name: "allocations of a publish, " + row.name, unit: "objects", contenders: []contender{{
			run:   func() ([]float64, error) { return []float64{g.allocations(o, len(row.takes))}, nil },
			close: o.close,
			bars:  []bar{limit(row.limit)},
		}}})
		if err != nil {
			return err
		}
	}
	return b.deliveryAllocations()
}

// gate holds handlers back while a burst is published, so that nothing is counted but publishing.
type gate struct {
	enter chan chan struct{} // a handler that has begun a burst takes a channel out and waits for its end
	done  chan struct{}      // a handler has handled its burst
}

func newGate() *gate { return &gate{enter: make(chan chan struct{}), done: make(chan struct{})} }

func takes[T any](o *ours, g *gate) error {
	n := 0
	_, err := bus.Subscribe(o.client, func(context.Context, bus.Event[T]) error {
		if n++; n%slots == 1 {
			<-<-g.enter
		}
		if n%slots == 0 {
			g.done <- struct{}{}
		}
		return nil
	}, bus.Queue(slots, bus.DropOldest))
	return err
}

// allocations publishes a burst while all handlers are held in its first event, and counts per event after that.
func (g *gate) allocations(o *ours, takers int) float64 {
	o.publish(0)
	open := make(chan struct{})
	for range takers {
		g.enter <- open
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range slots - 1 {
		o.publish(0)
	}
	runtime.ReadMemStats(&after)
	close(open)
	for range takers {
		<-g.done
	}
	// As testing.AllocsPerRun: what isn't allocated by each publish is the runtime's, or a pool's.
	return float64((after.Mallocs - before.Mallocs) / (slots - 1))
}

// deliveryAllocations compares all that is allocated until an event is handled.
func (b *bench) deliveryAllocations() error {
	var contenders []contender
	for _, m := range []maker{oursMaker, channelsMaker, syncMaker, watermillMaker, tailscaleMaker} {
		c, err := newBurster(m, 3, 1)
		if err != nil {
			return err
		}
		contenders = append(contenders, contender{name: m.name, run: c.allocations, close: c.carrier.close})
	}
	return b.hold(contest{name: "allocations until handled, 3 subscriptions", unit: "objects", contenders: contenders})
}

func (b *burster) allocations() ([]float64, error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	b.burst()
	runtime.ReadMemStats(&after)
	return []float64{float64(after.Mallocs-before.Mallocs) / slots}, nil
}
