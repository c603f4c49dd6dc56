package bus

import (
	"context"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"
)

// maxGroups bounds how many event types of one Go type are remembered; more than that are looked up anew each time.
const maxGroups = 4096

// anyTopic is a topic whose T isn't known.
type anyTopic interface {
	goType() reflect.Type
	rebuild()
	publishAny(ctx context.Context, p Payload, stamps []Stamp) error
	recorded(r *Record, now int64)
}

// topic knows who takes payloads of one Go type. Publishing reads an immutable snapshot, so it shares no lock with other publishers or with Subscribe.
type topic[T any] struct {
	bus     *Bus
	typ     reflect.Type
	bare    bool // T is Payload, typ is a type that nobody named as a type argument yet: boxed takers only
	pointer bool // T is a pointer
	codec   atomic.Pointer[codec[T]]
	plan    *plan
	routes  atomic.Pointer[routes[T]]
	pool    sync.Pool // *news[T]
}

// routes are the takers at one time, and what is known of event types.
type routes[T any] struct {
	topic    *topic[T]
	concrete []*inbox[T]
	boxed    []boxTaker
	schemas  []*registration
	upTo     uint64 // the order of the newest subscription
	last     atomic.Pointer[group[T]]
	groups   sync.Map // event type → *group[T]
	count    atomic.Int32
}

// group is the takers of one event type.
type group[T any] struct {
	typ      string
	schema   int
	concrete selection[*inbox[T]]
	boxed    selection[boxTaker]
}

func newTopic[T any](b *Bus, typ reflect.Type) *topic[T] {
	t := &topic[T]{bus: b, typ: typ, pointer: typ.Kind() == reflect.Pointer, bare: reflect.TypeFor[T]() != typ}
	t.plan = planFor(typ, false)
	return t
}

func (t *topic[T]) goType() reflect.Type { return t.typ }

// rebuild takes a new snapshot. t.bus.mu is held.
func (t *topic[T]) rebuild() {
	r := &routes[T]{topic: t, schemas: t.bus.registry.of(t.typ)}
	for _, s := range t.bus.subs {
		r.upTo = max(r.upTo, s.order)
		if in, ok := s.inner.(*inbox[T]); ok && !in.boxed && !t.bare {
			r.concrete = append(r.concrete, in)
		} else if bt, ok := s.inner.(boxTaker); ok && bt.accepts(t.typ) {
			r.boxed = append(r.boxed, bt)
		}
	}
	t.routes.Store(r)
}

// group returns the takers of an event type, or why it isn't one.
func (r *routes[T]) group(eventType string) (*group[T], error) {
	if g := r.last.Load(); g != nil && g.typ == eventType {
		return g, nil
	}
	if g, ok := r.groups.Load(eventType); ok {
		r.last.Store(g.(*group[T]))
		return g.(*group[T]), nil
	}
	if err := checkType(eventType); err != nil {
		return nil, err
	}
	g := &group[T]{
		typ:      eventType,
		concrete: newSelection(r.concrete, eventType),
		boxed:    newSelection(r.boxed, eventType),
	}
	for _, reg := range r.schemas {
		if reg.pattern.Match(eventType) {
			g.schema = max(g.schema, reg.schema)
		}
	}
	if r.count.Load() < maxGroups {
		r.count.Add(1)
		r.groups.Store(eventType, g)
		r.last.Store(g)
	}
	return g, nil
}

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

// recorded offers an event of the journal to live subscriptions. Only the pump calls it.
func (t *topic[T]) recorded(r *Record, now int64) {
	g, err := t.routes.Load().group(r.Type)
	if err != nil {
		t.bus.log.Warn("bus: recorded event with a wrong type", "seq", r.Seq, "type", r.Type, "error", err)
		return
	}
	concrete, boxed, taken := t.recordedTakers(g, r)
	if !taken {
		t.bus.unhandled(&r.Header)
	}
	if len(concrete)+len(boxed) == 0 {
		return
	}
	n := newsOf[T](&t.pool)
	defer n.published()
	n.event.Header = r.Header
	n.err = t.decode(r, &n.event.Payload)
	for _, in := range concrete {
		in.offer(n, now)
	}
	if len(boxed) == 0 {
		return
	}
	p := &parcel{header: &n.event.Header, data: r.Data, err: n.err}
	if t.codec.Load() != nil && n.err == nil {
		p.payload = n.event.Payload
	}
	for _, in := range boxed {
		in.offerRecordedParcel(p, now)
	}
}

// recordedTakers lists the live subscriptions that want r; taken says whether anybody does who names what he wants.
func (t *topic[T]) recordedTakers(g *group[T], r *Record) (concrete []*inbox[T], boxed []boxTaker, taken bool) {
	for _, list := range g.concrete.lists(&r.Header) {
		for _, in := range list {
			if in.sub.admits(&r.Header) {
				taken = true
				if in.sub.wantsPumped(r.Seq) {
					concrete = append(concrete, in)
				}
			}
		}
	}
	for _, list := range g.boxed.lists(&r.Header) {
		for _, in := range list {
			if in.base().admits(&r.Header) {
				taken = taken || !in.takesAll()
				if in.base().wantsPumped(r.Seq) {
					boxed = append(boxed, in)
				}
			}
		}
	}
	return slices.Clip(concrete), slices.Clip(boxed), taken
}

func (t *topic[T]) decode(r *Record, into *T) error {
	c := t.codec.Load()
	if c == nil {
		return nil
	}
	return c.decodeInto(r, into)
}

// sanitise takes secrets and monotonic clocks out of the event's own copy of the payload.
func (t *topic[T]) sanitise(p *T) error {
	if !t.bare {
		return t.plan.run(unsafe.Pointer(p), 0)
	}
	v := reflect.ValueOf(*p)
	c, err := t.plan.copied(v, 0)
	*p = c.Elem().Interface().(T)
	return err
}
