package main

import (
	"fmt"
	"time"
)

// pacer publishes at a steady rate, whether or not handlers keep up, and takes the time from when each event was due to its handler.
type pacer struct {
	carrier  carrier
	interval time.Duration
	samples  []float64
	done     chan struct{}
}

// newPacer makes a carrier of the measured subscription and others beside it.
func newPacer(m maker, interval time.Duration, events int, others ...handler) (*pacer, error) {
	p := &pacer{interval: interval, samples: make([]float64, 0, events), done: make(chan struct{}, 1)}
	var err error
	p.carrier, err = m.make(append([]handler{p.handle}, others...))
	return p, err
}

func (p *pacer) handle(sent int64) {
	p.samples = append(p.samples, float64(now()-sent))
	if len(p.samples) == cap(p.samples) {
		p.done <- struct{}{}
	}
}

// run publishes as many events as samples are wanted. It spins: sleeping is coarser than what is measured.
func (p *pacer) run() ([]float64, error) {
	p.samples = p.samples[:0]
	due := now()
	for range cap(p.samples) {
		for now() < due {
		}
		p.carrier.publish(due)
		due += int64(p.interval)
	}
	select {
	case <-p.done:
		return percentiles(p.samples), nil
	case <-time.After(10 * time.Second):
		return nil, fmt.Errorf("%d events were published, %d handled", cap(p.samples), len(p.samples))
	}
}

// latency compares how long events take to one of three subscriptions while channels are half loaded.
func (b *bench) latency() error {
	channels, err := newBurster(channelsMaker, 3, 1)
	if err != nil {
		return err
	}
	full := channels.perEvent(4 * b.slice)
	if err := channels.carrier.close(); err != nil {
		return err
	}
	interval := time.Duration(2 * full)
	var contenders []contender
	for _, m := range []maker{waitingMaker, channelsMaker} {
		p, err := newPacer(m, interval, max(int(4*b.slice/interval), 1000), func(int64) {}, func(int64) {})
		if err != nil {
			return err
		}
		contenders = append(contenders, contender{name: m.name, run: p.run, close: p.carrier.close})
	}
	b.say(fmt.Sprintf("half of what channels can do is an event each %v", interval))
	return b.hold(contest{name: "latency, 50 % load, 3 subscriptions", figures: percentileNames, unit: "µs", contenders: contenders})
}

// neighbour compares latencies beside a handler that sleeps with those beside one that doesn't.
func (b *bench) neighbour() error {
	const interval = 100 * time.Microsecond
	events := max(int(8*b.slice/interval), 1000)
	slow, err := newPacer(oursMaker, interval, events, func(int64) { time.Sleep(time.Millisecond) })
	if err != nil {
		return err
	}
	quick, err := newPacer(oursMaker, interval, events, func(int64) {})
	if err != nil {
		return err
	}
	return b.hold(contest{name: "latency beside a handler that sleeps", figures: percentileNames, unit: "µs", contenders: []contender{
		{run: slow.run, close: slow.carrier.close},
		{name: "beside one that doesn't", run: quick.run, close: quick.carrier.close, bars: []bar{{}, atMost(2)}},
	}})
}
