package bus

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"
)

// desk is what the contexts of a lane share: the event that lies on it while the handler runs.
type desk struct {
	sub   *Subscription
	cause *Header
}

// delivery is the context of one call of a handler. It is made for that delivery alone, so that a handler may keep it or give it to
// goroutines, and small, because making it is what a delivery costs: the whole header can only be had while the handler runs.
type delivery struct {
	desk        *desk
	readers     atomic.Int32 // who looks at desk.cause; below 0: the handler has returned
	id          ID
	correlation string
}

const deliverySlab = 32 // made at a time

// end waits for those who are copying the header, and lets nobody else.
func (d *delivery) end() {
	for !d.readers.CompareAndSwap(0, -1) {
		runtime.Gosched()
	}
}

func (d *delivery) header() (Header, bool) {
	for {
		n := d.readers.Load()
		if n < 0 {
			return Header{ID: d.id, CorrelationID: d.correlation}, !d.id.IsZero()
		}
		if d.readers.CompareAndSwap(n, n+1) {
			h := *d.desk.cause
			d.readers.Add(-1)
			return h, !h.ID.IsZero()
		}
	}
}

func (d *delivery) origin() (ID, string)        { return d.id, d.correlation }
func (d *delivery) subscription() *Subscription { return d.desk.sub }

// Deadline, Done and Err are the bus's.
func (d *delivery) Deadline() (time.Time, bool) { return d.desk.sub.bus.base.Deadline() }
func (d *delivery) Done() <-chan struct{}       { return d.desk.sub.bus.base.Done() }
func (d *delivery) Err() error                  { return d.desk.sub.bus.base.Err() }

func (d *delivery) Value(key any) any {
	switch key.(type) {
	case handlerKey, correlationKey:
		return d
	}
	return d.desk.sub.bus.base.Value(key)
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
	}
	return c.Context.Value(key)
}

var (
	_ caused = (*delivery)(nil)
	_ caused = (*causeContext)(nil)
)
