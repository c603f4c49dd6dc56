package evbus

import (
	"context"

	"github.com/cloudbus-go/cloudbus/bus"
)

// Forward publishes events of T on the foreign bus of l, one after the other. call says to which topic and with which arguments, ok that it is to be done;
// a nil call publishes to the event's type, with the payload as the only argument. Events that came from there are left out.
//
// What the foreign bus does in Publish holds up this subscription alone; a panic there counts as failure. Options and errors are those of bus.Subscribe.
func Forward[T any](l *Link, call func(bus.Event[T]) (topic string, args []any, ok bool), opts ...bus.Option) (*bus.Subscription, error) {
	if call == nil {
		call = func(e bus.Event[T]) (string, []any, bool) { return e.Type, []any{e.Payload}, true }
	}
	foreign := bus.Where(func(h bus.Header) bool { return h.Source != l.source })
	return bus.Subscribe(l.client, func(_ context.Context, e bus.Event[T]) error {
		if topic, args, ok := call(e); ok {
			l.publish(topic, args)
		}
		return nil
	}, append([]bus.Option{foreign}, opts...)...)
}

// publish calls the foreign bus so that what is received here meanwhile is known to be an echo.
func (l *Link) publish(topic string, args []any) {
	if l.receives(topic) {
		defer l.echoes.expect(topic)()
	}
	l.foreign.Publish(topic, args...)
}

// receives reports whether the topic comes back.
func (l *Link) receives(topic string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.received[topic] != nil
}
