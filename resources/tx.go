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
	return t.tx.Append(p, append(t.stamps(p), stamps...)...)
}

func (t *changeTx) stamps(p bus.Payload) []bus.Stamp {
	c := &t.change
	stamps := make([]bus.Stamp, 0, 8)
	stamps = append(stamps, bus.WithTime(c.Time), bus.WithActor(c.Actor))
	if a, ok := p.(bus.Addressed); ok {
		if _, kind, id := a.Address(); kind == c.Kind && id == c.ResourceID {
			stamps = append(stamps, bus.WithVersion(c.Version))
		}
	}
	if correlation, cause := bus.Correlation(t.tx.Context()); correlation == "" && cause == "" {
		stamps = append(stamps, bus.WithCorrelation(c.ID.String()))
	}
	return stamps
}
