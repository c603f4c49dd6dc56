package main

import "sync"

// channels is what one would write by hand: a buffered channel and a goroutine for each subscription, fed in a loop.
type channels struct {
	all   []chan event
	event func(sent int64) event
	done  sync.WaitGroup
}

func newChannels(handlers []handler) (carrier, error) { return feed(stamped, handlers), nil }

// newUnstamped feeds channels with events that say neither when nor which they are.
func newUnstamped(handlers []handler) (carrier, error) {
	ready := stamped(0)
	return feed(func(int64) event { return ready }, handlers), nil
}

func feed(newEvent func(int64) event, handlers []handler) *channels {
	c := &channels{event: newEvent}
	for _, h := range handlers {
		ch := make(chan event, slots)
		c.all = append(c.all, ch)
		c.done.Go(func() {
			for e := range ch {
				guard(h, e)
			}
		})
	}
	return c
}

// guard calls a handler with an event by value, and survives its panic.
func guard(h handler, e event) {
	defer func() { _ = recover() }()
	h(e.Payload.Sent)
}

func (c *channels) publish(sent int64) {
	e := c.event(sent)
	for _, ch := range c.all {
		ch <- e
	}
}

func (c *channels) close() error {
	for _, ch := range c.all {
		close(ch)
	}
	c.done.Wait()
	return nil
}
