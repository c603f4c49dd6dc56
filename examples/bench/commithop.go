package main

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// commitHop compares the way of a lone event from the return of its COMMIT to a caught-up durable handler with that over a channel
// which is sent on in the same place.
func (b *bench) commitHop(dir string) (err error) {
	ours, err := newCommitHopper(filepath.Join(dir, "hop.db"), true)
	if err != nil {
		return err
	}
	channel, err := newCommitHopper(filepath.Join(dir, "hop-channel.db"), false)
	if err != nil {
		return errors.Join(err, ours.close())
	}
	return b.hold(contest{name: "COMMIT to durable handler", figures: percentileNames, unit: "µs", contenders: []contender{
		{name: "ours", run: func() ([]float64, error) { return ours.run(b.slice) }, close: ours.close},
		{name: "channel", run: func() ([]float64, error) { return channel.run(b.slice) }, close: channel.close, bars: []bar{atMost(1.5)}},
	}})
}

// commitHopper is a journal that takes the time when it has committed.
type commitHopper struct {
	*journal.Journal
	store  *gormstore.Store
	bus    *bus.Bus
	direct chan int64 // nil: the event goes through the bus
	took   chan float64
}

func newCommitHopper(path string, throughBus bool) (*commitHopper, error) {
	quiet := slog.New(slog.DiscardHandler)
	store, err := sqlite.Open(path, sqlite.Options{Logger: quiet})
	if err != nil {
		return nil, err
	}
	h := &commitHopper{Journal: store.Writer(), store: store, took: make(chan float64, 1)}
	if !throughBus {
		h.direct = make(chan int64, 1024)
		go func() {
			for sent := range h.direct {
				h.took <- float64(now() - sent)
			}
		}()
	}
	h.bus = bus.New(bus.Options{Journal: h, Source: source, Logger: quiet})
	if err := bus.Register[vm.Changed](h.bus, "vm.>", 1); err != nil {
		return nil, err
	}
	if throughBus {
		err = h.subscribe()
	}
	return h, err
}

var commitReturned int64 // of the contender whose turn it is; handed on by what is measured

func (h *commitHopper) subscribe() error {
	_, err := bus.Subscribe(h.bus.Client("hop"), func(context.Context, bus.Event[vm.Changed]) error {
		h.took <- float64(now() - commitReturned)
		return nil
	}, bus.Durable("hop"))
	return err
}

// Attach stands between the journal and the bus.
func (h *commitHopper) Attach(a bus.Attachment) (func(), error) {
	committed := a.Committed
	a.Committed = func(records []bus.Record) {
		commitReturned = now()
		if h.direct != nil {
			h.direct <- commitReturned
		}
		committed(records)
	}
	return h.Journal.Attach(a)
}

func (h *commitHopper) run(d time.Duration) ([]float64, error) {
	var all []float64
	for begun := time.Now(); time.Since(begun) < 4*d || len(all) < 100; {
		err := h.Do(context.Background(), func(tx *journal.Tx) error {
			_, err := tx.Append(changed(len(all), 10_000))
			return err
		})
		if err != nil {
			return nil, err
		}
		all = append(all, <-h.took)
	}
	return percentiles(all), nil
}

func (h *commitHopper) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := h.bus.Close(ctx); err != nil {
		return err
	}
	if h.direct != nil {
		close(h.direct)
	}
	return h.store.Close(ctx)
}
