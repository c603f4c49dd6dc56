package bus

import (
	"context"
	"reflect"
)

// publish stamps and offers a live event.
func (t *topic[T]) publish(ctx context.Context, payload T, stamps []Stamp) error {
	n := newsOf[T](&t.pool)
	defer n.published()
	n.event.Payload = payload
	return t.offer(ctx, n, stamps)
}

// asPayload is the payload as an interface, without copying it where that can be had.
func (t *topic[T]) asPayload(p *T) Payload {
	if t.pointer || t.bare {
		return any(*p).(Payload)
	}
	return any(p).(Payload)
}

func (t *topic[T]) offer(ctx context.Context, n *news[T], stamps []Stamp) error {
	h := &n.event.Header
	now := t.bus.now()
	if err := t.bus.stamp(ctx, h, t.asPayload(&n.event.Payload), now, stamps); err != nil {
		return err
	}
	if t.plan != nil {
		if err := t.sanitise(&n.event.Payload); err != nil {
			return err
		}
	}
	r := t.routes.Load()
	g, err := r.group(h.Type)
	if err != nil {
		return err
	}
	h.Schema = g.schema
	at := now.UnixNano()
	taken := t.offerLive(n, g, at, 0)
	for n.refused {
		taken = t.offerAgain(n, &r, at) || taken
	}
	if tap := t.bus.taps.Load(); tap != nil {
		t.bus.tapped(*tap, h)
	}
	if !taken {
		t.bus.unhandled(h)
	}
	if len(n.full)+len(n.boxed) > 0 {
		t.await(ctx, n, at)
	}
	return nil
}

// offerAgain follows a subscription that was closed meanwhile: whoever has come since the snapshot was taken may be there to replace it.
func (t *topic[T]) offerAgain(n *news[T], r **routes[T], at int64) (taken bool) {
	n.refused = false
	old := *r
	*r = t.routes.Load()
	g, err := (*r).group(n.event.Type)
	if *r == old || err != nil {
		return false
	}
	return t.offerLive(n, g, at, old.upTo)
}

// offerLive offers a live event to the subscriptions that are newer than after, and reports whether anyone who names what he wants took it.
func (t *topic[T]) offerLive(n *news[T], g *group[T], now int64, after uint64) (taken bool) {
	for _, list := range g.concrete.lists(&n.event.Header) {
		for _, in := range list {
			if in.sub.order <= after || !in.sub.admits(&n.event.Header) {
				continue
			}
			taken = true
			switch in.offerLive(n, now) {
			case full:
				n.full = append(n.full, in)
			case refused:
				n.refused = true
			}
		}
	}
	for _, list := range g.boxed.lists(&n.event.Header) {
		for _, in := range list {
			if in.base().order <= after || !in.base().admits(&n.event.Header) {
				continue
			}
			taken = taken || !in.takesAll()
			switch in.offerParcel(t.parcel(n), now) {
			case full:
				n.boxed = append(n.boxed, in)
			case refused:
				n.refused = true
			}
		}
	}
	return taken
}

// await lets blocking subscriptions have the event last, when everybody else has it.
func (t *topic[T]) await(ctx context.Context, n *news[T], now int64) {
	for _, in := range n.full {
		in.await(ctx, n, now)
	}
	for _, in := range n.boxed {
		in.awaitParcel(ctx, t.parcel(n), now)
	}
}

// parcel boxes the payload, once per event.
func (t *topic[T]) parcel(n *news[T]) *parcel {
	if n.parcel.header == nil {
		n.parcel.header = &n.event.Header
		n.parcel.payload = n.event.Payload
	}
	return &n.parcel
}

func (t *topic[T]) publishAny(ctx context.Context, p Payload, stamps []Stamp) error {
	if t.bare {
		return t.publish(ctx, any(p).(T), stamps)
	}
	switch v := any(p).(type) {
	case T:
		return t.publish(ctx, v, stamps)
	case *T:
		return t.publish(ctx, *v, stamps)
	default:
		return &PayloadError{Type: reflect.TypeOf(p), Reason: "not a " + t.typ.String()}
	}
}
