package main

import (
	"sync"

	"tailscale.com/util/eventbus"
)

// tailscale's bus has a client for each subscription, whose queue it sizes itself. Its channel face is the faster one:
// the other starts a goroutine for each event.
type tailscale struct {
	bus       *eventbus.Bus
	publisher *eventbus.Publisher[event]
	done      sync.WaitGroup
}

func newTailscale(handlers []handler) (carrier, error) {
	t := &tailscale{bus: eventbus.NewWithOptions(eventbus.BusOptions{Logf: func(string, ...any) {}})}
	t.publisher = eventbus.Publish[event](t.bus.Client("publisher"))
	for _, h := range handlers {
		s := eventbus.Subscribe[event](t.bus.Client("subscriber"))
		t.done.Go(func() {
			for {
				select {
				case e := <-s.Events():
					h(e.Payload.Sent)
				case <-s.Done():
					return
				}
			}
		})
	}
	return t, nil
}

func (t *tailscale) publish(sent int64) { t.publisher.Publish(stamped(sent)) }

func (t *tailscale) close() error {
	t.bus.Close()
	t.done.Wait()
	return nil
}
