package memstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
)

// key of a row.
type key struct{ kind, id string }

// tx is a member: what it wants to write, until it is committed.
type tx struct {
	store   *Store
	ctx     context.Context
	rows    map[key]any // nil: deleted
	order   []key       // in which rows were first written
	reports map[key]report
	actions map[bus.ID]*resources.OpenAction // nil: deleted
	records []bus.Record
	over    atomic.Bool
}

// Do runs fn on the caller's goroutine when no other member runs. What it wrote becomes visible at once and together with its events,
// or, if it returns an error or panics, not at all.
func (s *Store) Do(ctx context.Context, fn func(resources.StoreTx) error) error {
	if bus.InWriter(ctx, s.journal) {
		return bus.ErrInWriter
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer func() { s.writer <- struct{}{} }()

	t := &tx{store: s, ctx: bus.EnterWriter(context.WithoutCancel(ctx), s.journal), rows: map[key]any{}}
	defer func() { t.over.Store(true) }()
	if err := protect(t, fn); err != nil {
		return err
	}
	s.commit(t)
	return nil
}

// ErrBusy: the writer didn't get free. A member that waits for it with a foreign context waits for itself, and gets this.
var ErrBusy = errors.New("memstore: the writer has been busy for 5 s")

const patience = 5 * time.Second

// enter waits until the caller is the writer.
func (s *Store) enter(ctx context.Context) error {
	select {
	case <-s.writer:
		return nil
	default:
	}
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case <-s.writer:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-limit.C:
		return ErrBusy
	}
}

func protect(t *tx, fn func(resources.StoreTx) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("memstore: a member panicked: %v", v)
		}
	}()
	return fn(t)
}

func (s *Store) commit(t *tx) {
	s.mu.Lock()
	for _, k := range t.order {
		if row := t.rows[k]; row != nil {
			s.tables[k.kind].put(row)
		} else {
			s.tables[k.kind].remove(k.id)
		}
	}
	for k, r := range t.reports {
		s.tables[k.kind].reports[k.id] = r
	}
	for id, a := range t.actions {
		if a != nil {
			s.actions[id] = *a
		} else {
			delete(s.actions, id)
		}
	}
	records := s.journal.append(t.records)
	s.mu.Unlock()
	s.journal.show(records)
}

func (t *tx) Context() context.Context { return t.ctx }

// Value hands out nothing: there is no database behind this store.
func (t *tx) Value(any) any { return nil }

func (t *tx) Append(p bus.Payload, stamps ...bus.Stamp) (bus.ID, error) {
	if t.over.Load() {
		return bus.ID{}, resources.ErrTxDone
	}
	r, err := t.store.journal.prepare(t.ctx, p, stamps)
	if err != nil {
		return bus.ID{}, err
	}
	t.records = append(t.records, r)
	return r.ID, nil
}

func (t *tx) Load(k *resources.Info, id string) (any, error) {
	row, ok := t.row(key{k.Name, id})
	switch {
	case t.over.Load():
		return nil, resources.ErrTxDone
	case !ok:
		return nil, resources.ErrNotFound
	}
	return k.Clone(row), nil
}

// State needs no lock: nobody else writes while the member runs.
func (t *tx) State(k *resources.Info, id string) (fsm.State, error) {
	row, ok := t.row(key{k.Name, id})
	switch {
	case t.over.Load():
		return "", resources.ErrTxDone
	case !ok:
		return "", resources.ErrNotFound
	}
	return resources.ObjectOf(row).State, nil
}

// List puts what the member has written over what is committed.
func (t *tx) List(k *resources.Info, q resources.Query) ([]any, error) {
	if t.over.Load() {
		return nil, resources.ErrTxDone
	}
	match := matcher(k, q)
	var found []any
	for at, row := range t.rows {
		if at.kind == k.Name && at.id > q.After && row != nil && match(row) {
			found = append(found, row)
		}
	}
	t.store.mu.RLock()
	defer t.store.mu.RUnlock()
	written := func(id string) bool { _, ok := t.rows[key{k.Name, id}]; return ok }
	found = append(found, t.store.tables[k.Name].page(q, func(row any) bool {
		return match(row) && !written(resources.ObjectOf(row).ID)
	})...)
	slices.SortFunc(found, func(a, b any) int { return strings.Compare(resources.ObjectOf(a).ID, resources.ObjectOf(b).ID) })
	found = found[:min(q.Limit, len(found))]
	for i, row := range found {
		found[i] = k.Clone(row)
	}
	return found, nil
}

func (t *tx) Insert(k *resources.Info, obj any) error {
	at := key{k.Name, resources.ObjectOf(obj).ID}
	if t.over.Load() {
		return resources.ErrTxDone
	}
	if _, taken := t.row(at); taken {
		return resources.ErrExists
	}
	t.write(at, k.Clone(obj))
	return nil
}

func (t *tx) Update(k *resources.Info, obj any, version uint64) error {
	at := key{k.Name, resources.ObjectOf(obj).ID}
	if t.over.Load() {
		return resources.ErrTxDone
	}
	row, ok := t.row(at)
	if !ok || resources.ObjectOf(row).Version != version {
		return resources.ErrConflict
	}
	t.write(at, k.Clone(obj))
	return nil
}

// row is what the member sees: its own writes, then what is committed. Nobody else writes while it runs.
func (t *tx) row(at key) (any, bool) {
	if row, ok := t.rows[at]; ok {
		return row, row != nil
	}
	t.store.mu.RLock()
	defer t.store.mu.RUnlock()
	row, ok := t.store.tables[at.kind].rows[at.id]
	return row, ok
}

func (t *tx) write(at key, row any) {
	if _, again := t.rows[at]; !again {
		t.order = append(t.order, at)
	}
	t.rows[at] = row
}

var _ resources.StoreTx = (*tx)(nil)
