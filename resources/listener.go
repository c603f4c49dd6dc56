package resources

import "context"

// Listener sees each change from inside. It implements one or more of Before, InTx and After.
type Listener interface{ Name() string }

type (
	// BeforeListener is asked on the caller's goroutine, before the transaction; an error vetoes (*VetoError). c.Version and c.ID are not final.
	BeforeListener interface {
		Listener
		Before(ctx context.Context, c Change) error
	}
	// InTxListener runs in the transaction, after the row is written; an error vetoes and rolls back.
	InTxListener interface {
		Listener
		InTx(ctx context.Context, tx Tx, c Change) error
	}
	// AfterListener learns the outcome on the caller's goroutine: err nil means committed. Also called for refusals, vetoes and Unchanged.
	AfterListener interface {
		Listener
		After(ctx context.Context, c Change, err error)
	}
)
