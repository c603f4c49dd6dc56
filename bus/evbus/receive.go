package evbus

import (
	"context"
	"fmt"
	"reflect"
	"runtime/debug"

	"github.com/cloudbus-go/cloudbus/bus"
)

var payloadType = reflect.TypeFor[bus.Payload]()

// Receive makes a live event of each call that is published to a topic of the foreign bus. convert is a func with the topic's parameters that returns a
// bus.Payload, or one and an error; a nil payload is left out. A nil convert makes a Call, whose event type is the client's name and the topic
// (the original library panics when a nil argument is published to such a handler: give a convert where that happens).
//
// convert runs where the foreign bus calls it; a panic stays in it. What is wrong with a call is counted (Failed) and logged.
// Errors: *HandlerError with ErrHandler inside, ErrLinked if the topic is received already, bus.ErrClosed, those of the foreign bus.
func (l *Link) Receive(topic string, convert any) error {
	if convert == nil {
		event := eventType(l.client.Name(), topic)
		convert = func(args ...any) Call { return Call{event: event, topic: topic, args: args} }
	}
	handler, err := l.receiver(topic, convert)
	if err != nil {
		return err
	}
	if err := l.reserve(topic, handler); err != nil {
		return err
	}
	if err := l.foreign.Subscribe(topic, handler); err != nil {
		l.release(topic)
		return err
	}
	if l.over() { // meanwhile, and before there was anything to unsubscribe
		_ = l.foreign.Unsubscribe(topic, handler)
		return bus.ErrClosed
	}
	return nil
}

func (l *Link) reserve(topic string, handler any) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return bus.ErrClosed
	case l.received[topic] != nil:
		return fmt.Errorf("%w: topic %q", ErrLinked, topic)
	}
	l.received[topic] = handler
	return nil
}

func (l *Link) release(topic string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.received, topic)
}

func (l *Link) over() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

// receiver is the handler for the foreign bus: of convert's parameters, without a result.
func (l *Link) receiver(topic string, convert any) (any, error) {
	id, err := checked(topic, convert)
	if err != nil {
		return nil, err
	}
	t := id.typ
	if n := t.NumOut(); n == 0 || n > 2 || !t.Out(0).Implements(payloadType) || n == 2 && t.Out(1) != errorType {
		return nil, &HandlerError{Topic: topic, Handler: id.String(), Reason: "must return a bus.Payload, or one and an error", Err: ErrHandler}
	}
	call := reflect.ValueOf(convert).Call
	if t.IsVariadic() {
		call = reflect.ValueOf(convert).CallSlice
	}
	return reflect.MakeFunc(withoutResults(t), func(args []reflect.Value) []reflect.Value {
		if !l.echoes.here(topic) {
			if err := l.receive(func() []reflect.Value { return call(args) }); err != nil {
				l.fail(topic, err)
			}
		}
		return nil
	}).Interface(), nil
}

func withoutResults(t reflect.Type) reflect.Type {
	in := make([]reflect.Type, t.NumIn())
	for i := range in {
		in[i] = t.In(i)
	}
	return reflect.FuncOf(in, nil, t.IsVariadic())
}

// receive publishes what convert returns.
func (l *Link) receive(convert func() []reflect.Value) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &bus.PanicError{Value: r, Stack: debug.Stack()}
		}
	}()
	out := convert()
	if len(out) == 2 && !out[1].IsNil() {
		return out[1].Interface().(error)
	}
	p, _ := out[0].Interface().(bus.Payload)
	if p == nil {
		return nil
	}
	return bus.Publish(context.Background(), l.client, p, func(h *bus.Header) { h.Source = l.source })
}
