package gormstore

import (
	"context"
	"fmt"

	"github.com/cloudbus-go/cloudbus/bus/journal"
)

// indexStays gives a table the index <table>_stay, by which resources are found that are in a state for long, unless a migration has.
func (s *Store) indexStays(ctx context.Context, t *table) error {
	name := t.name + "_stay"
	text := "SELECT count(*) FROM sqlite_master WHERE type = 'index' AND name = ?"
	if t.db.Name() == "postgres" {
		text = "SELECT count(*) FROM pg_indexes WHERE schemaname = current_schema() AND indexname = $1"
	}
	var there int
	if err := s.read.QueryRowContext(ctx, text, name).Scan(&there); err != nil {
		return fmt.Errorf("gormstore: kind %s: index %s: %w", t.kind.Name, name, s.explain(err))
	}
	if there > 0 {
		return nil
	}
	create := "CREATE INDEX IF NOT EXISTS " + t.quote(name) + " ON " + t.quote(t.name) + " (state, state_since)"
	err := s.journal.Do(ctx, func(tx *journal.Tx) error { return tx.DB().Exec(create).Error }, journal.Named("index "+name))
	if err != nil {
		return fmt.Errorf("gormstore: kind %s: index %s: %w", t.kind.Name, name, err)
	}
	return nil
}
