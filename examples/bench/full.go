package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"
)

// startUp compares how long it takes to open a database that is full, and one that is almost empty.
func (b *bench) startUp(dir string) error {
	starts := func(path string) func() ([]float64, error) {
		return func() ([]float64, error) {
			begun := time.Now()
			f, err := openFleet(path)
			if err != nil {
				return nil, err
			}
			took := time.Since(begun)
			return []float64{took.Seconds() * 1e3}, f.close()
		}
	}
	return b.hold(contest{name: "start-up, " + b.fullness(), unit: "ms", contenders: []contender{
		{name: "ours", run: starts(filepath.Join(dir, "ours.db"))},
		{name: emptiness, run: starts(filepath.Join(dir, "few.db")), bars: []bar{atMost(1.5)}},
	}})
}

// lengthened compares what a move costs in a database that is full, and in one that is almost empty.
func (b *bench) lengthened(dir string, full *fleet) (err error) {
	empty, err := openFleet(filepath.Join(dir, "few.db"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, empty.close()) }()
	empty.take(full.ids[:few])
	moves := func(f *fleet) func() ([]float64, error) {
		return func() ([]float64, error) { return drive(f, 1, len(f.ids), 16*b.slice) }
	}
	return b.hold(contest{name: "durable move, one caller, " + b.fullness(), unit: "µs", contenders: []contender{
		{name: "ours", run: moves(full)},
		{name: emptiness, run: moves(empty), bars: []bar{atMost(1.5)}},
	}})
}

func (b *bench) fullness() string {
	return fmt.Sprintf("%d resources and %d events", b.resources, b.events)
}

var emptiness = fmt.Sprintf("ours, %d and %[1]d", few)
