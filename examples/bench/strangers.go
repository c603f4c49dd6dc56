package main

import (
	"context"
	"fmt"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// stranger subscribes the i-th subscription that progress doesn't match.
type stranger func(o *ours, i int) error

type other struct{}

func (other) EventType() string { return "other.happened" }

// strangersBy are those that differ in one thing.
var strangersBy = []struct {
	by        string
	subscribe stranger
}{
	{"type", func(o *ours, _ int) error { return ignore[other](o) }},
	{"pattern", func(o *ours, i int) error { return ignore[progress](o, bus.Type(fmt.Sprintf("volume.state.s%d", i))) }},
	{"tenant", func(o *ours, i int) error { return ignore[progress](o, bus.Tenant(fmt.Sprintf("tenant-%d", i))) }},
	{"resource", func(o *ours, i int) error { return ignore[progress](o, bus.Resource("vm", fmt.Sprintf("vm-%d", i))) }},
}

func ignore[T any](o *ours, opts ...bus.Option) error {
	_, err := bus.Subscribe(o.client, func(context.Context, bus.Event[T]) error { return nil }, opts...)
	return err
}

// strangers compares publishing beside subscriptions that don't match with publishing to nobody.
func (b *bench) strangers() error {
	for _, s := range strangersBy {
		for _, n := range []int{10, 1000} {
			with, err := b.alone(s.subscribe, n)
			if err != nil {
				return err
			}
			none, err := b.alone(s.subscribe, 0)
			if err != nil {
				return err
			}
			none.name = "none"
			if n == 1000 {
				none.bars = []bar{atMost(1.5)}
			}
			name := fmt.Sprintf("publish, %d subscriptions that don't match by %s", n, s.by)
			if err := b.hold(contest{name: name, unit: "ns", contenders: []contender{with, none}}); err != nil {
				return err
			}
		}
	}
	return nil
}

// alone is a publish that nobody takes, with n strangers.
func (b *bench) alone(subscribe stranger, n int) (contender, error) {
	o := newBus()
	for i := range n {
		if err := subscribe(o, i); err != nil {
			return contender{}, err
		}
	}
	run := func() ([]float64, error) {
		begun := time.Now()
		for n := 1; ; n++ {
			for range slots {
				o.publish(0)
			}
			if took := time.Since(begun); took >= b.slice {
				return []float64{float64(took) / float64(n*slots)}, nil
			}
		}
	}
	return contender{run: run, close: o.close}, nil
}
