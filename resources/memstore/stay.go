package memstore

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
)

// Overdue returns copies of the rows whose stay in a state is to be reported.
func (s *Store) Overdue(ctx context.Context, k *resources.Info, state fsm.State, until time.Time, n int) ([]any, error) {
	return s.stays(ctx, k, resources.StayQuery{State: state, Until: until, Limit: n}, func(t *table, o *resources.Object) bool {
		last := t.reported(o)
		return last.times == 0 || !last.at.After(until)
	})
}

// NextStay returns the earliest time after a time at which a row came into a state, or was reported to be in it.
func (s *Store) NextStay(ctx context.Context, k *resources.Info, state fsm.State, after time.Time) (next time.Time, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t := s.tables[k.Name]
	for id := range t.states[state] {
		o := resources.ObjectOf(t.rows[id])
		for _, at := range []time.Time{o.StateSince, t.reported(o).at} {
			if at.After(after) && (next.IsZero() || at.Before(next)) {
				next = at
			}
		}
	}
	return next, ctx.Err()
}

// Stays returns copies of the rows that are in a state, those that are for longest first.
func (s *Store) Stays(ctx context.Context, k *resources.Info, q resources.StayQuery) ([]any, error) {
	return s.stays(ctx, k, q, func(*table, *resources.Object) bool { return true })
}

func (s *Store) stays(ctx context.Context, k *resources.Info, q resources.StayQuery, match func(*table, *resources.Object) bool) ([]any, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t := s.tables[k.Name]
	var found []*resources.Object
	for id := range t.states[q.State] {
		o := resources.ObjectOf(t.rows[id])
		if !o.StateSince.After(q.Until) && (q.After == nil || byStay(o, q.After) > 0) && match(t, o) {
			found = append(found, o)
		}
	}
	slices.SortFunc(found, byStay)
	page := make([]any, 0, min(q.Limit, len(found)))
	for _, o := range found[:min(q.Limit, len(found))] {
		page = append(page, k.Clone(t.rows[o.ID]))
	}
	return page, ctx.Err()
}

func byStay(a, b *resources.Object) int {
	return cmp.Or(a.StateSince.Compare(b.StateSince), strings.Compare(a.ID, b.ID))
}

func (t *tx) Delete(k *resources.Info, id string, version uint64) error {
	at := key{k.Name, id}
	if t.over.Load() {
		return resources.ErrTxDone
	}
	row, ok := t.row(at)
	if !ok || resources.ObjectOf(row).Version != version {
		return resources.ErrConflict
	}
	t.write(at, nil)
	return nil
}

func (t *tx) Report(k *resources.Info, obj any, at time.Time) (times int, err error) {
	if t.over.Load() {
		return 0, resources.ErrTxDone
	}
	o := resources.ObjectOf(obj)
	last := t.reported(k, o)
	if last.times > 0 && !last.at.Before(at) {
		return 0, nil
	}
	if t.reports == nil {
		t.reports = map[key]report{}
	}
	t.reports[key{k.Name, o.ID}] = report{o.State, o.Operation, at, last.times + 1}
	return last.times + 1, nil
}

// reported is what the member sees.
func (t *tx) reported(k *resources.Info, o *resources.Object) report {
	if r, ok := t.reports[key{k.Name, o.ID}]; ok && r.state == o.State && r.operation == o.Operation {
		return r
	}
	t.store.mu.RLock()
	defer t.store.mu.RUnlock()
	return t.store.tables[k.Name].reported(o)
}

// ForgetReports does at once what others do at commit: what it forgets is over.
func (t *tx) ForgetReports(k *resources.Info, state fsm.State, until time.Time) error {
	if t.over.Load() {
		return resources.ErrTxDone
	}
	t.store.mu.Lock()
	defer t.store.mu.Unlock()
	table := t.store.tables[k.Name]
	for id, r := range table.reports {
		row, there := table.rows[id]
		if r.state == state && !r.at.After(until) && (!there || table.reported(resources.ObjectOf(row)).times == 0) {
			delete(table.reports, id)
		}
	}
	return nil
}
