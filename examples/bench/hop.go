package main

import "time"

// hopper sends one event at a time to one handler and takes the time until it is called.
type hopper struct {
	carrier carrier
	latest  float64
	called  chan struct{}
}

func newHopper(m maker) (*hopper, error) {
	h := &hopper{called: make(chan struct{}, 1)}
	var err error
	h.carrier, err = m.make([]handler{func(sent int64) {
		h.latest = float64(now() - sent)
		h.called <- struct{}{}
	}})
	return h, err
}

// hop returns the nanoseconds from before the publish to the handler.
func (h *hopper) hop() float64 {
	h.carrier.publish(now())
	<-h.called
	return h.latest
}

// back is how long hops take, one after the other.
func (h *hopper) back(d time.Duration) []float64 {
	var all []float64
	for begun := time.Now(); time.Since(begun) < d; {
		for range 64 {
			all = append(all, h.hop())
		}
	}
	return []float64{percentile(all, 50)}
}

// rare is how long hops take that come one in a while.
func (h *hopper) rare(d, pause time.Duration) []float64 {
	var all []float64
	for begun := time.Now(); time.Since(begun) < d || len(all) < 100; {
		time.Sleep(pause)
		all = append(all, h.hop())
	}
	return percentiles(all)
}

var percentileNames = []string{"p50", "p99", "p99.9"}

func percentiles(all []float64) []float64 {
	for i := range all {
		all[i] /= 1000
	}
	return []float64{percentile(all, 50), percentile(all, 99), percentile(all, 99.9)}
}

// hop compares one event to an idle handler with a hop over a channel, when the processors are awake and when they sleep.
func (b *bench) hop() error {
	var awake, asleep []contender
	for _, e := range []entry{against(oursMaker), against(channelsMaker, atMost(1.5)), against(tailscaleMaker)} {
		for _, to := range []*[]contender{&awake, &asleep} {
			h, err := newHopper(e.maker)
			if err != nil {
				return err
			}
			run := func() ([]float64, error) { return h.back(b.slice), nil }
			if to == &asleep {
				run = func() ([]float64, error) { return h.rare(10*b.slice, 500*time.Microsecond), nil }
				e.bars = nil
			}
			*to = append(*to, contender{name: e.maker.name, run: run, close: h.carrier.close, bars: e.bars})
		}
	}
	if err := b.hold(contest{name: "one event to an idle handler", unit: "ns", contenders: awake}); err != nil {
		return err
	}
	return b.hold(contest{name: "latency, idle bus", figures: percentileNames, unit: "µs", contenders: asleep})
}
