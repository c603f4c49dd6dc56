package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"gorm.io/gorm"
)

// Tx is a member's view of the transaction. It is valid until the member returns; after that all it does is refused with ErrMemberEnded
// (or ErrMemberTooLong). The transaction begins with the first statement.
type Tx struct {
	j   *Journal
	ctx context.Context

	mu     sync.Mutex // held during each statement
	ended  error      // why the transaction can't be used any more
	begun  bool
	unsure bool  // the transaction may end without our seeing it: ask before each statement
	lost   error // the database ended the transaction by itself
	rows   []*sql.Rows
	forget []context.CancelFunc // close what QueryRowContext returned
	staged []bus.Record
	limit  *time.Timer
	db     *gorm.DB
}

// Context is the caller's, marked: what would wait for the writer returns ErrInWriter.
func (t *Tx) Context() context.Context { return t.ctx }

// DB is gorm on the member's transaction. A nested Transaction is a savepoint; Commit and Rollback are errors: the member's return decides.
// Contexts that are given to it end no statement.
func (t *Tx) DB() *gorm.DB {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.db == nil {
		t.db = t.j.write.Session(&gorm.Session{NewDB: true, SkipDefaultTransaction: true, Context: t.ctx})
		pool := &memberPool{t}
		t.db.Config.ConnPool, t.db.Statement.ConnPool = pool, pool
	}
	return t.db
}

// Append stages a recorded event; it exists when the member is committed, after those that were appended before it.
// The errors are those of the bus that encodes it, and ErrNotAttached without one.
func (t *Tx) Append(p bus.Payload, stamps ...bus.Stamp) (bus.ID, error) {
	a := t.j.attachment.Load()
	if a == nil {
		return bus.ID{}, ErrNotAttached
	}
	rec, err := a.Prepare(t.ctx, p, stamps...)
	if err != nil {
		return bus.ID{}, fmt.Errorf("journal: append: %w", err)
	}
	if _, err := Nanoseconds(rec.Time); err != nil {
		return bus.ID{}, fmt.Errorf("journal: append %s: time: %w", rec.Type, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended != nil {
		return bus.ID{}, t.ended
	}
	t.staged = append(t.staged, rec)
	return rec.ID, nil
}

// Exec runs a statement that is prepared at its first use and kept: for few, constant texts on hot paths.
// Placeholders are the database's own. Several statements in one text are refused: a driver may run the first alone.
func (t *Tx) Exec(query string, args ...any) (sql.Result, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.ready(); err != nil {
		return nil, err
	}
	return t.exec(query, args)
}

// QueryRow reads at most one row into dest, like Exec with a prepared statement; sql.ErrNoRows if there is none.
func (t *Tx) QueryRow(query string, args []any, dest ...any) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.ready(); err != nil {
		return err
	}
	return t.queryRow(query, args, dest)
}

func (t *Tx) exec(query string, args []any) (sql.Result, error) {
	if err := t.j.checkArguments(args); err != nil {
		return nil, err
	}
	s, err := t.j.line.prepared(query)
	if err != nil {
		return nil, t.check(err)
	}
	res, err := s.ExecContext(context.Background(), args...)
	return res, t.check(err)
}

func (t *Tx) queryRow(query string, args, dest []any) error {
	if err := t.j.checkArguments(args); err != nil {
		return err
	}
	s, err := t.j.line.prepared(query)
	if err != nil {
		return t.check(err)
	}
	return t.check(s.QueryRowContext(context.Background(), args...).Scan(dest...))
}

// ready begins the transaction at its first use and refuses statements that must not run.
func (t *Tx) ready() error {
	switch {
	case t.ended != nil:
		return t.ended
	case t.lost != nil:
		return t.lost
	case !t.begun:
		return t.begin()
	case t.unsure && !t.j.line.inTransaction():
		t.lost = ErrTransactionLost
		return t.lost
	}
	return nil
}

func (t *Tx) begin() error {
	if err := t.j.line.start(); err != nil {
		t.lost = err
		return err
	}
	t.begun = true
	return nil
}

// check asks after a failed statement whether the transaction still stands.
func (t *Tx) check(err error) error {
	if err == nil || errors.Is(err, sql.ErrNoRows) {
		return err
	}
	err = t.j.line.fail(err)
	if !t.j.line.inTransaction() {
		t.lost = fmt.Errorf("%w: %w", ErrTransactionLost, err)
		return t.lost
	}
	return err
}

// close ends the member for statements, waiting for one that runs; false: it had ended before.
func (t *Tx) close(why error) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended != nil {
		return false
	}
	t.ended = why
	return true
}

func (t *Tx) over() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ended != nil
}

// closeRows closes what the member left open, which would hold the write-ahead log back.
func (t *Tx) closeRows() {
	for _, r := range t.rows {
		_ = r.Close()
	}
	for _, forget := range t.forget {
		forget()
	}
	t.rows, t.forget = nil, nil
}
