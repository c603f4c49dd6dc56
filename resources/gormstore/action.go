package gormstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources"
)

const actionColumns = "id, kind, verb, resource_id, tenant, actor, reason, correlation_id, owner, scheduled_at, started_at, started"

// actionTexts are the statements about open actions that members run.
type actionTexts struct{ insert, start, remove string }

func (s *Store) writeActions() actionTexts {
	marks := strings.TrimSuffix(strings.Repeat("?, ", strings.Count(actionColumns, ",")+1), ", ")
	return actionTexts{
		insert: bind(s.db, "INSERT INTO resources_actions ("+actionColumns+") VALUES ("+marks+")"),
		start:  bind(s.db, "UPDATE resources_actions SET owner = ?, started_at = ?, started = ? WHERE id = ? AND started = ''"),
		remove: bind(s.db, "DELETE FROM resources_actions WHERE id = ?"),
	}
}

// OwnActions returns the journal's presence: on a database that several servers share it is kept by a lease.
func (s *Store) OwnActions(ctx context.Context) (string, error) { return s.journal.Presence(ctx) }

// ActionsAbandonedAfter is the length of that lease.
func (s *Store) ActionsAbandonedAfter() time.Duration { return s.journal.PresenceLength() }

// Action returns an open action; resources.ErrNotFound.
func (s *Store) Action(ctx context.Context, id bus.ID) (resources.OpenAction, error) {
	var c conditions
	c.add("id = ?", id.String())
	found, err := s.openActions(ctx, &c, 1)
	if err == nil && len(found) == 0 {
		err = resources.ErrNotFound
	}
	if err != nil {
		return resources.OpenAction{}, err
	}
	return found[0], nil
}

// Actions returns up to q.Limit open actions in order of ID.
func (s *Store) Actions(ctx context.Context, q resources.ActionQuery) ([]resources.OpenAction, error) {
	var c conditions
	if !q.After.IsZero() {
		c.add("id > ?", q.After.String())
	}
	for _, f := range []struct{ column, want string }{
		{"kind", q.Kind}, {"verb", q.Verb}, {"resource_id", q.ResourceID}, {"tenant", q.Tenant}, {"actor", q.Actor},
	} {
		if f.want != "" {
			c.add(f.column+" = ?", f.want)
		}
	}
	return s.openActions(ctx, &c, q.Limit)
}

// AbandonedActions returns up to n open actions, in order of ID, whose owner is gone.
func (s *Store) AbandonedActions(ctx context.Context, n int) ([]resources.OpenAction, error) {
	owners, err := s.actionOwners(ctx)
	if err != nil {
		return nil, err
	}
	gone, err := s.journal.Absent(ctx, owners)
	if err != nil || len(gone) == 0 {
		return nil, err
	}
	names := make([]any, len(gone))
	for i, name := range gone {
		names[i] = name
	}
	var c conditions
	c.in("owner", names)
	return s.openActions(ctx, &c, n)
}

// actionOwners returns the owners of open actions, each once.
func (s *Store) actionOwners(ctx context.Context) (owners []string, err error) {
	rows, err := s.read.QueryContext(ctx, "SELECT DISTINCT owner FROM resources_actions")
	if err != nil {
		return nil, fmt.Errorf("gormstore: owners of actions: %w", s.explain(err))
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var owner string
		if err := rows.Scan(&owner); err != nil {
			return nil, fmt.Errorf("gormstore: owners of actions: %w", s.explain(err))
		}
		owners = append(owners, owner)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("gormstore: owners of actions: %w", s.explain(err))
	}
	return owners, nil
}

func (s *Store) openActions(ctx context.Context, c *conditions, limit int) ([]resources.OpenAction, error) {
	text := "SELECT " + actionColumns + " FROM resources_actions"
	if len(c.terms) > 0 {
		text += " WHERE " + strings.Join(c.terms, " AND ")
	}
	rows, err := s.read.QueryContext(ctx, bind(s.db, text+" ORDER BY id LIMIT ?"), append(c.args, limit)...)
	if err != nil {
		return nil, fmt.Errorf("gormstore: open actions: %w", s.explain(err))
	}
	defer func() { _ = rows.Close() }()
	var all []resources.OpenAction
	for rows.Next() {
		a, err := scanAction(rows)
		if err != nil {
			return nil, fmt.Errorf("gormstore: open actions: %w", s.explain(err))
		}
		all = append(all, a)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("gormstore: open actions: %w", s.explain(err))
	}
	return all, nil
}

func scanAction(rows *sql.Rows) (a resources.OpenAction, err error) {
	err = rows.Scan(&a.ID, &a.Kind, &a.Verb, &a.ResourceID, &a.Tenant, &a.Actor, &a.Reason, &a.CorrelationID, &a.Owner,
		(*nanoScanner)(&a.ScheduledAt), (*nanoScanner)(&a.StartedAt), &a.Started)
	return a, err
}

func (t *transaction) InsertAction(a resources.OpenAction) error {
	if err := t.ownerThere(a.Owner); err != nil {
		return err
	}
	scheduled, err := journal.Nanoseconds(a.ScheduledAt)
	started, err2 := journal.Nanoseconds(a.StartedAt)
	if err := errors.Join(err, err2); err != nil {
		return fmt.Errorf("gormstore: open an action: %w", err)
	}
	_, err = t.tx.Exec(t.store.actions.insert, a.ID.String(), a.Kind, a.Verb, a.ResourceID, a.Tenant, a.Actor, a.Reason, a.CorrelationID, a.Owner,
		scheduled, started, a.Started.String())
	switch {
	case err == nil:
		return nil
	case t.store.isDuplicate(err):
		return fmt.Errorf("%w: action %s: %w", resources.ErrExists, a.ID, err)
	}
	return fmt.Errorf("gormstore: open an action: %w", err)
}

func (t *transaction) StartAction(a resources.OpenAction) error {
	if err := t.ownerThere(a.Owner); err != nil {
		return err
	}
	started, err := journal.Nanoseconds(a.StartedAt)
	if err != nil {
		return fmt.Errorf("gormstore: start an action: %w", err)
	}
	return t.oneAction("start", t.store.actions.start, a.Owner, started, a.Started.String(), a.ID.String())
}

func (t *transaction) DeleteAction(id bus.ID) error {
	return t.oneAction("close", t.store.actions.remove, id.String())
}

// oneAction runs a statement that changes one action, if it finds it.
func (t *transaction) oneAction(what, text string, args ...any) error {
	res, err := t.tx.Exec(text, args...)
	if err != nil {
		return fmt.Errorf("gormstore: %s an action: %w", what, err)
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		return resources.ErrNotFound
	}
	return err
}

// ownerThere makes sure that nobody takes a new action for abandoned.
func (t *transaction) ownerThere(owner string) error {
	gone, err := t.ActionOwnerGone(owner)
	if err != nil {
		return err
	}
	if gone {
		return fmt.Errorf("%w: the owner %q of an action is gone", resources.ErrConflict, owner)
	}
	return nil
}

func (t *transaction) ActionOwnerGone(owner string) (bool, error) {
	there, err := t.tx.Present(owner)
	if err != nil {
		return false, fmt.Errorf("gormstore: owner of an action: %w", err)
	}
	return !there, nil
}

var (
	_ resources.ActionStore = (*Store)(nil)
	_ resources.ActionTx    = (*transaction)(nil)
)
