package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/evbus"
)

var (
	evbusMaker       = maker{name: "ours", make: newEvbus}
	evbusAsyncMaker  = maker{name: "ours", make: newEvbusAsync, concurrent: true}
	directMaker      = maker{name: "ours with evbus.Direct", make: newDirect}
	directAsyncMaker = maker{name: "ours with evbus.Direct", make: newDirectAsync, concurrent: true}
)

// evbus compares asaskevich's bus with ours under the same face.
func (b *bench) evbus() error {
	for _, row := range []struct {
		name                string
		ours, direct, peers maker
		bar                 bar
	}{
		{"evbus, 3 synchronous handlers", evbusMaker, directMaker, syncMaker, atLeast(1)},
		{"evbus, 3 asynchronous handlers", evbusAsyncMaker, directAsyncMaker, asyncMaker, atLeast(3)},
	} {
		contenders, err := b.enter(3, 1, row.ours, against(row.peers, row.bar), against(row.direct))
		if err != nil {
			return err
		}
		if err := b.hold(contest{name: row.name, unit: "ns", contenders: contenders}); err != nil {
			return err
		}
	}
	return nil
}

// faced is an evbus.Bus and the bus below it.
type faced struct {
	carrier
	below *bus.Bus
}

func newEvbus(handlers []handler) (carrier, error) {
	b, e := newFace()
	c, err := subscribeSync(e, handlers)
	return faced{c, b}, err
}

func newEvbusAsync(handlers []handler) (carrier, error) {
	b, e := newFace()
	c, err := subscribeAsync(e, handlers)
	return faced{c, b}, err
}

func newDirect(handlers []handler) (carrier, error) {
	b, e := newFace()
	evbus.Direct[event](e)
	c, err := subscribeSync(e, handlers)
	return faced{c, b}, err
}

func newDirectAsync(handlers []handler) (carrier, error) {
	b, e := newFace()
	evbus.Direct[event](e)
	c, err := subscribeAsync(e, handlers)
	return faced{c, b}, err
}

func newFace() (*bus.Bus, *evbus.Bus) {
	quiet := slog.New(slog.DiscardHandler)
	b := bus.New(bus.Options{Source: source, Logger: quiet})
	return b, evbus.New(b, evbus.Options{Logger: quiet})
}

func (f faced) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := f.carrier.close(); err != nil {
		return err
	}
	return f.below.Close(ctx)
}
