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
	scratch sync.Pool // *scratch[T]
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

// scratch is what a publish needs and nobody keeps.
type scratch[T any] struct {
	event  Event[T]
	parcel parcel
	full   []*inbox[T]
	boxed  []boxTaker

	refused bool // by a subscription that was closed meanwhile
}

func newTopic[T any](b *Bus, typ reflect.Type) *topic[T] {
	t := &topic[T]{bus: b, typ: typ, pointer: typ.Kind() == reflect.Pointer, bare: reflect.TypeFor[T]() != typ}
	t.scratch.New = func() any { return new(scratch[T]) }
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
	s := t.scratch.Get().(*scratch[T])
	s.event.Payload = payload
	err := t.offer(ctx, s, stamps)
	s.reset()
	t.scratch.Put(s)
	return err
}

func (s *scratch[T]) reset() {
	s.event = Event[T]{}
	s.parcel = parcel{}
	s.refused = false
	clear(s.full)
	clear(s.boxed)
	s.full, s.boxed = s.full[:0], s.boxed[:0]
}

// asPayload is the payload as an interface, without copying it where that can be had.
func (t *topic[T]) asPayload(p *T) Payload {
	if t.pointer || t.bare {
		return any(*p).(Payload)
	}
	return any(p).(Payload)
}

func (t *topic[T]) offer(ctx context.Context, s *scratch[T], stamps []Stamp) error {
	h := &s.event.Header
	now := t.bus.now()
	if err := t.bus.stamp(ctx, h, t.asPayload(&s.event.Payload), now, stamps); err != nil {
		return err
	}
	if t.plan != nil {
		if err := t.sanitise(&s.event.Payload); err != nil {
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
	taken := t.offerLive(s, g, at, 0)
	for s.refused {
		taken = t.offerAgain(s, &r, at) || taken
	}
	if tap := t.bus.taps.Load(); tap != nil {
		t.bus.tapped(*tap, h)
	}
	if !taken {
		t.bus.unhandled(h)
	}
	if len(s.full)+len(s.boxed) > 0 {
		t.await(ctx, s, at)
	}
	return nil
}

// offerAgain follows a subscription that was closed meanwhile: whoever has come since the snapshot was taken may be there to replace it.
func (t *topic[T]) offerAgain(s *scratch[T], r **routes[T], at int64) (taken bool) {
	s.refused = false
	old := *r
	*r = t.routes.Load()
	g, err := (*r).group(s.event.Type)
	if *r == old || err != nil {
		return false
	}
	return t.offerLive(s, g, at, old.upTo)
}

// offerLive offers a live event to the subscriptions that are newer than after, and reports whether anyone who names what he wants took it.
func (t *topic[T]) offerLive(s *scratch[T], g *group[T], now int64, after uint64) (taken bool) {
	for _, list := range g.concrete.lists(&s.event.Header) {
		for _, in := range list {
			if in.sub.order <= after || !in.sub.admits(&s.event.Header) {
				continue
			}
			taken = true
			switch in.offerLive(&s.event, now) {
			case full:
				s.full = append(s.full, in)
			case refused:
				s.refused = true
			}
		}
	}
	for _, list := range g.boxed.lists(&s.event.Header) {
		for _, in := range list {
			if in.base().order <= after || !in.base().admits(&s.event.Header) {
				continue
			}
			taken = taken || !in.takesAll()
			switch in.offerParcel(t.parcel(s), now) {
			case full:
				s.boxed = append(s.boxed, in)
			case refused:
				s.refused = true
			}
		}
	}
	return taken
}

// await lets blocking subscriptions have the event last, when everybody else has it.
func (t *topic[T]) await(ctx context.Context, s *scratch[T], now int64) {
	for _, in := range s.full {
		in.await(ctx, &s.event, now)
	}
	for _, in := range s.boxed {
		in.awaitParcel(ctx, t.parcel(s), now)
	}
}

// parcel boxes the payload, once per event.
func (t *topic[T]) parcel(s *scratch[T]) *parcel {
	if s.parcel.header == nil {
		s.parcel.header = &s.event.Header
		s.parcel.payload = s.event.Payload
	}
	return &s.parcel
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
	e := Event[T]{Header: r.Header}
	bad := t.decode(r, &e.Payload)
	for _, in := range concrete {
		in.offerRecorded(&e, now, bad)
	}
	if len(boxed) == 0 {
		return
	}
	p := &parcel{header: &e.Header, data: r.Data, err: bad}
	if t.codec.Load() != nil && bad == nil {
		p.payload = e.Payload
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
