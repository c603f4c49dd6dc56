package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// reader subscribes to the events of a fleet.
type reader func(f *fleet, name string) (*bus.Subscription, error)

// idler is a durable subscription whose handler does nothing.
func idler(opts ...bus.Option) reader {
	return func(f *fleet, name string) (*bus.Subscription, error) {
		nothing := func(context.Context, bus.Event[vm.Changed]) error { return nil }
		return bus.Subscribe(f.bus.Client("bench"), nothing, append(opts, bus.Durable(name))...)
	}
}

// sleeper takes a millisecond for each event in its transaction.
func sleeper(f *fleet, name string) (*bus.Subscription, error) {
	return journal.Subscribe(f.bus.Client("bench"), name, func(_ context.Context, _ *journal.Tx, batch []bus.Event[vm.Changed]) error {
		time.Sleep(time.Duration(len(batch)) * time.Millisecond)
		return nil
	})
}

// beside moves resources while somebody reads their events, and while nobody does.
func (b *bench) beside(f *fleet) error {
	for _, c := range []struct {
		name    string
		callers int
		read    reader
		bar     bar
	}{
		{"durable move, 64 callers, beside a durable subscription that has caught up", callers, idler(), atMost(1.1)},
		{"durable move, one caller, beside a durable subscription that has caught up", 1, idler(), atMost(1.1)},
		{"durable move, 64 callers, beside one that catches up", callers, idler(bus.From(0)), atMost(2)},
		{"durable move, 64 callers, beside a handler that takes 1 ms an event in its transaction", callers, sleeper, atMost(2)},
		{"durable move, one caller, beside a handler that takes 1 ms an event in its transaction", 1, sleeper, atMost(2)},
	} {
		undisturbed := func() ([]float64, error) { return drive(unsettled{f}, c.callers, len(f.ids), 16*b.slice) }
		err := b.hold(contest{name: c.name, unit: "µs", contenders: []contender{
			{name: "ours", run: func() ([]float64, error) { return f.read(c.read, undisturbed) }},
			{name: "ours, undisturbed", run: undisturbed, bars: []bar{c.bar}},
		}})
		if err != nil {
			return err
		}
	}
	return nil
}

// unsettled doesn't wait for readers.
type unsettled struct{ firing }

func (unsettled) settle() error { return nil }

// read does something while somebody reads.
func (f *fleet) read(by reader, do func() ([]float64, error)) ([]float64, error) {
	f.readers++
	name := fmt.Sprintf("reader-%d", f.readers)
	sub, err := by(f, name)
	if err != nil {
		return nil, err
	}
	figures, err := do()
	sub.Close()
	<-sub.Done()
	return figures, errors.Join(err, sub.Err(), f.store.Writer().Forget(f.ctx, name))
}
