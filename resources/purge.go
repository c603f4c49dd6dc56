package resources

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

const (
	purgeAtOnce = 32 // resources in one member
	// purgePause is how many times as long as a member took the next one waits, so that a purge costs writers a fifth of their time at most.
	purgePause = 4
)

// Purged is what a purge did.
type Purged struct {
	Removed int   // resources that are gone
	Kept    int   // resources that a listener wanted to stay
	Why     error // of the first of those
}

// PurgeAfter has Run remove resources of the kind that have been in a final state for longer than d. Defaults to never. A kind without
// final states has nothing to remove.
func PurgeAfter(d time.Duration) KindOption {
	return func(k *kindSettings) { k.purgeAfter = &d }
}

// Purge removes resources that have been in a final state for longer than age: the row is deleted, and a last change (Removed, event
// <kind>.removed, with the resource as it was) says so in the same transaction. Listeners see it as any other change; a resource that
// one of them vetoes stays, and is counted. The longest gone go first, some in a transaction, as background members with pauses
// between them. What is removed stays removed if there is an error later. The id is free then: whoever takes it begins at version 1.
// Options: Actor, Reason. Errors: *InvalidError for an age below 0, or a kind without final states; what the store says.
func (h *Handle) Purge(ctx context.Context, age time.Duration, opts ...Option) (Purged, error) {
	var done Purged
	now := h.engine.clock()
	call, err := newCall(h.info.Name, "", forPurge, opts, now)
	if err == nil {
		err = h.checkPurge(ctx, age)
	}
	if err != nil {
		return done, err
	}
	for _, state := range h.info.Machine.Spec().Final {
		if err := h.purge(ctx, StayQuery{State: state, Until: now.Add(-age), Limit: purgeAtOnce}, call, &done); err != nil {
			return done, fmt.Errorf("resources: purge %s: %w", h.info.Name, err)
		}
	}
	return done, nil
}

func (h *Handle) checkPurge(ctx context.Context, age time.Duration) error {
	switch {
	case age < 0:
		return h.info.invalid("age", "%v is below 0", age)
	case len(h.info.Machine.Spec().Final) == 0:
		return h.info.invalid("", "has no final state, so there is nothing to purge")
	case bus.InWriter(ctx, h.engine.store.Journal()):
		return fmt.Errorf("resources: purge %s: %w", h.info.Name, ErrInWriter)
	}
	return nil
}

// purge goes through the resources that a query selects, a page at a time.
func (h *Handle) purge(ctx context.Context, q StayQuery, c *call, done *Purged) error {
	for {
		page, err := h.engine.store.Stays(ctx, h.info, q)
		if err != nil || len(page) == 0 {
			return err
		}
		began := time.Now()
		if err := h.removeTogether(ctx, page, c, done); err != nil {
			return err
		}
		if len(page) < q.Limit {
			return nil
		}
		q.After = ObjectOf(page[len(page)-1])
		if err := sleep(ctx, purgePause*time.Since(began)); err != nil {
			return err
		}
	}
}

// removeTogether removes some resources in one member; if one of them can't be removed each gets a member of its own.
func (h *Handle) removeTogether(ctx context.Context, objs []any, c *call, done *Purged) error {
	works := make([]*work, 0, len(objs))
	for _, obj := range objs {
		w := h.removal(ctx, obj, c)
		if err := w.askRemoval(); err != nil {
			done.keep(err)
			h.tell(w.ctx, w.change, w.began, err)
			continue
		}
		works = append(works, w)
	}
	if len(works) == 0 {
		return nil
	}
	if err := h.engine.inBackground(ctx, func(tx StoreTx) error { return runAll(tx, works) }); err == nil {
		done.Removed += len(works)
		for _, w := range works {
			h.tell(w.ctx, w.change, w.began, nil)
		}
		return nil
	}
	for _, w := range works {
		if err := h.removeAlone(ctx, w, done); err != nil {
			return err
		}
	}
	return nil
}

func (h *Handle) removeAlone(ctx context.Context, w *work, done *Purged) error {
	err := h.engine.inBackground(ctx, w.member)
	if errors.Is(err, ErrConflict) {
		return nil // another server has removed it
	}
	h.tell(w.ctx, w.change, w.began, err)
	var veto *VetoError
	var panicked *PanicError
	switch {
	case err == nil:
		done.Removed++
	case errors.As(err, &veto), errors.As(err, &panicked):
		done.keep(err)
	default:
		return h.named(w.change.ResourceID, err)
	}
	return nil
}

func (p *Purged) keep(why error) {
	if p.Kept++; p.Why == nil {
		p.Why = why
	}
}

// removal plans the last change of a resource.
func (h *Handle) removal(ctx context.Context, obj any, c *call) *work {
	w := h.newWork(ctx, Change{Action: Removed, ResourceID: ObjectOf(obj).ID}, c)
	obj = h.info.Clone(obj)
	o := ObjectOf(obj)
	w.note(o)
	w.lift(o)
	w.change.ID = bus.NewID(w.now)
	w.touch(o)
	w.settle(obj)
	return w
}

// askRemoval tells the begin-listeners, and asks the before-listeners.
func (w *work) askRemoval() error {
	if err := w.begins(); err != nil {
		return err
	}
	return w.h.chain.askBefore(w.ctx, w.change)
}

// purgeAll purges the kinds that are to be.
func (e *Engine) purgeAll(ctx context.Context) {
	for _, h := range e.handles() {
		if h.purgeAfter == nil || len(h.info.Machine.Spec().Final) == 0 {
			continue
		}
		done, err := h.Purge(ctx, *h.purgeAfter)
		switch {
		case err != nil && ctx.Err() == nil:
			e.log.ErrorContext(ctx, "purge failed", "kind", h.info.Name, "removed", done.Removed, "error", err, "again_in", purgeEvery)
		case done.Kept > 0:
			e.log.WarnContext(ctx, "a purge left resources that a listener wants to stay", "kind", h.info.Name, "kept", done.Kept, "first", done.Why)
		}
	}
}

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
