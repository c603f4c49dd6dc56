package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// ours is a bus without a journal.
type ours struct {
	bus    *bus.Bus
	client *bus.Client
	ctx    context.Context
}

func newBus() *ours {
	b := bus.New(bus.Options{Source: source, Logger: slog.New(slog.DiscardHandler)})
	return &ours{bus: b, client: b.Client("bench"), ctx: context.Background()}
}

func newOurs(handlers []handler) (carrier, error) {
	return newOursWith(handlers, bus.Queue(slots, bus.DropOldest))
}

// newWaiting makes a bus whose publishers wait for room, as those of channels do.
func newWaiting(handlers []handler) (carrier, error) {
	return newOursWith(handlers, bus.Queue(slots, bus.Block(10*time.Second)))
}

func newOursWith(handlers []handler, opts ...bus.Option) (carrier, error) {
	o := newBus()
	for _, h := range handlers {
		err := o.subscribe(h, opts...)
		if err != nil {
			return nil, err
		}
	}
	return o, nil
}

func (o *ours) subscribe(h handler, opts ...bus.Option) error {
	_, err := bus.Subscribe(o.client, func(_ context.Context, e bus.Event[progress]) error {
		h(e.Payload.Sent)
		return nil
	}, opts...)
	return err
}

func (o *ours) publish(sent int64) {
	if err := bus.Publish(o.ctx, o.client, newProgress(sent)); err != nil {
		panic(err) // nothing that is published here can be refused
	}
}

func (o *ours) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return o.bus.Close(ctx)
}

var _ carrier = (*ours)(nil)
