package bus

import (
	"context"
	"reflect"
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
