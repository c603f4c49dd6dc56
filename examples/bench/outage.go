package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
)

const (
	outageRate    = 2000 // moves a second
	outageFleet   = 10_000
	outageWindows = 5 // of each sort
)

// outage compares users' moves while the broker is away with those while it is there, in turns, and looks at what the stream holds when
// all is over.
func (b *bench) outage(dir string) (err error) {
	b.say(fmt.Sprintf("%d moves a second, the broker away for %v in windows and for %v at once", outageRate, b.away, b.away))
	f, err := b.populate(filepath.Join(dir, "outage.db"), outageFleet)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	broker, err := startBroker(filepath.Join(dir, "outage-nats"))
	if err != nil {
		return err
	}
	defer func() { broker.stop() }()
	relay, err := startRelay(f, broker, bridge.Options{Backlog: true})
	if err != nil {
		return err
	}
	if err := relay.manager.Start(f.ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, relay.manager.Close(f.ctx)) }()
	o := &outage{traffic: &traffic{fleet: f, rate: outageRate}, broker: broker}
	if err := o.alternate(b.away / outageWindows); err != nil {
		return err
	}
	caughtUp, err := o.long(b.away)
	if err != nil {
		return err
	}
	there := median(o.there)
	b.rows = append(b.rows,
		row{group: b.group, name: fmt.Sprintf("Fire's p99 at %d moves a second, broker away", outageRate), unit: "µs", ours: median(o.away), peer: "ours, broker there", theirs: &there, bar: atMost(1.3)},
		row{group: b.group, name: fmt.Sprintf("from the broker's return after %v until all is in the stream", b.away), unit: "s", ours: caughtUp.Seconds()})
	return b.inspect(f, broker)
}

// outage is traffic beside a broker that goes and comes. The figures are the p99 of each window, in µs.
type outage struct {
	*traffic
	broker      *broker
	there, away []float64
}

// alternate has windows with and without the broker in turns. What has piled up is gone before the next one with it begins.
func (o *outage) alternate(d time.Duration) error {
	if err := o.bus.Flush(o.ctx); err != nil {
		return err
	}
	for range outageWindows {
		p99, err := o.window(after(d))
		if err != nil {
			return err
		}
		o.there = append(o.there, p99)
		o.broker.stop()
		if p99, err = o.window(after(d)); err != nil {
			return err
		}
		o.away = append(o.away, p99)
		if err := errors.Join(o.broker.start(), o.bus.Flush(o.ctx)); err != nil {
			return err
		}
	}
	return nil
}

// long has the broker away in one go, and returns how long it then took until all was delivered.
func (o *outage) long(d time.Duration) (time.Duration, error) {
	o.broker.stop()
	p99, err := o.window(after(d))
	if err != nil {
		return 0, err
	}
	o.away = append(o.away, p99)
	if err := o.broker.start(); err != nil {
		return 0, err
	}
	begun := time.Now()
	err = o.bus.Flush(o.ctx)
	return time.Since(begun), err
}
