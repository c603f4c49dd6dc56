package bus

import (
	"context"
	"time"
	"unsafe"
)

// delivery is the context of one call of a handler. It is made for that delivery alone, so that a handler may keep it or give it to
// goroutines, and small, because making it is what a delivery costs: a byte that says its place among those made together with it.
type delivery struct{ place uint8 }

// deliveries are the contexts of one subscription for the events of one edition.
type deliveries struct {
	sub     *Subscription
	edition *edition
	each    [sheetSize]delivery
}

var places = func() (all [sheetSize]delivery) {
	for i := range all {
		all[i].place = uint8(i)
	}
	return all
}()

func newDeliveries(s *Subscription, e *edition) *deliveries {
	return &deliveries{sub: s, edition: e, each: places}
}

// all finds what the delivery is a part of: it lies there at its place.
func (d *delivery) all() *deliveries {
	return (*deliveries)(unsafe.Add(unsafe.Pointer(d), -int(unsafe.Offsetof(deliveries{}.each))-int(d.place)*int(unsafe.Sizeof(*d))))
}

func (d *delivery) header() (Header, bool) {
	h := d.all().edition.header(int(d.place))
	return h, !h.ID.IsZero()
}

func (d *delivery) origin() (ID, string) {
	e := d.all().edition
	return e.ids[d.place], e.correlation(int(d.place))
}

func (d *delivery) subscription() *Subscription { return d.all().sub }

func (d *delivery) base() context.Context { return d.all().sub.bus.base }

// Deadline, Done and Err are the bus's.
func (d *delivery) Deadline() (time.Time, bool) { return d.base().Deadline() }
func (d *delivery) Done() <-chan struct{}       { return d.base().Done() }
func (d *delivery) Err() error                  { return d.base().Err() }

func (d *delivery) Value(key any) any {
	switch key.(type) {
	case handlerKey, correlationKey, traceKey:
		return d
	}
	return d.base().Value(key)
}

// causeContext is a context with a cause of its own.
type causeContext struct {
	context.Context
	sub   *Subscription
	cause Header
}

func (c *causeContext) header() (Header, bool)      { return c.cause, !c.cause.ID.IsZero() }
func (c *causeContext) origin() (ID, string)        { return c.cause.ID, c.cause.CorrelationID }
func (c *causeContext) subscription() *Subscription { return c.sub }

func (c *causeContext) Value(key any) any {
	switch key.(type) {
	case handlerKey, correlationKey:
		return c
	case traceKey:
		if c.cause.TraceParent != "" {
			return c
		}
	}
	return c.Context.Value(key)
}

// batchContext is that of a batch: its events cause what is done with it together.
type batchContext struct {
	causeContext
	headers func() []Header
}

func (c *batchContext) Value(key any) any {
	if key == (handlerKey{}) {
		return c
	}
	return c.causeContext.Value(key)
}

var (
	_ caused = (*delivery)(nil)
	_ caused = (*causeContext)(nil)
	_ caused = (*batchContext)(nil)
)
