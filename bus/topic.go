package bus

import (
	"cmp"
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
	join(s *Subscription)
	part(s *Subscription)
	publishAny(ctx context.Context, p Payload, stamps []Stamp) error
	recorded(r *Record, now int64)
	published() uint64
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
	press   press[T]
	others  atomic.Uint64 // blanks that weren't for live events, or not for such that were published
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

	direct []target[T]          // of concrete, live events: those that take all
	asked  selection[*inbox[T]] // and those that have to be asked
}

// target is a subscription that takes each live event of a group, in one queue. What a publish needs of it lies together.
type target[T any] struct {
	queue *queue[T]
	inbox *inbox[T]
	order uint64
	drop  bool
}

func newTopic[T any](b *Bus, typ reflect.Type) *topic[T] {
	t := &topic[T]{bus: b, typ: typ, pointer: typ.Kind() == reflect.Pointer, bare: reflect.TypeFor[T]() != typ}
	t.plan = planFor(typ, false)
	return t
}

func (t *topic[T]) goType() reflect.Type { return t.typ }

// published counts the live events. Publishing itself counts nothing; the sheets know.
func (t *topic[T]) published() uint64 {
	others := t.others.Load() // first: at most those that are on their way are counted too
	return t.press.taken() - others
}

// rebuild takes a new snapshot. t.bus.mu is held.
func (t *topic[T]) rebuild() {
	r := &routes[T]{topic: t, schemas: t.bus.registry.of(t.typ)}
	for _, s := range t.bus.subs {
		r.add(s)
	}
	t.routes.Store(r)
}

// join takes a new snapshot with one more subscription. It shares what the old one knows, so that subscribing costs the same however
// many have. t.bus.mu is held.
func (t *topic[T]) join(s *Subscription) {
	old := t.routes.Load()
	r := &routes[T]{topic: t, schemas: old.schemas, concrete: old.concrete, boxed: old.boxed, upTo: old.upTo}
	r.add(s)
	t.routes.Store(r)
}

// part takes a new snapshot with one subscription less. t.bus.mu is held.
func (t *topic[T]) part(s *Subscription) {
	old := t.routes.Load()
	r := &routes[T]{topic: t, schemas: old.schemas, concrete: without(old.concrete, s), boxed: without(old.boxed, s), upTo: old.upTo}
	t.routes.Store(r)
}

// without copies a list, which is in the order of subscribing, without s. If s isn't there it is the list itself.
func without[K taker](list []K, s *Subscription) []K {
	i, ok := slices.BinarySearchFunc(list, s.order, func(k K, order uint64) int { return cmp.Compare(k.base().order, order) })
	if !ok {
		return list
	}
	return slices.Concat(list[:i], list[i+1:])
}

func (r *routes[T]) add(s *Subscription) {
	r.upTo = max(r.upTo, s.order)
	if in, ok := s.inner.(*inbox[T]); ok && !in.boxed && !r.topic.bare {
		r.concrete = append(r.concrete, in)
	} else if bt, ok := s.inner.(boxTaker); ok && bt.accepts(r.topic.typ) {
		r.boxed = append(r.boxed, bt)
	}
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
	g.aim()
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

// aim sorts the takers of live events.
func (g *group[T]) aim() {
	var rest []*inbox[T]
	for _, in := range g.concrete.open {
		s := in.sub
		if len(s.where) > 0 || len(in.lanes) != 1 || s.mode.stored() {
			rest = append(rest, in)
			continue
		}
		g.direct = append(g.direct, target[T]{queue: in.lanes[0].queue, inbox: in, order: s.order, drop: s.policy.kind != policyBlock})
	}
	g.asked = g.concrete
	g.asked.open = rest
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
