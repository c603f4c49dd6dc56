package gormstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
	"gorm.io/gorm"
)

// DB returns gorm on the transaction that carries a change; nil if tx, a resources.Tx or StoreTx, isn't of this package's store.
func DB(tx interface{ Value(key any) any }) *gorm.DB {
	if t := Tx(tx); t != nil {
		return t.DB()
	}
	return nil
}

// Tx returns the writer's transaction that carries a change; nil if tx, a resources.Tx or StoreTx, isn't of this package's store.
func Tx(tx interface{ Value(key any) any }) *journal.Tx { return journal.TxOf(tx) }

// transaction is one member of the writer as the engine sees it.
type transaction struct {
	store *Store
	tx    *journal.Tx
	ctx   context.Context
}

func (s *Store) enter(tx *journal.Tx) *transaction {
	return &transaction{store: s, tx: tx, ctx: context.WithoutCancel(tx.Context())}
}

// Context doesn't end with the caller's: who only stopped waiting stops no listener.
func (t *transaction) Context() context.Context { return t.ctx }

func (t *transaction) Append(p bus.Payload, stamps ...bus.Stamp) (bus.ID, error) {
	return t.tx.Append(p, stamps...)
}

func (t *transaction) Value(key any) any { return t.tx.Value(key) }

func (t *transaction) Load(k *resources.Info, id string) (any, error) {
	table, err := t.store.table(k)
	if err != nil {
		return nil, err
	}
	obj, err := table.scan(t.Context(), func(dest ...any) error { return t.tx.QueryRow(table.lock, []any{id}, dest...) })
	if err != nil {
		return nil, table.notFound(id, err)
	}
	return obj, nil
}

func (t *transaction) State(k *resources.Info, id string) (state fsm.State, err error) {
	table, err := t.store.table(k)
	if err != nil {
		return "", err
	}
	if err := t.tx.QueryRow(table.state, []any{id}, &state); err != nil {
		return "", table.notFound(id, err)
	}
	return state, nil
}

// List reads on the writer's connection, which sees what the member has written.
func (t *transaction) List(k *resources.Info, q resources.Query) ([]any, error) {
	table, err := t.store.table(k)
	if err != nil {
		return nil, err
	}
	text, args, err := table.listText(q)
	if err != nil {
		return nil, err
	}
	return t.store.selectObjects(t.Context(), t.tx.DB().Statement.ConnPool, table, text, args...)
}

func (t *transaction) Insert(k *resources.Info, obj any) error {
	table, err := t.store.table(k)
	if err != nil {
		return err
	}
	id := resources.ObjectOf(obj).ID
	args, err := table.values(t.Context(), obj)
	if err != nil {
		return fmt.Errorf("gormstore: insert %s/%s: %w", k.Name, id, err)
	}
	res, err := t.tx.Exec(table.insert, args...)
	switch {
	case err == nil:
		return inserted(res, k, id)
	case t.store.isDuplicate(err):
		return fmt.Errorf("%w: %s/%s: %w", resources.ErrExists, k.Name, id, err)
	}
	return fmt.Errorf("gormstore: insert %s/%s: %w", k.Name, id, err)
}

// inserted knows by the count of rows that the id was taken.
func inserted(res sql.Result, k *resources.Info, id string) error {
	n, err := res.RowsAffected()
	if err != nil {
		return fmt.Errorf("gormstore: insert %s/%s: %w", k.Name, id, err)
	}
	if n == 0 {
		return fmt.Errorf("%w: %s/%s", resources.ErrExists, k.Name, id)
	}
	return nil
}

func (t *transaction) Update(k *resources.Info, obj any, version uint64) error {
	table, err := t.store.table(k)
	if err != nil {
		return err
	}
	id := resources.ObjectOf(obj).ID
	args, err := table.changes(t.Context(), obj, version)
	if err != nil {
		return fmt.Errorf("gormstore: update %s/%s: %w", k.Name, id, err)
	}
	res, err := t.tx.Exec(table.update, args...)
	if err != nil {
		return fmt.Errorf("gormstore: update %s/%s: %w", k.Name, id, err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return fmt.Errorf("gormstore: update %s/%s: %w", k.Name, id, err)
	}
	if n == 0 {
		return fmt.Errorf("%w: %s/%s is no longer at version %d", resources.ErrConflict, k.Name, id, version)
	}
	return nil
}

// isDuplicate asks the dialect whether an error is a violated unique constraint.
func (s *Store) isDuplicate(err error) bool {
	translator, ok := s.db.Dialector.(gorm.ErrorTranslator)
	if !ok {
		return false
	}
	return anyOf(err, func(err error) bool { return errors.Is(translator.Translate(err), gorm.ErrDuplicatedKey) })
}

// anyOf reports whether an error, or one that it wraps, is what is asked for.
func anyOf(err error, is func(error) bool) bool {
	switch e := err.(type) { //nolint:errorlint // the chain is walked here, step by step
	case nil:
		return false
	case interface{ Unwrap() []error }:
		return slices.ContainsFunc(e.Unwrap(), func(err error) bool { return anyOf(err, is) })
	default:
		return is(err) || anyOf(errors.Unwrap(err), is)
	}
}

var _ resources.StoreTx = (*transaction)(nil)
