package resources

import (
	"context"
	"sync/atomic"

	"github.com/cloudbus-go/cloudbus/bus"
)

// changeTx is the Tx that listeners and With get: what they append is stamped as a part of the change.
type changeTx struct {
	tx     Tx
	change Change
	done   atomic.Bool
}

func (t *changeTx) Context() context.Context { return t.tx.Context() }
func (t *changeTx) Value(key any) any        { return t.tx.Value(key) }

func (t *changeTx) Append(p bus.Payload, stamps ...bus.Stamp) (bus.ID, error) {
	if t.done.Load() {
		return bus.ID{}, ErrTxDone
	}
	if p == nil {
		return bus.ID{}, &InvalidError{Kind: t.change.Kind, ID: t.change.ResourceID, Field: "Append", Reason: "the payload is nil"}
	}
	return t.tx.Append(p, append([]bus.Stamp{t.stamp}, stamps...)...)
}

// stamp makes an event a part of the change. Its header says already what it is about, and what it inherits from the context.
func (t *changeTx) stamp(h *bus.Header) {
	c := &t.change
	h.Time, h.Actor = c.Time, c.Actor
	if h.Kind == c.Kind && h.ResourceID == c.ResourceID {
		h.Version = c.Version
	}
	if h.CorrelationID == "" {
		h.CorrelationID = c.ID.String()
	}
}
