package bus

import (
	"context"
	"time"
)

// delivery is the context of one call of a handler. It is made for that delivery alone, so that a handler may keep it or give it to
// goroutines, and small, because making it is what a delivery costs.
type delivery struct {
	sub   *Subscription
	label *label
}

const deliverySlab = 32 // made at a time

func (d *delivery) header() (Header, bool) {
	h := d.label.header()
	return h, !h.ID.IsZero()
}

func (d *delivery) origin() (ID, string)        { return d.label.id, d.label.correlation() }
func (d *delivery) subscription() *Subscription { return d.sub }

// Deadline, Done and Err are the bus's.
func (d *delivery) Deadline() (time.Time, bool) { return d.sub.bus.base.Deadline() }
func (d *delivery) Done() <-chan struct{}       { return d.sub.bus.base.Done() }
func (d *delivery) Err() error                  { return d.sub.bus.base.Err() }

func (d *delivery) Value(key any) any {
	switch key.(type) {
	case handlerKey, correlationKey:
		return d
	}
	return d.sub.bus.base.Value(key)
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
