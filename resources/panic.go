package resources

import (
	"context"
	"fmt"
	"runtime/debug"
)

// PanicError says that code of the embedder panicked while it took part in a change. The change was not made.
type PanicError struct {
	Where    string // "listener quota, Before", "Set", "With", …
	Kind, ID string
	Value    any // what was given to panic
	Stack    []byte
}

func (e *PanicError) Error() string {
	return fmt.Sprintf("resources: %s/%s: panic in %s: %v", e.Kind, e.ID, e.Where, e.Value)
}

// Unwrap returns the panic's value if it was an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// protect runs code of the embedder; a panic comes back as a *PanicError.
func protect(where, kind, id string, fn func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Where: where, Kind: kind, ID: id, Value: v, Stack: debug.Stack()}
		}
	}()
	return fn()
}

func (h *Handle) logPanic(ctx context.Context, p *PanicError) {
	h.engine.log.ErrorContext(ctx, "panic while a resource changed",
		"kind", p.Kind, "id", p.ID, "where", p.Where, "panic", p.Value, "stack", string(p.Stack))
}
