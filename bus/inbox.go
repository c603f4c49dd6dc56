package bus

import (
	"context"
	"reflect"
	"sync"
	"sync/atomic"
	"time"
)

// parcel is an event on its way to takers that don't name its Go type.
type parcel struct {
	header  *Header
	payload any // nil: of no registered type
	data    Raw // the encoded payload, if it is known
	err     error
}

func (p *parcel) raw() (Raw, error) {
	if p.data == nil && p.err == nil {
		p.data, p.err = marshal(p.payload)
	}
	return p.data, p.err
}

var parcels = sync.Pool{New: func() any { return new(parcel) }}

// boxTaker is a subscription to an interface, to any or to Raw.
type boxTaker interface {
	taker
	accepts(reflect.Type) bool
	takesAll() bool // any and Raw: doesn't count as a taker
	offerParcel(p *parcel, now int64) outcome
	awaitParcel(ctx context.Context, p *parcel, now int64, since time.Time) outcome
	offerRecordedParcel(p *parcel, now int64) outcome
}

// inbox is the typed part of a subscription: its handler and its lanes.
type inbox[T any] struct {
	sub   *Subscription
	fn    func(context.Context, Event[T]) error
	typ   reflect.Type
	boxed bool // T is an interface or Raw
	lanes []*lane[T]
	press press[T] // of what no topic makes: unpacked and read events

	reader  *journalReader // nil: the pump brings recorded events
	unknown map[typeKey]bool
	stream  *stream[T] // that works the lane off; nil: its own goroutines do
	commit  func(context.Context, Batch[T]) error
	batchAt atomic.Int64           // since when commit runs, in ticks; 0: it doesn't
	batchOf atomic.Pointer[Header] // the first event of what it runs with
}

var rawType = reflect.TypeFor[Raw]()

func (in *inbox[T]) base() *Subscription { return in.sub }

// accepts reports whether payloads of typ go to this boxed inbox; a nil typ stands for recorded events of no registered type.
func (in *inbox[T]) accepts(typ reflect.Type) bool {
	if !in.boxed {
		return false
	}
	if in.takesAll() {
		return true
	}
	return typ != nil && typ != rawType && typ.Implements(in.typ)
}

func (in *inbox[T]) takesAll() bool {
	return in.typ == rawType || in.typ.Kind() == reflect.Interface && in.typ.NumMethod() == 0
}

// unpack opens a parcel into an event of T. Events of no registered type reach takers of any as Raw.
func (in *inbox[T]) unpack(p *parcel, e *Event[T]) error {
	e.Header = *p.header
	if in.typ == rawType || p.payload == nil && p.err == nil {
		data, err := p.raw()
		if err != nil && data == nil {
			return err
		}
		e.Payload = any(data).(T)
		return nil
	}
	if p.err != nil {
		return p.err
	}
	e.Payload = p.payload.(T)
	return nil
}

func (in *inbox[T]) laneOf(h *Header) *lane[T] {
	if len(in.lanes) == 1 {
		return in.lanes[0]
	}
	return in.lanes[hashSubject(h.Kind, h.ResourceID)%uint32(len(in.lanes))] //nolint:gosec // at most 1,024
}

// hashSubject is FNV-1a.
func hashSubject(kind, id string) uint32 {
	h := uint32(2166136261)
	for i := range len(kind) {
		h = (h ^ uint32(kind[i])) * 16777619
	}
	h = (h ^ '/') * 16777619
	for i := range len(id) {
		h = (h ^ uint32(id[i])) * 16777619
	}
	return h ^ h>>16
}

// offerLive queues a live event. The outcome is full if the subscription blocks.
func (in *inbox[T]) offerLive(n *news[T], now int64) outcome {
	if in.sub.mode.stored() {
		in.sub.ignoreLive(&n.event.Header)
		return dropped
	}
	return in.offer(n, now)
}

func (in *inbox[T]) offer(n *news[T], now int64) outcome {
	return in.noted(in.laneOf(&n.event.Header).queue.push(n, now, in.sub.policy.kind != policyBlock), now)
}

// noted counts what a push did.
func (in *inbox[T]) noted(o outcome, now int64) outcome {
	switch o {
	case dropped, displaced:
		in.sub.noteDrop(now)
	case replaced:
		in.sub.coalesced.Add(1)
	}
	return o
}

func (in *inbox[T]) offerParcel(p *parcel, now int64) outcome {
	if in.sub.mode.stored() {
		in.sub.ignoreLive(p.header)
		return dropped
	}
	return in.offerRecordedParcel(p, now)
}

func (in *inbox[T]) offerRecordedParcel(p *parcel, now int64) outcome {
	n := in.unpacked(p, now)
	o := in.offer(n, now)
	n.published(o.holds())
	return o
}

func (in *inbox[T]) unpacked(p *parcel, now int64) *news[T] {
	n := in.press.blank()
	n.err = in.unpack(p, &n.event)
	n.sign(now)
	return n
}

func (in *inbox[T]) awaitParcel(ctx context.Context, p *parcel, now int64, since time.Time) outcome {
	n := in.unpacked(p, now)
	o := in.await(ctx, n, now, since)
	n.published(o.holds())
	return o
}

// await queues a live event when there is room, or drops it when the policy's time, counted from since, or ctx is over.
func (in *inbox[T]) await(ctx context.Context, n *news[T], now int64, since time.Time) outcome {
	q := in.laneOf(&n.event.Header).queue
	if !inHandler(ctx, in.sub.bus) {
		timer := time.NewTimer(in.sub.policy.wait - time.Since(since))
		defer timer.Stop()
		for again := true; again; again = in.waitRoom(ctx, q, timer) {
			if o := q.push(n, now, false); o != full {
				return o
			}
		}
	}
	return in.noted(q.push(n, now, true), now)
}

func (in *inbox[T]) waitRoom(ctx context.Context, q *queue[T], timer *time.Timer) bool {
	room := q.roomChan()
	if room == nil {
		return true
	}
	defer q.leaveRoom()
	select {
	case <-room:
		return true
	case <-timer.C:
	case <-ctx.Done():
	case <-in.sub.closing:
	}
	return false
}

// wrapped is the handler with Options.Around around it, if there is one.
func (in *inbox[T]) wrapped() func(context.Context, Event[T]) error {
	around := in.sub.bus.opts.Around
	if around == nil || in.sub.handless {
		return in.fn
	}
	return func(ctx context.Context, e Event[T]) error {
		return around(ctx, in.sub.name, e.Header, func(ctx context.Context) error { return in.fn(ctx, e) })
	}
}
