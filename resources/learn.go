package resources

import (
	"context"
	"errors"
	"time"
)

// tell lets the after-listeners learn the outcome, and the log of panics: nobody else may look at the caller's error.
func (h *Handle) tell(ctx context.Context, c Change, began time.Time, err error) {
	var panicked *PanicError
	if errors.As(err, &panicked) {
		h.logPanic(ctx, panicked)
	}
	if len(h.chain.after) > 0 {
		c.took = h.engine.clock().Sub(began)
	}
	for _, l := range h.chain.after {
		failed := protect("listener "+l.Name()+", After", c.Kind, c.ResourceID, func() error {
			l.After(ctx, c, err)
			return nil
		})
		if errors.As(failed, &panicked) {
			h.logPanic(ctx, panicked)
		}
	}
}

func (h *Handle) logPanic(ctx context.Context, p *PanicError) {
	h.engine.log.ErrorContext(ctx, "panic while a resource changed",
		"kind", p.Kind, "id", p.ID, "where", p.Where, "panic", p.Value, "stack", string(p.Stack))
}
