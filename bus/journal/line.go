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
	aborts     bool // a transaction in which a statement failed can't be used, but is still to be rolled back
	classify   func(error) error
	standing   func(driverConn any) bool
	conn       *sql.Conn
	statements map[string]*sql.Stmt
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
	l.conn, l.statements, l.broken = conn, make(map[string]*sql.Stmt), false
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

// prepared returns the statement for a query, preparing it at its first use.
func (l *line) prepared(query string) (*sql.Stmt, error) {
	if s, ok := l.statements[query]; ok {
		return s, nil
	}
	switch s := parseStatement(query); {
	case s.ends:
		return nil, errCommit
	case s.count > 1:
		return nil, errSeveral // the driver would run the first and ignore the others
	}
	if len(l.statements) >= maxStatements {
		for old, s := range l.statements {
			_ = s.Close()
			delete(l.statements, old)
			break
		}
	}
	s, err := l.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
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
