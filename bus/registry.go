package bus

import (
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"unsafe"
)

// registration says what stored events of a pattern and schema decode to.
type registration struct {
	pattern Pattern
	schema  int
	codec   anyCodec
}

// registry is the registrations of a bus. Reading takes no lock.
type registry struct {
	all   atomic.Pointer[[]*registration]
	found atomic.Pointer[sync.Map] // typeKey → *registration (nil: none)

	mu sync.Mutex
}

type typeKey struct {
	typ    string
	schema int
}

func newRegistry() *registry {
	r := &registry{}
	r.all.Store(&[]*registration{})
	r.found.Store(&sync.Map{})
	return r
}

// Register says which Go type stored events of a pattern and schema decode to, and which schema number events of that type get.
// The most specific pattern wins; the same registration twice is fine. Errors: *PatternError; *PayloadError for a schema below 1,
// the same pattern and schema for another type, or a T that JSON can't carry there and back.
func Register[T Payload](b *Bus, pattern string, schema int) error {
	p, err := ParsePattern(pattern)
	if err != nil {
		return err
	}
	typ := reflect.TypeFor[T]()
	if schema < 1 {
		return &PayloadError{Type: typ, Reason: fmt.Sprintf("schema %d: must be 1 or more", schema)}
	}
	if typ.Kind() == reflect.Interface || pointsToPayload(typ) {
		return &PayloadError{Type: typ, Reason: "register the concrete type, not an interface or a pointer to it"}
	}
	c, err := newCodec[T](typ)
	if err != nil {
		return err
	}
	if err := b.registry.add(&registration{pattern: p, schema: schema, codec: c}); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	t := topicLocked[T](b, typ)
	t.register(c)
	return nil
}

// register makes the topic decode. t.bus.mu is held.
func (t *topic[T]) register(c *codec[T]) {
	if t.codec.Load() == nil {
		t.codec.Store(c)
	}
	t.rebuild()
}

func (r *registry) add(reg *registration) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	old := *r.all.Load()
	for _, o := range old {
		if o.pattern != reg.pattern || o.schema != reg.schema {
			continue
		}
		if o.codec.goType() == reg.codec.goType() {
			return nil
		}
		return &PayloadError{Type: reg.codec.goType(), Reason: fmt.Sprintf("pattern %q with schema %d is registered for %v", reg.pattern, reg.schema, o.codec.goType())}
	}
	next := append(old[:len(old):len(old)], reg)
	r.all.Store(&next)
	r.found.Store(&sync.Map{})
	return nil
}

// find returns the most specific registration for a stored event, nil if there is none.
func (r *registry) find(eventType string, schema int) *registration {
	found := r.found.Load() // before all: a map that outlives its registrations is dropped with them
	key := typeKey{eventType, schema}
	if reg, ok := found.Load(key); ok {
		return reg.(*registration)
	}
	var best *registration
	for _, reg := range *r.all.Load() {
		if reg.schema == schema && reg.pattern.Match(eventType) && (best == nil || reg.pattern.moreSpecific(best.pattern)) {
			best = reg
		}
	}
	found.Store(key, best)
	return best
}

// forPayload returns the newest schema with which a type's events are recorded, nil if it isn't registered for that event type.
func (r *registry) forPayload(typ reflect.Type, eventType string) *registration {
	var best *registration
	for _, reg := range *r.all.Load() {
		if reg.codec.goType() == typ && reg.pattern.Match(eventType) && (best == nil || reg.schema > best.schema) {
			best = reg
		}
	}
	return best
}

// of returns the registrations of a Go type.
func (r *registry) of(typ reflect.Type) []*registration {
	var own []*registration
	for _, reg := range *r.all.Load() {
		if reg.codec.goType() == typ {
			own = append(own, reg)
		}
	}
	return own
}

// anyCodec is a codec whose T isn't known.
type anyCodec interface {
	goType() reflect.Type
	topic(*Bus) anyTopic
	encode(Payload) (data []byte, value any, err error)
	decode(*Record) (any, error)
}

// codec carries payloads of T to the journal and back.
type codec[T any] struct {
	typ  reflect.Type
	plan *plan
	flat bool // a copy of a T shares nothing that could be changed
}

func newCodec[T Payload](typ reflect.Type) (*codec[T], error) {
	if err := checkJSON(typ); err != nil {
		return nil, err
	}
	return &codec[T]{typ: typ, plan: planFor(typ, true), flat: flat(typ)}, nil
}

func (c *codec[T]) goType() reflect.Type  { return c.typ }
func (c *codec[T]) topic(b *Bus) anyTopic { return topicOf[T](b, c.typ) }

// encode takes secrets out and encodes. A value that can be copied whole is returned too.
func (c *codec[T]) encode(p Payload) (data []byte, value any, err error) {
	v := any(p).(T)
	if c.plan != nil {
		if err := c.plan.run(unsafe.Pointer(&v), 0); err != nil {
			return nil, nil, err
		}
	}
	if data, err = marshal(&v); err != nil {
		return nil, nil, &PayloadError{Type: c.typ, Reason: "can't be encoded", Err: err}
	}
	if c.flat {
		value = &v
	}
	return data, value, nil
}

// decodeInto gives the payload of a record: a copy of the value that was recorded, if it is known, else what its data say.
func (c *codec[T]) decodeInto(r *Record, into *T) error {
	if v, ok := r.value.(*T); ok {
		*into = *v
		return nil
	}
	if err := unmarshal(r.Data, into); err != nil {
		return &DecodeError{Seq: r.Seq, Type: r.Type, Schema: r.Schema, GoType: c.typ, Err: err}
	}
	return nil
}

func (c *codec[T]) decode(r *Record) (any, error) {
	var v T
	if err := c.decodeInto(r, &v); err != nil {
		return nil, err
	}
	return v, nil
}

// Registration says what stored events of a pattern and schema decode to.
type Registration struct {
	Pattern string
	Schema  int
	Type    reflect.Type
}

func (r *registration) public() Registration {
	return Registration{Pattern: r.pattern.String(), Schema: r.schema, Type: r.codec.goType()}
}

// Registrations lists what was registered, in its order.
func (b *Bus) Registrations() []Registration {
	var all []Registration
	for _, r := range *b.registry.all.Load() {
		all = append(all, r.public())
	}
	return all
}

// Registration returns what stored events of a type and schema decode to; of the newest schema, if schema is 0. false: nobody has registered that.
func (b *Bus) Registration(eventType string, schema int) (Registration, bool) {
	if schema == 0 {
		for _, r := range *b.registry.all.Load() {
			if r.pattern.Match(eventType) {
				schema = max(schema, r.schema)
			}
		}
	}
	found := b.registry.find(eventType, schema)
	if found == nil {
		return Registration{}, false
	}
	return found.public(), true
}
