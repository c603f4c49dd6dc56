package evbus

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/cloudbus-go/cloudbus/bus"
)

// Subscribe calls fn with the arguments of each Publish to the topic, on the publisher's goroutine, in the order of subscribing.
// fn is any func; if its last result is an error, one that isn't nil counts as failure.
// Errors: *HandlerError with ErrHandler or ErrSignature inside; bus.ErrClosed.
func (b *Bus) Subscribe(topic string, fn any) error {
	return b.subscribe(topic, fn, false, func(*handler) {})
}

// SubscribeAsync calls fn on a goroutine of its own, in the order of publishing; with Options.Workers and without transactional,
// several calls run at a time. Errors: as of Subscribe, and ErrTopic, *bus.OptionError.
func (b *Bus) SubscribeAsync(topic string, fn any, transactional bool) error {
	return b.subscribe(topic, fn, true, func(h *handler) { h.transactional = transactional })
}

// SubscribeOnce is Subscribe for one call: exactly one, however many publish at once. Errors: as of Subscribe.
func (b *Bus) SubscribeOnce(topic string, fn any) error {
	return b.subscribe(topic, fn, false, func(h *handler) { h.once = true })
}

// SubscribeOnceAsync is SubscribeAsync for one call. Errors: as of SubscribeAsync.
func (b *Bus) SubscribeOnceAsync(topic string, fn any) error {
	return b.subscribe(topic, fn, true, func(h *handler) { h.once = true })
}

func (b *Bus) subscribe(topic string, fn any, async bool, set func(*handler)) error {
	h, err := b.newHandler(topic, fn)
	if err != nil {
		return err
	}
	set(h)
	if !async {
		return b.list(h)
	}
	if len(h.event) > maxEventType {
		return &HandlerError{Topic: topic, Handler: h.id.String(), Reason: fmt.Sprintf("its event type has %d bytes, allowed are %d", len(h.event), maxEventType), Err: ErrTopic}
	}
	if err := h.open(); err != nil {
		return err
	}
	if err := b.list(h); err != nil {
		h.mailbox.sub.Close()
		return err
	}
	return nil
}

// list adds a handler to its topic's, if it suits them.
func (b *Bus) list(h *handler) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed.Load() {
		return bus.ErrClosed
	}
	if r := b.route(h.topic); r != nil {
		for _, o := range r.handlers {
			if !fits(h.id.typ, o.id.typ) {
				return &HandlerError{Topic: h.topic, Handler: h.id.String(), Reason: "no arguments suit it and " + o.id.String(), Err: ErrSignature}
			}
		}
	}
	b.add(h)
	if h.mailbox != nil {
		b.asyncs = append(slices.Clip(b.asyncs), h)
		h.mailbox.ready.Store(true)
	}
	return nil
}

// checked identifies a handler, or says that it is none.
func checked(topic string, fn any) (identity, error) {
	v := reflect.ValueOf(fn)
	if v.Kind() != reflect.Func {
		return identity{}, &HandlerError{Topic: topic, Handler: fmt.Sprintf("%T", fn), Reason: "must be a func", Err: ErrHandler}
	}
	if v.IsNil() {
		return identity{}, &HandlerError{Topic: topic, Handler: fmt.Sprintf("%T", fn), Reason: "is nil", Err: ErrHandler}
	}
	return identify(fn), nil
}

// HasCallback reports whether the topic has a handler.
func (b *Bus) HasCallback(topic string) bool { return b.route(topic) != nil }

// Unsubscribe removes a handler: of those that were subscribed with this very func value, or as this method of this pointer,
// the oldest; else the one that shares its code and may capture something else, if it is the only one.
// After it has returned no call is started, asynchronous calls that were published before aside.
// Errors: *HandlerError with ErrHandler, ErrNotSubscribed or ErrAmbiguous inside.
func (b *Bus) Unsubscribe(topic string, fn any) error {
	id, err := checked(topic, fn)
	if err != nil {
		return err
	}
	for {
		h, err := b.find(topic, id)
		if err != nil {
			return err
		}
		if h.leave() { // not, if it was a once whose turn has come meanwhile
			b.drop(h)
			return nil
		}
	}
}

// find returns the handler that is meant.
func (b *Bus) find(topic string, id identity) (*handler, error) {
	var alike []*handler
	if r := b.route(topic); r != nil {
		for _, h := range r.handlers {
			if h.gone.Load() {
				continue
			}
			if h.id.same(id) {
				return h, nil
			}
			if h.id.alike(id) {
				alike = append(alike, h)
			}
		}
	}
	switch len(alike) {
	case 0:
		return nil, &HandlerError{Topic: topic, Handler: id.String(), Reason: "the topic has no such handler", Err: ErrNotSubscribed}
	case 1:
		return alike[0], nil
	default:
		return nil, &HandlerError{Topic: topic, Handler: id.String(), Reason: fmt.Sprintf("%d share its code, give the func value that was subscribed", len(alike)), Err: ErrAmbiguous}
	}
}
