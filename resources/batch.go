package resources

import (
	"context"
	"errors"
	"fmt"

	"github.com/cloudbus-go/cloudbus/bus"
)

// maxBatch is how many resources a CreateBatch makes at most: they are one member of the writer, and everyone waits meanwhile.
const maxBatch = 1000

// BatchError says which of several resources a call failed at. Nothing of the call was done.
type BatchError struct {
	Index int    // from 0
	ID    string // "" if it has none yet
	Err   error
}

func (e *BatchError) Error() string {
	return fmt.Sprintf("resources: number %d of the batch: %v", e.Index, e.Err)
}

func (e *BatchError) Unwrap() error { return e.Err }

// CreateBatch makes up to 1,000 resources in one transaction, each a change of its own with its event, in the given order: all of them,
// or with an error none. It is for filling a cloud: a caller who makes many waits for the disk once in a thousand. While the batch is
// written nobody else writes, some 50 µs a resource; take fewer at a time where that matters.
// objs are *T; they are left as they are. Options: Actor, Reason, At. Errors: those of Create, in a *BatchError that says which
// resource is at fault; *InvalidError for a batch that is too large.
func (h *Handle) CreateBatch(ctx context.Context, objs []any, opts ...Option) ([]any, error) {
	if len(objs) == 0 {
		return nil, nil
	}
	if len(objs) > maxBatch {
		return nil, h.info.invalid("batch", "has %d resources; at most %d are allowed", len(objs), maxBatch)
	}
	works, err := h.createAll(ctx, objs, opts)
	for _, w := range works {
		h.tell(w.ctx, w.change, w.began, err)
	}
	if err != nil {
		return nil, err
	}
	made := make([]any, len(works))
	for i, w := range works {
		made[i] = w.object
		h.engine.expect(h, &w.change)
	}
	return made, nil
}

// createAll returns the works that after-listeners are to hear of, too if it fails.
func (h *Handle) createAll(ctx context.Context, objs []any, opts []Option) ([]*work, error) {
	call, err := newCall(h.info.Name, "", forBatch, opts, h.engine.clock())
	if err != nil {
		return nil, err
	}
	if bus.InWriter(ctx, h.engine.store.Journal()) {
		return nil, fmt.Errorf("resources: %s: %w", h.info.Name, ErrInWriter)
	}
	works := make([]*work, 0, len(objs))
	at := make(map[string]int, len(objs))
	for i, obj := range objs {
		base, obj := h.creation(obj)
		w := h.newWork(ctx, base, call)
		works = append(works, w)
		if err := w.planIn(obj); err != nil {
			return works, w.failed(i, err)
		}
		id := w.change.ResourceID
		if first, taken := at[id]; taken {
			return works, &BatchError{Index: i, ID: id, Err: fmt.Errorf("%w: %s/%s is number %d of the batch", ErrExists, h.info.Name, id, first)}
		}
		at[id] = i
	}
	if err := h.engine.store.Do(ctx, func(tx StoreTx) error { return runAll(tx, works) }); err != nil {
		var at *BatchError
		if errors.As(err, &at) {
			return works, at
		}
		return works, fmt.Errorf("resources: %s: %w", h.info.Name, err)
	}
	return works, nil
}

// planIn tells the begin-listeners, decides what is created, and asks the before-listeners.
func (w *work) planIn(obj any) error {
	if err := w.begins(); err != nil {
		return err
	}
	if err := w.planCreate(obj); err != nil {
		return err
	}
	return w.h.chain.askBefore(w.ctx, w.change)
}

// runAll does several changes in one member.
func runAll(tx StoreTx, works []*work) error {
	for i, w := range works {
		if err := w.member(tx); err != nil {
			return w.failed(i, err)
		}
	}
	return nil
}

// failed says that the work is the one of a batch that failed.
func (w *work) failed(i int, err error) error {
	id := w.change.ResourceID
	return &BatchError{Index: i, ID: id, Err: w.h.named(id, err)}
}

// CreateBatch makes up to 1,000 resources in one transaction: all of them, or with an error (*BatchError) none. See Handle.CreateBatch.
func (k *Kind[T]) CreateBatch(ctx context.Context, vs []T, opts ...Option) ([]*T, error) {
	objs := make([]any, len(vs))
	for i := range vs {
		objs[i] = &vs[i]
	}
	made, err := k.h.CreateBatch(ctx, objs, opts...)
	if err != nil {
		return nil, err
	}
	all := make([]*T, len(made))
	for i, obj := range made {
		all[i] = obj.(*T)
	}
	return all, nil
}
