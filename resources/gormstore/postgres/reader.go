package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// reader is the pool of connections that read.
func reader(config *pgx.ConnConfig, o Options) *sql.DB {
	c := config.Copy()
	set(c, "default_transaction_read_only", "on")
	db := sql.OpenDB(readConnector{stdlib.GetConnector(*c)})
	db.SetMaxOpenConns(o.Readers)
	db.SetMaxIdleConns(o.Readers)
	return db
}

// readConnector makes connections whose queries database/sql may try again on another one: they only read. So a restart of the database,
// or a table that another server's migration has changed under a prepared statement, isn't seen by who reads.
type readConnector struct{ driver.Connector }

func (c readConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return readConn{conn.(*stdlib.Conn)}, nil
}

type readConn struct{ *stdlib.Conn }

func (c readConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	s, err := c.Conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, again(err)
	}
	return readStmt{s.(*stdlib.Stmt)}, nil
}

func (c readConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := c.Conn.QueryContext(ctx, query, args)
	return rows, again(err)
}

type readStmt struct{ *stdlib.Stmt }

func (s readStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := s.Stmt.QueryContext(ctx, args)
	return rows, again(err)
}

// again is driver.ErrBadConn where a new connection may help.
func again(err error) error {
	if err != nil && (errors.Is(classify(err), journal.ErrUnavailable) || isStalePlan(err)) {
		return driver.ErrBadConn
	}
	return err
}
