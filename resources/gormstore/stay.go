package gormstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
)

// stayTexts are the statements about how long resources are in a state. Each goes by the index on (state, state_since), or by that of reports.
type stayTexts struct {
	unreported, again, next, page, pageAfter string
	remove, unreport, report, forget         string
}

func (t *table) writeStays() stayTexts {
	name := t.quote(t.name)
	columns := make([]string, len(t.columns))
	for i, c := range t.columns {
		columns[i] = name + "." + t.quote(c.field.DBName)
	}
	all := "SELECT " + strings.Join(columns, ", ") + " FROM "
	from := all + name
	same := "r.resource_id = " + name + ".id AND r.state = " + name + ".state AND r.operation = " + name + ".operation"
	return stayTexts{
		unreported: t.bind(from + " WHERE state = ? AND state_since <= ? AND NOT EXISTS (SELECT 1 FROM resources_stuck r WHERE r.kind = ? AND " + same + ") " +
			"ORDER BY state_since LIMIT ?"),
		again: t.bind(all + "resources_stuck r JOIN " + name + " ON " + same + " WHERE r.kind = ? AND r.state = ? AND r.reported_at <= ? ORDER BY r.reported_at LIMIT ?"),
		next: t.bind("SELECT (SELECT min(state_since) FROM " + name + " WHERE state = ? AND state_since > ?), " +
			"(SELECT min(reported_at) FROM resources_stuck WHERE kind = ? AND state = ? AND reported_at > ?)"),
		page:      t.bind(from + " WHERE state = ? AND state_since <= ? ORDER BY state_since, id LIMIT ?"),
		pageAfter: t.bind(from + " WHERE state = ? AND state_since <= ? AND state_since >= ? AND (state_since > ? OR id > ?) ORDER BY state_since, id LIMIT ?"),
		remove:    t.bind("DELETE FROM " + name + " WHERE id = ? AND version = ?"),
		unreport:  t.bind("DELETE FROM resources_stuck WHERE kind = ? AND resource_id = ?"),
		report: t.bind("INSERT INTO resources_stuck (kind, resource_id, state, operation, reported_at, times) VALUES (?, ?, ?, ?, ?, 1) " +
			"ON CONFLICT (kind, resource_id) DO UPDATE SET state = excluded.state, operation = excluded.operation, reported_at = excluded.reported_at, " +
			"times = CASE WHEN resources_stuck.operation = excluded.operation AND resources_stuck.state = excluded.state THEN resources_stuck.times + 1 ELSE 1 END " +
			"WHERE resources_stuck.operation <> excluded.operation OR resources_stuck.state <> excluded.state OR resources_stuck.reported_at < excluded.reported_at " +
			"RETURNING times"),
		forget: t.bind("DELETE FROM resources_stuck WHERE kind = ? AND state = ? AND reported_at <= ? AND NOT EXISTS (SELECT 1 FROM " + name +
			" WHERE id = resource_id AND " + name + ".state = resources_stuck.state AND " + name + ".operation = resources_stuck.operation)"),
	}
}

// Overdue returns the resources whose stay in a state is to be reported: those that never were, then those that were long enough ago.
func (s *Store) Overdue(ctx context.Context, k *resources.Info, state fsm.State, until time.Time, n int) ([]any, error) {
	t, at, err := s.stayArgs(k, until)
	if err != nil {
		return nil, err
	}
	all, err := s.selectObjects(ctx, s.read, t, t.stays.unreported, string(state), at, k.Name, n)
	if err != nil || len(all) == n {
		return all, err
	}
	again, err := s.selectObjects(ctx, s.read, t, t.stays.again, k.Name, string(state), at, n-len(all))
	return append(all, again...), err
}

// NextStay returns the earliest time after a time at which a resource came into a state, or was reported to be in it.
func (s *Store) NextStay(ctx context.Context, k *resources.Info, state fsm.State, after time.Time) (time.Time, error) {
	t, at, err := s.stayArgs(k, after)
	if err != nil {
		return time.Time{}, err
	}
	var since, reported sql.NullInt64
	err = s.read.QueryRowContext(ctx, t.stays.next, string(state), at, k.Name, string(state), at).Scan(&since, &reported)
	if err != nil {
		return time.Time{}, fmt.Errorf("gormstore: %s that are %s: %w", k.Name, state, s.explain(err))
	}
	if !since.Valid || reported.Valid && reported.Int64 < since.Int64 {
		since = reported
	}
	return journal.TimeOf(since.Int64), nil // 0 if there is none
}

// Stays returns resources that are in a state, those that are for longest first.
func (s *Store) Stays(ctx context.Context, k *resources.Info, q resources.StayQuery) ([]any, error) {
	t, until, err := s.stayArgs(k, q.Until)
	if err != nil {
		return nil, err
	}
	if q.After == nil {
		return s.selectObjects(ctx, s.read, t, t.stays.page, string(q.State), until, q.Limit)
	}
	after, err := journal.Nanoseconds(q.After.StateSince)
	if err != nil {
		return nil, err
	}
	return s.selectObjects(ctx, s.read, t, t.stays.pageAfter, string(q.State), until, after, after, q.After.ID, q.Limit)
}

func (s *Store) stayArgs(k *resources.Info, at time.Time) (*table, int64, error) {
	t, err := s.table(k)
	if err != nil {
		return nil, 0, err
	}
	ns, err := journal.Nanoseconds(at)
	return t, ns, err
}

func (t *transaction) Delete(k *resources.Info, id string, version uint64) error {
	table, err := t.store.table(k)
	if err != nil {
		return err
	}
	res, err := t.tx.Exec(table.stays.remove, id, version)
	if err != nil {
		return fmt.Errorf("gormstore: delete %s/%s: %w", k.Name, id, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, fmt.Errorf("%w: %s/%s is no longer at version %d", resources.ErrConflict, k.Name, id, version))
	}
	if _, err := t.tx.Exec(table.stays.unreport, k.Name, id); err != nil {
		return fmt.Errorf("gormstore: delete %s/%s: %w", k.Name, id, err)
	}
	return nil
}

func (t *transaction) Report(k *resources.Info, obj any, at time.Time) (times int, err error) {
	table, ns, err := t.store.stayArgs(k, at)
	if err != nil {
		return 0, err
	}
	o := resources.ObjectOf(obj)
	err = t.tx.QueryRow(table.stays.report, []any{k.Name, o.ID, string(o.State), o.Operation.String(), ns}, &times)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("gormstore: report %s/%s: %w", k.Name, o.ID, err)
	}
	return times, nil
}

func (t *transaction) ForgetReports(k *resources.Info, state fsm.State, until time.Time) error {
	table, ns, err := t.store.stayArgs(k, until)
	if err != nil {
		return err
	}
	if _, err := t.tx.Exec(table.stays.forget, k.Name, string(state), ns); err != nil {
		return fmt.Errorf("gormstore: reports of %s that are %s: %w", k.Name, state, err)
	}
	return nil
}
