package plugins

import (
	"context"
	"database/sql"

	"gorm.io/gorm"
	"gorm.io/gorm/callbacks"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"
	"gorm.io/gorm/migrator"
	"gorm.io/gorm/schema"
)

// nowhere returns a gorm.DB whose every operation fails with ErrNoDatabase.
func nowhere() *gorm.DB {
	db, _ := gorm.Open(noDialect{}, &gorm.Config{Logger: logger.Discard}) // fails only if Initialize does
	return db
}

// noDialect is the dialect of no database.
type noDialect struct{}

func (noDialect) Name() string { return "none" }

func (noDialect) Initialize(db *gorm.DB) error {
	callbacks.RegisterDefaultCallbacks(db, &callbacks.Config{})
	db.ConnPool = noPool{}
	return nil
}

func (d noDialect) Migrator(db *gorm.DB) gorm.Migrator {
	return migrator.Migrator{Config: migrator.Config{DB: db, Dialector: d}}
}
func (noDialect) DataTypeOf(*schema.Field) string                     { return "" }
func (noDialect) DefaultValueOf(*schema.Field) clause.Expression      { return clause.Expr{} }
func (noDialect) BindVarTo(w clause.Writer, _ *gorm.Statement, _ any) { _ = w.WriteByte('?') }
func (noDialect) QuoteTo(w clause.Writer, name string)                { _, _ = w.WriteString(name) }
func (noDialect) Explain(query string, _ ...any) string               { return query }

// noPool is the connection pool of no database.
type noPool struct{}

func (noPool) PrepareContext(context.Context, string) (*sql.Stmt, error) { return nil, ErrNoDatabase }
func (noPool) ExecContext(context.Context, string, ...any) (sql.Result, error) {
	return nil, ErrNoDatabase
}
func (noPool) QueryContext(context.Context, string, ...any) (*sql.Rows, error) {
	return nil, ErrNoDatabase
}
func (noPool) QueryRowContext(context.Context, string, ...any) *sql.Row {
	return failingRow(ErrNoDatabase)
}

func (noPool) BeginTx(context.Context, *sql.TxOptions) (gorm.ConnPool, error) {
	return nil, ErrNoDatabase
}
