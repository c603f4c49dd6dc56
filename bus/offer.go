package bus

import (
	"context"
	"errors"
	"reflect"
	"time"
)

// publish stamps and offers a live event.
func (t *topic[T]) publish(ctx context.Context, payload T, stamps []Stamp) error {
	if t.pointer && isNil(&payload) {
		return &PayloadError{Type: t.typ, Reason: "nil pointer"}
	}
	p := posting[T]{news: t.press.blank()}
	defer p.end()
	p.news.event.Payload = payload
	err := t.offer(ctx, &p, stamps)
	if err != nil && !errors.Is(err, ErrClosed) {
		t.others.Add(1)
	}
	return err
}

// asPayload is the payload as an interface, without copying it where that can be had.
func (t *topic[T]) asPayload(p *T) Payload {
	if t.pointer || t.bare {
		return any(*p).(Payload)
	}
	return any(p).(Payload)
}

func (t *topic[T]) offer(ctx context.Context, p *posting[T], stamps []Stamp) error {
	h := &p.news.event.Header
	now := t.bus.quick.now()
	if err := t.bus.stamp(ctx, h, t.asPayload(&p.news.event.Payload), now, stamps); err != nil {
		return err
	}
	if t.plan != nil {
		if err := t.sanitise(&p.news.event.Payload); err != nil {
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
	p.news.sign(at)
	taken := t.offerLive(p, g, at, 0)
	refused := p.refused
	taken = t.follow(p, &r, at) || taken
	if tap := t.bus.taps.Load(); tap != nil {
		t.bus.tapped(*tap, h)
	}
	if !taken {
		t.bus.unhandled(h)
	}
	if p.waits() && t.await(ctx, p, &r, at) {
		refused = true
	}
	if (refused || !taken) && t.bus.closed.Load() {
		return ErrClosed
	}
	return nil
}

// isNil reports whether a payload of a pointer type points to nothing.
func isNil[T any](p *T) bool { return reflect.ValueOf(*p).IsNil() }

// follow offers the event to those who have come in the place of subscriptions that were closed meanwhile.
func (t *topic[T]) follow(p *posting[T], r **routes[T], at int64) (taken bool) {
	for p.refused {
		taken = t.offerAgain(p, r, at) || taken
	}
	return taken
}

// offerAgain follows a subscription that was closed meanwhile: whoever has come since the snapshot was taken may be there to replace it.
func (t *topic[T]) offerAgain(p *posting[T], r **routes[T], at int64) (taken bool) {
	p.refused = false
	old := *r
	*r = t.routes.Load()
	g, err := (*r).group(p.news.event.Type)
	if *r == old || err != nil {
		return false
	}
	return t.offerLive(p, g, at, old.upTo)
}

// offerLive offers a live event to the subscriptions that are newer than after, and reports whether anyone who names what he wants took it.
func (t *topic[T]) offerLive(p *posting[T], g *group[T], now int64, after uint64) (taken bool) {
	for i := range g.direct {
		to := &g.direct[i]
		if to.order <= after {
			continue
		}
		taken = true
		if o := to.queue.push(p.news, now, to.drop); o == queued {
			p.held++
		} else {
			p.note(to.inbox, to.inbox.noted(o, now))
		}
	}
	if !g.asked.empty() {
		taken = t.ask(p, g, now, after) || taken
	}
	if !g.boxed.empty() {
		taken = t.offerBoxed(p, g, now, after) || taken
	}
	return taken
}

// ask offers to those who want some events only, or who have several queues.
func (t *topic[T]) ask(p *posting[T], g *group[T], now int64, after uint64) (taken bool) {
	h := &p.news.event.Header
	for _, list := range g.asked.lists(h) {
		for _, in := range list {
			if in.sub.order > after && in.sub.admits(h) {
				taken = true
				p.note(in, in.offerLive(p.news, now))
			}
		}
	}
	return taken
}

// offerBoxed offers to those who don't name the Go type.
func (t *topic[T]) offerBoxed(p *posting[T], g *group[T], now int64, after uint64) (taken bool) {
	h := &p.news.event.Header
	for _, list := range g.boxed.lists(h) {
		for _, in := range list {
			if in.base().order > after && in.base().admits(h) {
				taken = taken || !in.takesAll()
				p.noteBoxed(in, in.offerParcel(p.boxedParcel(), now))
			}
		}
	}
	return taken
}

// await lets blocking subscriptions have the event last, when everybody else has it. Their times run together: the publisher waits
// for the longest, not for the sum. It reports whether one was closed meanwhile; then those who have come in its place are offered the event.
func (t *topic[T]) await(ctx context.Context, p *posting[T], r **routes[T], now int64) (refused bool) {
	if ctx == nil {
		ctx = context.Background()
	}
	for since := time.Now(); p.waits(); {
		full, boxed := p.full, p.boxed
		p.full, p.boxed = nil, nil
		for _, in := range full {
			p.note(in, in.await(ctx, p.news, now, since))
		}
		for _, in := range boxed {
			p.noteBoxed(in, in.awaitParcel(ctx, p.boxedParcel(), now, since))
		}
		refused = refused || p.refused
		t.follow(p, r, now)
	}
	return refused
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
