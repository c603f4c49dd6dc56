package plugins

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"slices"
	"strings"

	"gorm.io/gorm"
)

// readOnly returns db on a pool that refuses to write. It sees what a statement begins with; what hides behind WITH is for the database, whose reading
// connections are read-only where it has such.
func readOnly(db *gorm.DB) *gorm.DB {
	s := db.Session(&gorm.Session{NewDB: true, Context: context.Background()})
	s.DisableNestedTransaction = true // savepoints are of no use to readers
	s.SkipDefaultTransaction = true
	s.Config.ConnPool = readPool{db.Statement.ConnPool}
	s.Statement.ConnPool = s.Config.ConnPool
	return s
}

// readPool is a gorm.ConnPool that only reads.
type readPool struct{ pool gorm.ConnPool }

var reading = []string{"SELECT", "WITH", "VALUES", "EXPLAIN"}

func reads(query string) bool {
	verb, _, _ := strings.Cut(strings.TrimLeft(query, " \t\r\n("), " ")
	verb, _, _ = strings.Cut(verb, "\n")
	return slices.Contains(reading, strings.ToUpper(strings.TrimSpace(verb)))
}

func (p readPool) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	if !reads(query) {
		return nil, ErrReadOnly
	}
	return p.pool.PrepareContext(ctx, query)
}

func (p readPool) ExecContext(context.Context, string, ...any) (sql.Result, error) {
	return nil, ErrReadOnly
}

func (p readPool) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if !reads(query) {
		return nil, ErrReadOnly
	}
	return p.pool.QueryContext(ctx, query, args...)
}

func (p readPool) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if !reads(query) {
		return failingRow(ErrReadOnly)
	}
	return p.pool.QueryRowContext(ctx, query, args...)
}

// oneState is what a transaction needs so that all its statements see the same: on PostgreSQL each would else see what is committed when it begins.
var oneState = sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}

// BeginTx begins a transaction that reads one state of the database.
func (p readPool) BeginTx(ctx context.Context, _ *sql.TxOptions) (gorm.ConnPool, error) {
	var tx gorm.ConnPool
	var err error
	switch pool := p.pool.(type) {
	case gorm.TxBeginner:
		tx, err = pool.BeginTx(ctx, &oneState)
	case gorm.ConnPoolBeginner:
		tx, err = pool.BeginTx(ctx, &oneState)
	default:
		err = gorm.ErrInvalidTransaction
	}
	if err != nil {
		return nil, err
	}
	return &readTx{readPool{tx}}, nil
}

// readTx is a transaction of a readPool; a pointer, because gorm asks whether it is nil.
type readTx struct{ readPool }

func (t *readTx) Commit() error   { return t.pool.(gorm.TxCommitter).Commit() }
func (t *readTx) Rollback() error { return t.pool.(gorm.TxCommitter).Rollback() }

// failingRow returns a row whose Scan returns err; database/sql has no other way to make one.
func failingRow(err error) *sql.Row {
	db := sql.OpenDB(failing{err})
	defer func() { _ = db.Close() }()
	return db.QueryRow("")
}

// failing is a driver.Connector that never connects.
type failing struct{ err error }

func (f failing) Connect(context.Context) (driver.Conn, error) { return nil, f.err }
func (f failing) Driver() driver.Driver                        { return f }
func (f failing) Open(string) (driver.Conn, error)             { return nil, f.err }
