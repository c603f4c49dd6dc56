package resources

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
)

// changeTx is the Tx that listeners and With get: what they append is stamped as a part of the change.
type changeTx struct {
	tx     StoreTx
	engine *Engine
	change Change
	own    context.Context // of the change, if the transaction's is that of many; else nil
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

func (t *changeTx) Resource(kind, id string) (any, error) {
	h, err := t.reach(kind)
	if err != nil {
		return nil, err
	}
	obj, err := t.tx.Load(h.info, id)
	return obj, h.named(id, err)
}

func (t *changeTx) State(kind, id string) (fsm.State, error) {
	h, err := t.reach(kind)
	if err != nil {
		return "", err
	}
	state, err := t.tx.State(h.info, id)
	return state, h.named(id, err)
}

func (t *changeTx) Resources(kind string, q Query) ([]any, error) {
	h, err := t.reach(kind)
	if err != nil {
		return nil, err
	}
	q, none, err := h.info.check(q)
	if err != nil || none {
		return nil, err
	}
	all, err := t.tx.List(h.info, q)
	if err != nil {
		return nil, fmt.Errorf("resources: %s: %w", kind, err)
	}
	return all, nil
}

// reach finds a kind to read from, while there is a transaction to read in.
func (t *changeTx) reach(kind string) (*Handle, error) {
	if t.done.Load() {
		return nil, ErrTxDone
	}
	return t.engine.Kind(kind)
}

// stamp makes an event a part of the change. Its header says already what it is about, and what it inherits from the context.
func (t *changeTx) stamp(h *bus.Header) {
	c := &t.change
	h.Time, h.Actor = c.Time, c.Actor
	if t.own != nil {
		t.inherit(h)
	}
	if h.Kind == c.Kind && h.ResourceID == c.ResourceID {
		h.Version = c.Version
	}
	if h.CorrelationID == "" {
		h.CorrelationID = c.ID.String()
	}
}

// inherit gives an event what the change's own context says.
func (t *changeTx) inherit(h *bus.Header) {
	if correlation, cause := bus.Correlation(t.own); correlation != "" {
		h.CorrelationID, h.CausationID = correlation, cause
	}
	if trace := bus.TraceParent(t.own); trace != "" {
		h.TraceParent = trace
	}
}

var _ Tx = (*changeTx)(nil)
