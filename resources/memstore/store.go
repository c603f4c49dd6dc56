package memstore

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
)

// Options of New. The zero value works.
type Options struct {
	// Keep is how many of the newest events the journal keeps for readers without a cursor. Older ones go once every durable
	// subscription has handled them. Defaults to 100,000.
	Keep int
	Now  func() time.Time // stamps when events are recorded. Defaults to time.Now.
}

// Store is a resources.Store in memory. All methods may be called concurrently.
type Store struct {
	journal *journal
	writer  chan struct{} // holds one token: who has it writes

	mu      sync.RWMutex
	tables  map[string]*table // by kind; what is committed
	actions map[bus.ID]resources.OpenAction
	life    int // of the process that open actions are of
}

// New returns an empty store.
func New(o Options) *Store {
	s := &Store{
		journal: newJournal(o), writer: make(chan struct{}, 1), tables: map[string]*table{}, actions: map[bus.ID]resources.OpenAction{},
	}
	s.writer <- struct{}{}
	return s
}

// Journal returns the log of the store's events.
func (s *Store) Journal() bus.Journal { return s.journal }

// Bind makes room for a kind. Rows of a kind that was bound before stay, so that engines can follow one another.
func (s *Store) Bind(_ context.Context, k *resources.Info) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.tables[k.Name]
	if !ok {
		s.tables[k.Name] = newTable(k.Type)
		return nil
	}
	if t.typ != k.Type {
		return fmt.Errorf("memstore: %s: its resources are %v, not %v", k.Name, t.typ, k.Type)
	}
	return nil
}

// Load returns a copy of a committed row; resources.ErrNotFound.
func (s *Store) Load(ctx context.Context, k *resources.Info, id string) (any, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	row, ok := s.tables[k.Name].rows[id]
	if !ok {
		return nil, resources.ErrNotFound
	}
	return k.Clone(row), nil
}

// List returns copies of committed rows in order of ID.
func (s *Store) List(ctx context.Context, k *resources.Info, q resources.Query) ([]any, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	match := matcher(k, q)
	s.mu.RLock()
	defer s.mu.RUnlock()
	page := s.tables[k.Name].page(q, match)
	for i, row := range page {
		page[i] = k.Clone(row)
	}
	return page, nil
}

// CountStates counts committed rows by state.
func (s *Store) CountStates(ctx context.Context, k *resources.Info) (map[fsm.State]int64, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	counts := map[fsm.State]int64{}
	for _, row := range s.tables[k.Name].rows {
		counts[resources.ObjectOf(row).State]++
	}
	return counts, nil
}

// matcher compiles the conditions of a query, except for After and Limit.
func matcher(k *resources.Info, q resources.Query) func(row any) bool {
	fields := make([]resources.Field, 0, len(q.Where))
	for name := range q.Where {
		if f, ok := k.Field(name); ok {
			fields = append(fields, f)
		}
	}
	return func(row any) bool {
		o := resources.ObjectOf(row)
		if q.Tenant != "" && o.Tenant != q.Tenant || len(q.States) > 0 && !slices.Contains(q.States, o.State) {
			return false
		}
		for _, f := range fields {
			if !equals(reflect.ValueOf(row).Elem().FieldByIndex(f.Index).Interface(), q.Where[f.Name]) {
				return false
			}
		}
		return true
	}
}

// equals compares a field with a value, or with any of several.
func equals(field, want any) bool {
	if list, ok := want.([]any); ok {
		return slices.ContainsFunc(list, func(one any) bool { return equals(field, one) })
	}
	if at, ok := field.(time.Time); ok {
		t, ok := want.(time.Time)
		return ok && at.Equal(t)
	}
	return field == want
}

var _ resources.Store = (*Store)(nil)
