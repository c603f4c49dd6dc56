package journal

import (
	"context"
	"database/sql"
	"errors"

	"gorm.io/gorm"
)

// memberPool stands between gorm and the writer's connection: it replaces contexts by the writer's own, refuses what would end the transaction,
// and everything after the member has ended.
type memberPool struct{ t *Tx }

var (
	errCommit  = errors.New("journal: a member is committed by returning nil and rolled back by returning an error")
	errSeveral = errors.New("journal: Exec and QueryRow take a single statement (DB takes several)")
	errPrepare = errors.New("journal: statements can't be prepared on a member's transaction, which ends before they do")
)

// Commit and Rollback are what tells gorm that it is in a transaction, so that nested ones become savepoints.

func (p *memberPool) Commit() error   { return errCommit }
func (p *memberPool) Rollback() error { return errCommit }

func (p *memberPool) PrepareContext(context.Context, string) (*sql.Stmt, error) {
	return nil, errPrepare
}

func (p *memberPool) ExecContext(_ context.Context, query string, args ...any) (sql.Result, error) {
	p.t.mu.Lock()
	defer p.t.mu.Unlock()
	s, err := p.ready(query, args)
	if err != nil {
		return nil, err
	}
	if !s.changes {
		p.t.unsure = true
	}
	res, err := p.t.j.line.conn.ExecContext(context.Background(), query, args...)
	p.t.note(s, res, err)
	if s.back && err == nil {
		p.t.mend()
	}
	return res, p.t.check(err)
}

func (p *memberPool) QueryContext(_ context.Context, query string, args ...any) (*sql.Rows, error) {
	p.t.mu.Lock()
	defer p.t.mu.Unlock()
	s, err := p.ready(query, args)
	if err != nil {
		return nil, err
	}
	p.t.unsure = true // errors of rows are seen by their reader alone
	p.t.note(s, nil, nil)
	rows, err := p.t.j.line.conn.QueryContext(context.Background(), query, args...)
	if err != nil {
		return nil, p.t.check(err)
	}
	p.t.rows = append(p.t.rows, rows)
	return rows, nil
}

func (p *memberPool) QueryRowContext(_ context.Context, query string, args ...any) *sql.Row {
	p.t.mu.Lock()
	defer p.t.mu.Unlock()
	s, err := p.ready(query, args)
	if err != nil {
		return p.t.j.readSQL.QueryRowContext(refused{context.Background(), err}, query)
	}
	p.t.unsure = true
	p.t.note(s, nil, nil)
	ctx, cancel := context.WithCancel(context.Background()) // a row that nobody scans can't be closed in another way
	p.t.forget = append(p.t.forget, cancel)
	return p.t.j.line.conn.QueryRowContext(ctx, query, args...)
}

func (p *memberPool) ready(query string, args []any) (statement, error) {
	s := parseStatement(query, p.t.j.line.lexer)
	if s.ends {
		return s, errCommit
	}
	if err := p.t.j.checkArguments(args); err != nil {
		return s, err
	}
	if s.back && p.t.spoilt() {
		return s, nil
	}
	return s, p.t.ready()
}

// refused is a context that has ended with an error of ours: the only way to a *sql.Row that carries one.
type refused struct {
	context.Context
	err error
}

var closedChan = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

func (r refused) Done() <-chan struct{} { return closedChan }
func (r refused) Err() error            { return r.err }

var (
	_ gorm.ConnPool    = (*memberPool)(nil)
	_ gorm.TxCommitter = (*memberPool)(nil)
)
