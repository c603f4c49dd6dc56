package main

import (
	"sync"
	"time"
)

// burster publishes in bursts of a queue's size and waits after each until all of it has been handled, so that no queue
// overflows, nobody waits for room, and nothing is published that isn't paid for.
type burster struct {
	carrier    carrier
	tally      *tally
	publishers int
	size       int // of a burst
}

func newBurster(m maker, subscriptions, publishers int) (*burster, error) {
	t := newTally(subscriptions)
	c, err := m.make(t.handlers(m.concurrent))
	if err != nil {
		return nil, err
	}
	return &burster{carrier: c, tally: t, publishers: publishers, size: slots}, nil
}

// burst publishes one burst.
func (b *burster) burst() {
	b.tally.expect(b.size)
	if b.publishers == 1 {
		b.publish(b.size)
		b.tally.wait()
		return
	}
	var all sync.WaitGroup
	for range b.publishers {
		all.Go(func() { b.publish(b.size / b.publishers) })
	}
	all.Wait()
	b.tally.wait()
}

func (b *burster) publish(n int) {
	for range n {
		b.carrier.publish(0)
	}
}

// perEvent goes on for about d and returns the nanoseconds that each event took, handled everywhere.
func (b *burster) perEvent(d time.Duration) float64 {
	begun := time.Now()
	for n := 1; ; n++ {
		b.burst()
		if took := time.Since(begun); took >= d {
			return float64(took) / float64(n*b.size)
		}
	}
}

// contender makes it one.
func (b *burster) contender(name string, d time.Duration, bars ...bar) contender {
	return contender{
		name:  name,
		run:   func() ([]float64, error) { return []float64{b.perEvent(d)}, nil },
		close: b.carrier.close,
		bars:  bars,
	}
}
