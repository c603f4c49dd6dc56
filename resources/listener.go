package resources

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Listener sees each change from inside. It implements one or more of BeginListener, BeforeListener, InTxListener and AfterListener.
// Listeners are called in the order in which they were given, the engine's before the kind's. Names are unique.
// Calls for different changes run concurrently.
type Listener interface{ Name() string }

type (
	// BeginListener is told on the caller's goroutine that a call begins, before anything is read: c says what was asked for (action,
	// kind, id if there is one yet, trigger, actor, reason, time). Each Begin has its After. The context that it returns, one made of
	// ctx, is that of the rest of the call: of what is read, of the other phases, and of what they append. nil leaves it as it is.
	// The resources of a CreateBatch and of a purge share a transaction, whose context is the caller's: there each Begin's is that of
	// Before and After, and gives what is appended its trace and correlation.
	BeginListener interface {
		Listener
		Begin(ctx context.Context, c Change) context.Context
	}
	// BeforeListener is asked on the caller's goroutine, before the transaction; an error vetoes (*VetoError).
	// It sees the change as it would be: c.Event() has the snapshot, with what Set brings. When somebody else changed the resource
	// meanwhile it is asked again; c.ID, c.Version and c.Time are final only in the transaction.
	BeforeListener interface {
		Listener
		Before(ctx context.Context, c Change) error
	}
	// InTxListener runs in the transaction, after the row is written; an error vetoes and rolls back. It may run again if the store
	// has to repeat the transaction. ctx is the member's: what would wait for the writer returns ErrInWriter.
	InTxListener interface {
		Listener
		InTx(ctx context.Context, tx Tx, c Change) error
	}
	// AfterListener learns the outcome of each Create, Fire and Update on the caller's goroutine, once: err nil means committed, or
	// Unchanged. Of a call that failed, c says what was known by then: kind, id and trigger at least.
	AfterListener interface {
		Listener
		After(ctx context.Context, c Change, err error)
	}
)

// chain is the listeners of a kind, by phase.
type chain struct {
	begin  []BeginListener
	before []BeforeListener
	inTx   []InTxListener
	after  []AfterListener
}

func newChain(listeners ...[]Listener) (chain, error) {
	var c chain
	names := map[string]bool{}
	for _, group := range listeners {
		for i, l := range group {
			if l == nil {
				return chain{}, fmt.Errorf("resources: listener %d is nil", i)
			}
			name, err := nameOf(l)
			if err != nil {
				return chain{}, fmt.Errorf("resources: listener %d: %w", i, err)
			}
			if names[name] || name == "" {
				return chain{}, fmt.Errorf("resources: listener %d: name %q is empty or taken; each change would be seen twice", i, name)
			}
			names[name] = true
			if !c.add(l) {
				return chain{}, fmt.Errorf("resources: listener %q listens to nothing: it has none of the methods Begin, Before, InTx and After with the right signature", name)
			}
		}
	}
	return c, nil
}

// nameOf asks a listener for its name. A nil pointer panics there already.
func nameOf(l Listener) (name string, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the Name of the %T panics: %v", l, v)
		}
	}()
	return l.Name(), nil
}

func (c *chain) add(l Listener) (used bool) {
	if b, ok := l.(BeginListener); ok {
		c.begin, used = append(c.begin, b), true
	}
	if b, ok := l.(BeforeListener); ok {
		c.before, used = append(c.before, b), true
	}
	if t, ok := l.(InTxListener); ok {
		c.inTx, used = append(c.inTx, t), true
	}
	if a, ok := l.(AfterListener); ok {
		c.after, used = append(c.after, a), true
	}
	return used
}

func (c *chain) askBefore(ctx context.Context, ch Change) error {
	for _, l := range c.before {
		if err := guard(ch, l.Name(), "Before", func() error { return l.Before(ctx, ch) }); err != nil {
			return err
		}
	}
	return nil
}

func (c *chain) runInTx(tx Tx, ch Change) error {
	for _, l := range c.inTx {
		if err := guard(ch, l.Name(), "InTx", func() error { return l.InTx(tx.Context(), tx, ch) }); err != nil {
			return err
		}
	}
	return nil
}

// guard turns a listener's error into a veto and its panic into a PanicError.
func guard(c Change, listener, phase string, call func() error) error {
	veto := false
	err := protect("listener "+listener+", "+phase, c.Kind, c.ResourceID, func() error {
		err := call()
		veto = err != nil
		return err
	})
	if !veto {
		return err
	}
	return &VetoError{Listener: listener, Kind: c.Kind, ID: c.ResourceID, Trigger: string(c.Trigger), Err: err}
}

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
