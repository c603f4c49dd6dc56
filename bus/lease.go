package bus

import (
	"context"
	"errors"
)

// ErrLeaseLost: another server has taken over the durable subscription; what was to be stored with it wasn't.
var ErrLeaseLost = errors.New("bus: the subscription runs on another server now")

// Leaser is implemented by journals that several servers may share. A durable name runs on one of them at a time: the one that has its lease.
// A cursor that is stored by a server that lost the lease is ErrLeaseLost, and changes nothing: the lease's fence, a number that rises with each holder,
// is checked by the transaction that stores it.
type Leaser interface {
	// Lease waits for the lease of a durable name; busy is told, at each try, who has it. It returns nil without an error if the journal
	// belongs to this process alone, so that there is nothing to hold. The lease is kept until it is released or lost.
	// Errors: ctx.Err(), ErrLeaseHeld if this process has it already, those of the database.
	Lease(ctx context.Context, name string, busy func(holder string)) (Lease, error)
}

// ErrLeaseHeld: this process has that lease already.
var ErrLeaseHeld = errors.New("bus: the lease is held by this process already")

// Lease is the right to run a durable subscription.
type Lease interface {
	// Lost is closed when another server has the lease, or may have it because it couldn't be renewed in time.
	Lost() <-chan struct{}
	// Release gives the lease back; another server that waits gets it at once. Releasing it twice, or a lost one, does nothing.
	Release(ctx context.Context) error
}
