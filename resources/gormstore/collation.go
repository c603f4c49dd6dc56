package gormstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/cloudbus-go/cloudbus/bus/journal"
)

// orderByBytes makes a table order ids by their bytes, as pages go. On SQLite it does; on PostgreSQL a column has the database's collation
// unless its migration says otherwise, and migrations that run on both can't. It changes the column once in the table's life.
func (s *Store) orderByBytes(ctx context.Context, t *table) error {
	if t.db.Name() != "postgres" {
		return nil
	}
	var collation, kind string
	err := s.read.QueryRowContext(ctx, `SELECT c.collname, format_type(a.atttypid, a.atttypmod)
		FROM pg_attribute a JOIN pg_collation c ON c.oid = a.attcollation WHERE a.attrelid = to_regclass($1) AND a.attname = 'id'`, t.quote(t.name)).
		Scan(&collation, &kind)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // no such table or column, as check says
	}
	if err != nil {
		return fmt.Errorf("gormstore: kind %s: the collation of %s.id: %w", t.kind.Name, t.name, s.explain(err))
	}
	if collation == "C" {
		return nil
	}
	alter := "ALTER TABLE " + t.quote(t.name) + " ALTER COLUMN id TYPE " + kind + ` COLLATE "C"`
	if err := s.journal.Do(ctx, func(tx *journal.Tx) error { return tx.DB().Exec(alter).Error }); err != nil {
		return fmt.Errorf("gormstore: kind %s: order of ids: %w", t.kind.Name, err)
	}
	return nil
}
