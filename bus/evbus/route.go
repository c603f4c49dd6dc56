package evbus

import "slices"

// route is a topic's handlers at one time, in the order of their subscribing. It is never changed: who publishes reads it without a lock.
type route struct {
	topic    string
	event    string // type of the topic's events on the bus below
	handlers []*handler
}

// route returns a topic's handlers, nil if it has none.
func (b *Bus) route(topic string) *route {
	if r, ok := b.routes.Load(topic); ok {
		return r.(*route)
	}
	return nil
}

// add puts a handler at the end of its topic's. b.mu is held.
func (b *Bus) add(h *handler) {
	next := &route{topic: h.topic, event: h.event, handlers: []*handler{h}}
	if old := b.route(h.topic); old != nil {
		next.handlers = append(slices.Clip(old.handlers), h)
	}
	b.routes.Store(h.topic, next)
}

// drop takes a handler out of its topic's.
func (b *Bus) drop(h *handler) {
	b.mu.Lock()
	defer b.mu.Unlock()
	old := b.route(h.topic)
	if old == nil {
		return
	}
	left := slices.DeleteFunc(slices.Clone(old.handlers), func(o *handler) bool { return o == h })
	if len(left) == 0 {
		b.routes.Delete(h.topic)
		return
	}
	b.routes.Store(h.topic, &route{topic: old.topic, event: old.event, handlers: left})
}
