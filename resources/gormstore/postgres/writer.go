package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// writers is more than the one connection that the writer keeps: migrations need two, and one that holds their lock; leases need one.
const writers = 4

// grace is how much later than the journal's own limit the database ends a transaction in which nothing happens.
const grace = 2 * time.Second

// writer is the pool of the connection that writes. A server that stops in the middle of a transaction holds rows, perhaps the order of commits:
// the database ends the session of one that is idle for longer than a member may take.
func writer(config *pgx.ConnConfig, o Options) *sql.DB {
	c := config.Copy()
	set(c, "lock_timeout", milliseconds(o.BusyTimeout))
	set(c, "idle_in_transaction_session_timeout", milliseconds(o.MemberLimit+grace))
	db := sql.OpenDB(writeConnector{stdlib.GetConnector(*c, stdlib.OptionAfterConnect(durable))})
	db.SetMaxOpenConns(writers)
	db.SetMaxIdleConns(2)
	return db
}

// durable makes COMMIT wait for the disk where the database's configuration doesn't. A DSN may say otherwise.
func durable(ctx context.Context, c *pgx.Conn) error {
	if _, ok := c.Config().RuntimeParams["synchronous_commit"]; ok {
		return nil
	}
	_, err := c.Exec(ctx, "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'")
	return err
}

// writeConnector makes connections that take a statement while the rows of another are being read, as members may on SQLite:
// rows are read to their end at once.
type writeConnector struct{ driver.Connector }

func (c writeConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return writeConn{conn.(*stdlib.Conn)}, nil
}

type writeConn struct{ *stdlib.Conn }

func (c writeConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	s, err := c.Conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return writeStmt{s.(*stdlib.Stmt)}, nil
}

func (c writeConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return readAll(c.Conn.QueryContext(ctx, query, args))
}

type writeStmt struct{ *stdlib.Stmt }

func (s writeStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return readAll(s.Stmt.QueryContext(ctx, args))
}

// allRows are rows that have been read.
type allRows struct {
	*stdlib.Rows // closed: what it knows of the columns
	values       [][]driver.Value
}

func readAll(rows driver.Rows, err error) (driver.Rows, error) {
	if err != nil {
		return nil, err
	}
	all := &allRows{Rows: rows.(*stdlib.Rows)}
	columns := len(rows.Columns())
	for {
		row := make([]driver.Value, columns)
		err := rows.Next(row)
		if errors.Is(err, io.EOF) {
			return all, rows.Close()
		}
		if err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		for i, v := range row {
			if b, ok := v.([]byte); ok {
				row[i] = slices.Clone(b) // the driver's until the next row
			}
		}
		all.values = append(all.values, row)
	}
}

func (r *allRows) Close() error { return nil }

func (r *allRows) Next(dest []driver.Value) error {
	if len(r.values) == 0 {
		return io.EOF
	}
	copy(dest, r.values[0])
	r.values = r.values[1:]
	return nil
}

// inTransaction reports whether statements can still be committed: after one that failed PostgreSQL only takes a rollback.
func inTransaction(driverConn any) bool {
	c, ok := driverConn.(writeConn)
	return ok && !c.Conn.Conn().IsClosed() && c.Conn.Conn().PgConn().TxStatus() == 'T'
}
