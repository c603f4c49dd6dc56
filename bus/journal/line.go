package journal

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
)

// maxStatements bounds the prepared statements that a line keeps.
const maxStatements = 512

// line is the writer's own connection with its prepared statements. Whoever has the turn uses it, nobody else.
// No statement on it runs with a caller's context.
type line struct {
	db         *sql.DB
	begin      string
	lexer      lexer
	aborts     bool // a transaction in which a statement failed can't be used, but is still to be rolled back
	classify   func(error) error
	standing   func(driverConn any) bool
	conn       *sql.Conn
	statements map[string]*prepared
	broken     bool // the connection must not be used again
}

func (l *line) open() error {
	if l.conn != nil && !l.broken {
		return nil
	}
	l.close()
	conn, err := l.db.Conn(context.Background())
	if err != nil {
		return l.fail(err)
	}
	l.conn, l.statements, l.broken = conn, make(map[string]*prepared), false
	return nil
}

// close gives the connection back to its pool, or throws it away if it is broken.
func (l *line) close() {
	if l.conn == nil {
		return
	}
	for _, s := range l.statements {
		_ = s.Close()
	}
	if l.broken {
		_ = l.conn.Raw(func(any) error { return driver.ErrBadConn })
	}
	_ = l.conn.Close()
	l.conn, l.statements = nil, nil
}

// start begins a transaction, on a new connection if the old one is gone.
func (l *line) start() error {
	for try := 0; ; try++ {
		if err := l.open(); err != nil {
			return err
		}
		_, err := l.conn.ExecContext(context.Background(), l.begin)
		if err == nil {
			return nil
		}
		err = l.fail(err)
		if !l.broken || try > 0 {
			return fmt.Errorf("journal: begin: %w", err)
		}
	}
}

// commit ends the transaction. What it says about ErrOutcomeUnknown aside, an error means that nothing was committed.
func (l *line) commit() error {
	if !l.inTransaction() { // PostgreSQL would roll back and call it a success
		l.rollback()
		return fmt.Errorf("journal: commit: %w", ErrTransactionLost)
	}
	_, err := l.conn.ExecContext(context.Background(), "COMMIT")
	if err == nil {
		return nil
	}
	err = l.fail(err)
	if l.broken {
		return fmt.Errorf("%w: %w", ErrOutcomeUnknown, err)
	}
	l.rollback()
	return fmt.Errorf("journal: commit: %w", err)
}

// rollback ends the transaction if there still is one; a connection on which that fails is thrown away, which ends it too.
func (l *line) rollback() {
	if l.broken || !l.aborts && !l.inTransaction() {
		return
	}
	if _, err := l.conn.ExecContext(context.Background(), "ROLLBACK"); err != nil {
		l.broken = true
	}
}

// inTransaction asks the driver whether the transaction still stands.
func (l *line) inTransaction() bool {
	stands := true
	err := l.conn.Raw(func(c any) error {
		stands = l.standing(c)
		return nil
	})
	if err != nil {
		l.broken = true
	}
	return err == nil && stands
}

// lost reports, when a transaction can't be committed any more, whether the database has ended it by itself. If not, a statement that failed has spoilt it.
func (l *line) lost() bool { return !l.aborts || l.broken }

// Savepoints of members, of which there is one at a time.

func (l *line) save() error    { return l.run("SAVEPOINT cloudbus_member") }
func (l *line) release() error { return l.run("RELEASE SAVEPOINT cloudbus_member") }

// undo goes back to the savepoint, and reports whether the transaction stands.
func (l *line) undo() bool {
	return l.run("ROLLBACK TO SAVEPOINT cloudbus_member") == nil && l.release() == nil && l.inTransaction()
}

func (l *line) run(query string) error {
	_, _, err := l.exec(query, nil)
	return l.failed("savepoint", err)
}

// failed says of a statement of the writer's own what went wrong, and whether it was the end of the transaction.
func (l *line) failed(what string, err error) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("journal: %s: %w", what, l.fail(err))
	if !l.inTransaction() {
		err = fmt.Errorf("%w: %w", ErrTransactionLost, err)
	}
	return err
}

// prepared is a statement that is ready to run.
type prepared struct {
	*sql.Stmt
	statement
}

func (l *line) exec(query string, args []any) (sql.Result, statement, error) {
	s, err := l.prepare(query)
	if err != nil {
		return nil, statement{}, err
	}
	res, err := s.ExecContext(context.Background(), args...)
	return res, s.statement, err
}

func (l *line) queryRow(query string, args, dest []any) (statement, error) {
	s, err := l.prepare(query)
	if err != nil {
		return statement{}, err
	}
	return s.statement, s.QueryRowContext(context.Background(), args...).Scan(dest...)
}

// prepare returns the statement for a query, preparing it at its first use.
func (l *line) prepare(query string) (*prepared, error) {
	if s, ok := l.statements[query]; ok {
		return s, nil
	}
	parsed := parseStatement(query, l.lexer)
	switch {
	case parsed.ends:
		return nil, errCommit
	case parsed.count > 1:
		return nil, errSeveral // the driver would run the first and ignore the others
	}
	if len(l.statements) >= maxStatements {
		for old, s := range l.statements {
			_ = s.Close()
			delete(l.statements, old)
			break
		}
	}
	stmt, err := l.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	s := &prepared{stmt, parsed}
	l.statements[query] = s
	return s, nil
}

// fail classifies an error and notes when the connection is gone.
func (l *line) fail(err error) error {
	err = l.classify(err)
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) {
		l.broken = true
	}
	return err
}
