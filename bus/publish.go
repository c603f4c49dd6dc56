package bus

import (
	"context"
	"reflect"
	"time"
)

var payloadType = reflect.TypeFor[Payload]()

// Publish sends a live event: every live subscription that matches has it in its queue when Publish returns, none has been waited for (Block aside).
// T may be an interface type; the dynamic type counts, and a pointer counts as what it points to if that is a payload itself.
// Errors: ErrClosed (also if the bus is closed meanwhile and not everybody has the event), *PayloadError (nil payload),
// *HeaderError (a type or another field that isn't one), *OptionError (a nil stamp).
func Publish[T Payload](ctx context.Context, c *Client, p T, stamps ...Stamp) error {
	if err := c.usable(); err != nil {
		return err
	}
	if t := earlyTopic[T](c.bus); t != nil {
		return t.publish(ctx, p, stamps)
	}
	typ := reflect.TypeFor[T]()
	if t, ok := (*c.bus.topics.Load())[typ].(*topic[T]); ok && !t.bare {
		return t.publish(ctx, p, stamps)
	}
	if typ.Kind() == reflect.Interface || pointsToPayload(typ) {
		return c.bus.publishAny(ctx, p, stamps)
	}
	return topicOf[T](c.bus, typ).publish(ctx, p, stamps)
}

// pointsToPayload reports whether typ is *X where X is a payload itself.
func pointsToPayload(typ reflect.Type) bool {
	return typ.Kind() == reflect.Pointer && typ.Elem().Implements(payloadType)
}

// publishAny publishes by the dynamic type.
func (b *Bus) publishAny(ctx context.Context, p Payload, stamps []Stamp) error {
	typ, p, err := settle(p)
	if err != nil {
		return err
	}
	if t := (*b.topics.Load())[typ]; t != nil {
		return t.publishAny(ctx, p, stamps)
	}
	return topicOf[Payload](b, typ).publishAny(ctx, p, stamps)
}

// settle finds the type that counts, and takes the payload out of a pointer to it.
func settle(p Payload) (reflect.Type, Payload, error) {
	typ := reflect.TypeOf(p)
	if typ == nil {
		return nil, nil, &PayloadError{Reason: "nil"}
	}
	if typ.Kind() != reflect.Pointer {
		return typ, p, nil
	}
	v := reflect.ValueOf(p)
	if v.IsNil() {
		return nil, nil, &PayloadError{Type: typ, Reason: "nil pointer"}
	}
	if !pointsToPayload(typ) {
		return typ, p, nil
	}
	return typ.Elem(), v.Elem().Interface().(Payload), nil
}

// stamp fills a header: once per event, and the clock was read once.
func (b *Bus) stamp(ctx context.Context, h *Header, p Payload, now time.Time, stamps []Stamp) error {
	if err := describe(h, p); err != nil {
		return err
	}
	h.Source, h.Time = b.source, now
	inherits := ctx != nil && h.inherit(ctx)
	for _, s := range stamps {
		if s == nil {
			return &OptionError{Option: "Stamp", Reason: "nil function"}
		}
		s(h)
	}
	if h.ID.IsZero() {
		h.ID = NewID(now)
	}
	if len(stamps) > 0 {
		if h.Source == "" {
			return &HeaderError{Field: "Source", Reason: "empty"}
		}
		h.Seq, h.Schema = 0, 0
		h.Time = h.Time.Round(0).UTC()
		if err := h.checkTime(); err != nil {
			return err
		}
	}
	if len(stamps) == 0 && !inherits && h.plain() {
		return nil // nothing else has been set
	}
	return h.check()
}

func (h *Header) inherit(ctx context.Context) bool {
	h.TraceParent = TraceParent(ctx)
	if ctx.Value(correlationKey{}) == nil {
		return h.TraceParent != ""
	}
	h.CorrelationID, h.CausationID = Correlation(ctx)
	return true
}

// describe asks the payload what it is about. A payload that panics is an error.
func describe(h *Header, p Payload) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &PayloadError{Type: reflect.TypeOf(p), Reason: "EventType or Address panicked", Err: newPanicError(r)}
		}
	}()
	h.Type = p.EventType()
	if a, ok := p.(Addressed); ok {
		h.Tenant, h.Kind, h.ResourceID = a.Address()
	}
	return nil
}

// Prepare stamps and encodes a payload that is to be recorded; journals call it through their Attachment.
// It touches no database. Errors: as of Publish, and *UnregisteredError.
func (b *Bus) Prepare(ctx context.Context, p Payload, stamps ...Stamp) (Record, error) {
	var r Record
	typ, p, err := settle(p)
	if err != nil {
		return r, err
	}
	now := b.now()
	if err := b.stamp(ctx, &r.Header, p, now, stamps); err != nil {
		return r, err
	}
	if err := checkType(r.Type); err != nil {
		return r, err
	}
	reg := b.registry.forPayload(typ, r.Type)
	if reg == nil {
		return r, &UnregisteredError{GoType: typ, EventType: r.Type}
	}
	if r.CorrelationID == "" {
		r.CorrelationID = r.ID.String()
	}
	r.Schema = reg.schema
	r.Data, r.value, err = reg.codec.encode(p)
	return r, err
}
