package gormstore

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
)

// conditions collects the terms of a WHERE clause.
type conditions struct {
	terms []string
	args  []any
}

func (c *conditions) add(term string, args ...any) {
	c.terms = append(c.terms, term)
	c.args = append(c.args, args...)
}

// in adds "column is one of values"; nothing is one of none.
func (c *conditions) in(column string, values []any) {
	if len(values) == 0 {
		c.add("1 = 0")
		return
	}
	c.add(column+" IN (?"+strings.Repeat(", ?", len(values)-1)+")", values...)
}

// List returns up to q.Limit objects in order of ID.
func (s *Store) List(ctx context.Context, k *resources.Info, q resources.Query) ([]any, error) {
	t, err := s.table(k)
	if err != nil {
		return nil, err
	}
	text, args, err := t.listText(q)
	if err != nil {
		return nil, err
	}
	return s.selectObjects(ctx, s.read, t, text, args...)
}

// querier is the read pool, or a member's connection.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func (s *Store) selectObjects(ctx context.Context, from querier, t *table, text string, args ...any) ([]any, error) {
	rows, err := from.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("gormstore: list %s: %w", t.kind.Name, s.explain(err))
	}
	defer func() { _ = rows.Close() }()
	var all []any
	for rows.Next() {
		obj, err := t.scan(ctx, rows.Scan)
		if err != nil {
			return nil, fmt.Errorf("gormstore: list %s: %w", t.kind.Name, s.explain(err))
		}
		all = append(all, obj)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("gormstore: list %s: %w", t.kind.Name, s.explain(err))
	}
	return all, nil
}

func (t *table) listText(q resources.Query) (string, []any, error) {
	var c conditions
	if q.After != "" {
		c.add("id > ?", q.After)
	}
	if q.Tenant != "" {
		c.add("tenant = ?", q.Tenant)
	}
	if len(q.States) > 0 {
		values := make([]any, len(q.States))
		for i, s := range q.States {
			values[i] = string(s)
		}
		c.in("state", values)
	}
	for field, want := range q.Where {
		if err := t.where(&c, field, want); err != nil {
			return "", nil, err
		}
	}
	text := t.list
	if len(c.terms) > 0 {
		text += " WHERE " + strings.Join(c.terms, " AND ")
	}
	if q.Limit <= 0 {
		q.Limit = 100
	}
	return t.bind(text + " ORDER BY id LIMIT ?"), append(c.args, q.Limit), nil
}

// where adds one filter: a field equals a value, or one of a slice of them.
func (t *table) where(c *conditions, field string, want any) error {
	column, ok := t.byField[field]
	if !ok || column.kind == viaGorm && column.field.Serializer != nil {
		return &resources.UnknownError{What: "field of " + t.kind.Name, Name: field, Known: t.fields()}
	}
	values := []any{want}
	if v := reflect.ValueOf(want); v.Kind() == reflect.Slice && v.Type().Elem().Kind() != reflect.Uint8 {
		values = make([]any, v.Len())
		for i := range values {
			values[i] = v.Index(i).Interface()
		}
	}
	for i, v := range values {
		if at, ok := v.(time.Time); ok && column.kind == instant {
			ns, err := journal.Nanoseconds(at)
			if err != nil {
				return err
			}
			values[i] = ns
		}
	}
	c.in(t.quote(column.field.DBName), values)
	return nil
}

func (t *table) fields() []string {
	var names []string
	for name, c := range t.byField {
		if c.kind != viaGorm || c.field.Serializer == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// CountStates counts rows by state.
func (s *Store) CountStates(ctx context.Context, k *resources.Info) (map[fsm.State]int64, error) {
	t, err := s.table(k)
	if err != nil {
		return nil, err
	}
	rows, err := s.read.QueryContext(ctx, t.count)
	if err != nil {
		return nil, fmt.Errorf("gormstore: count %s: %w", k.Name, s.explain(err))
	}
	defer func() { _ = rows.Close() }()
	counts := make(map[fsm.State]int64)
	for rows.Next() {
		var state fsm.State
		var n int64
		if err := rows.Scan(&state, &n); err != nil {
			return nil, fmt.Errorf("gormstore: count %s: %w", k.Name, s.explain(err))
		}
		counts[state] = n
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("gormstore: count %s: %w", k.Name, s.explain(err))
	}
	return counts, nil
}

// States returns the states that rows are in. It asks the index on states for one after the other, so that it takes the same for a million rows.
func (s *Store) States(ctx context.Context, k *resources.Info) ([]fsm.State, error) {
	t, err := s.table(k)
	if err != nil {
		return nil, err
	}
	rows, err := s.read.QueryContext(ctx, t.states)
	if err != nil {
		return nil, fmt.Errorf("gormstore: states of %s: %w", k.Name, s.explain(err))
	}
	defer func() { _ = rows.Close() }()
	var all []fsm.State
	for rows.Next() {
		var state fsm.State
		if err := rows.Scan(&state); err != nil {
			return nil, fmt.Errorf("gormstore: states of %s: %w", k.Name, s.explain(err))
		}
		all = append(all, state)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("gormstore: states of %s: %w", k.Name, s.explain(err))
	}
	return all, nil
}

var _ resources.StateLister = (*Store)(nil)
