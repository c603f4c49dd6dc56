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

	w  *waiter
	fn func(*Tx) error

	mu      sync.Mutex // held during each statement
	ended   error      // why the transaction can't be used any more
	entered bool       // a statement has run
	saved   bool       // there is a savepoint to go back to
	changed bool       // a statement may have changed something
	unsure  bool       // the transaction may end without our seeing it: ask before each statement
	lost    error      // why nothing of the transaction can be committed
	rows    []*sql.Rows
	forget  []context.CancelFunc // close what QueryRowContext returned
	staged  []bus.Record
	db      *gorm.DB
}

// Context is the caller's, marked: what would wait for the writer returns ErrInWriter.
func (t *Tx) Context() context.Context { return t.ctx }

// TxOf returns the writer's transaction that carries a change, for packages that know no store: of a resources.Tx or StoreTx, whose store
// hands its values out, or of a *Tx itself; nil if the store keeps its rows elsewhere.
func TxOf(tx interface{ Value(key any) any }) *Tx {
	t, _ := tx.Value(txKey{}).(*Tx)
	return t
}

type txKey struct{}

// Value is how a store's own transaction, which stands on this one, hands it out; see TxOf.
func (t *Tx) Value(key any) any {
	if key == (txKey{}) {
		return t
	}
	return nil
}

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
	if err := t.stage(rec); err != nil {
		return bus.ID{}, err
	}
	return rec.ID, nil
}

// AppendRecord stages an event that was recorded elsewhere, header and data as they are; Seq and RecordedAt are this journal's. What is wrong with it is
// what bus.Record.Check says. It is for what carries events from one journal to another: what happens here is appended with Append.
func (t *Tx) AppendRecord(rec bus.Record) error {
	if err := rec.Check(); err != nil {
		return fmt.Errorf("journal: append: %w", err)
	}
	rec.Seq, rec.RecordedAt, rec.Time = 0, time.Time{}, rec.Time.Round(0).UTC()
	return t.stage(rec)
}

func (t *Tx) stage(rec bus.Record) error {
	if _, err := Nanoseconds(rec.Time); err != nil {
		return fmt.Errorf("journal: append %s: time: %w", rec.Type, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended != nil {
		return t.ended
	}
	t.staged = append(t.staged, rec)
	return nil
}

// Exec runs a statement that is prepared at its first use and kept: for few, constant texts on hot paths.
// Placeholders are the database's own. Several statements in one text are refused: a driver may run the first alone.
func (t *Tx) Exec(query string, args ...any) (sql.Result, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.ready(); err != nil {
		return nil, err
	}
	if err := t.j.checkArguments(args); err != nil {
		return nil, err
	}
	res, s, err := t.j.line.exec(query, args)
	t.note(s, res, err)
	return res, t.check(err)
}

// QueryRow reads at most one row into dest, like Exec with a prepared statement; sql.ErrNoRows if there is none.
func (t *Tx) QueryRow(query string, args []any, dest ...any) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.ready(); err != nil {
		return err
	}
	if err := t.j.checkArguments(args); err != nil {
		return err
	}
	s, err := t.j.line.queryRow(query, args, dest)
	t.note(s, nil, err)
	return t.check(err)
}

// note remembers whether a statement may have changed something. SQLite is taken at its word that an UPDATE or DELETE has found no row;
// elsewhere it may have triggers all the same, and a SELECT call functions.
func (t *Tx) note(s statement, res sql.Result, err error) {
	switch {
	case t.changed, s.reads && !t.j.line.aborts:
		return
	case err == nil && res != nil && s.narrow && !t.j.line.aborts:
		n, err := res.RowsAffected()
		t.changed = err != nil || n > 0
	default:
		t.changed = true
	}
}

// ready enters the transaction at its first use and refuses statements that must not run.
func (t *Tx) ready() error {
	switch {
	case t.ended != nil:
		return t.ended
	case t.lost != nil:
		return t.lost
	case !t.entered:
		return t.enter()
	case t.unsure && !t.j.line.inTransaction():
		t.lost = ErrTransactionLost
		return t.lost
	}
	return nil
}

// spoilt: a statement has failed on a database that then takes nothing but the rollback to a savepoint, or of all.
func (t *Tx) spoilt() bool {
	return t.ended == nil && t.entered && t.j.line.aborts && !t.j.line.broken && !t.j.line.inTransaction()
}

// mend takes note that a savepoint was gone back to.
func (t *Tx) mend() {
	if t.lost != nil && t.j.line.inTransaction() {
		t.lost = nil
	}
}

// enter begins the transaction, or a part of it that can be undone if a member of the group has failed lately.
func (t *Tx) enter() error {
	j := t.j
	switch {
	case !j.group.begun:
		t.lost = j.open()
	case j.careful > 0:
		j.careful--
		t.saved = true
		t.lost = j.line.save()
	}
	t.entered = t.lost == nil || t.saved
	return t.lost
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

// sound says why a member whose function is content can't be committed all the same.
func (t *Tx) sound() error {
	if t.lost == nil && t.unsure && !t.j.line.inTransaction() {
		t.lost = ErrTransactionLost
	}
	if t.lost == nil && t.saved {
		t.lost = t.j.line.release()
	}
	return t.lost
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
