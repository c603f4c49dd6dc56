package memstore

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/resources"
)

// OwnActions returns the name of this process: it is there for as long as the store is.
func (s *Store) OwnActions(ctx context.Context) (string, error) { return s.owner(), ctx.Err() }

func (s *Store) owner() string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return fmt.Sprintf("process %d, life %d", os.Getpid(), s.life)
}

// Orphan makes all open actions those of a process that is gone, as the end of the process does in stores that outlive it: for tests.
func (s *Store) Orphan() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.life++
}

// ActionsAbandonedAfter is 0: nobody else has the store.
func (s *Store) ActionsAbandonedAfter() time.Duration { return 0 }

// Action returns an open action; resources.ErrNotFound.
func (s *Store) Action(ctx context.Context, id bus.ID) (resources.OpenAction, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	a, ok := s.actions[id]
	if !ok {
		return a, resources.ErrNotFound
	}
	return a, ctx.Err()
}

// Actions returns open actions in order of ID.
func (s *Store) Actions(ctx context.Context, q resources.ActionQuery) ([]resources.OpenAction, error) {
	is := func(have, want string) bool { return want == "" || have == want }
	return s.openActions(ctx, q.Limit, func(a *resources.OpenAction) bool {
		return bytes.Compare(a.ID[:], q.After[:]) > 0 && is(a.Kind, q.Kind) && is(a.Verb, q.Verb) && is(a.ResourceID, q.ResourceID) &&
			is(a.Tenant, q.Tenant) && is(a.Actor, q.Actor)
	})
}

// AbandonedActions returns open actions of a process that is gone, in order of ID: there are none, unless Orphan was called.
func (s *Store) AbandonedActions(ctx context.Context, n int) ([]resources.OpenAction, error) {
	owner := s.owner()
	return s.openActions(ctx, n, func(a *resources.OpenAction) bool { return a.Owner != owner })
}

func (s *Store) openActions(ctx context.Context, limit int, match func(*resources.OpenAction) bool) ([]resources.OpenAction, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var page []resources.OpenAction
	for _, a := range s.actions {
		if match(&a) {
			page = append(page, a)
		}
	}
	slices.SortFunc(page, func(a, b resources.OpenAction) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return page[:min(limit, len(page))], ctx.Err()
}

func (t *tx) InsertAction(a resources.OpenAction) error {
	if t.over.Load() {
		return resources.ErrTxDone
	}
	if a.Owner != t.store.owner() {
		return resources.ErrConflict
	}
	t.writeAction(a.ID, &a)
	return nil
}

func (t *tx) StartAction(a resources.OpenAction) error {
	if t.over.Load() {
		return resources.ErrTxDone
	}
	if a.Owner != t.store.owner() {
		return resources.ErrConflict
	}
	row, ok := t.action(a.ID)
	if !ok || !row.Started.IsZero() {
		return resources.ErrNotFound
	}
	row.Owner, row.StartedAt, row.Started = a.Owner, a.StartedAt, a.Started
	t.writeAction(a.ID, &row)
	return nil
}

func (t *tx) DeleteAction(id bus.ID) error {
	if t.over.Load() {
		return resources.ErrTxDone
	}
	if _, ok := t.action(id); !ok {
		return resources.ErrNotFound
	}
	t.writeAction(id, nil)
	return nil
}

func (t *tx) ActionOwnerGone(name string) (bool, error) { return name != t.store.owner(), nil }

// action is what the member sees.
func (t *tx) action(id bus.ID) (resources.OpenAction, bool) {
	if a, ok := t.actions[id]; ok {
		if a == nil {
			return resources.OpenAction{}, false
		}
		return *a, true
	}
	t.store.mu.RLock()
	defer t.store.mu.RUnlock()
	a, ok := t.store.actions[id]
	return a, ok
}

func (t *tx) writeAction(id bus.ID, a *resources.OpenAction) {
	if t.actions == nil {
		t.actions = map[bus.ID]*resources.OpenAction{}
	}
	t.actions[id] = a
}

var (
	_ resources.ActionStore = (*Store)(nil)
	_ resources.ActionTx    = (*tx)(nil)
)
