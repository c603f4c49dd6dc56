package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/mattn/go-sqlite3"
)

// pagesAtOnce are copied between two looks at the context: a megabyte.
const pagesAtOnce = 256

// backup copies the database into an empty file, as it is now. One read transaction lasts from the first page to the last: without it SQLite would
// begin anew whenever the writer commits, and never end under load.
func (p *pools) backup(ctx context.Context, file string, progress func(done, total int)) (err error) {
	from, err := dial(p.source)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	if err := pin(from); err != nil {
		return err
	}
	to, err := dial(target(file))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	return copyPages(ctx, to, from, progress)
}

func copyPages(ctx context.Context, to, from *sqlite3.SQLiteConn, progress func(done, total int)) (err error) {
	b, err := to.Backup("main", from, "main")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		before := b.Remaining()
		done, err := b.Step(pagesAtOnce)
		if err != nil {
			return err
		}
		progress(b.PageCount()-b.Remaining(), b.PageCount())
		if done {
			return nil
		}
		if b.Remaining() == before && before > 0 { // a lock, which Step doesn't tell
			time.Sleep(time.Millisecond)
		}
	}
}

// target opens a file that nobody needs if its writing is cut short.
func target(file string) connector {
	return newConnector(file, 0, url.Values{"mode": {"rw"}}, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
}

func dial(c connector) (*sqlite3.SQLiteConn, error) {
	conn, err := c.Connect(context.Background())
	if err != nil {
		return nil, err
	}
	own, ok := conn.(*sqlite3.SQLiteConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the driver gave a %T", conn), conn.Close())
	}
	return own, nil
}

// pin begins a read transaction and reads, so that it stands.
func pin(conn *sqlite3.SQLiteConn) error {
	if _, err := conn.Exec("PRAGMA cache_size = -2048; BEGIN", nil); err != nil {
		return err
	}
	rows, err := conn.Query("SELECT count(*) FROM sqlite_master", nil)
	if err != nil {
		return err
	}
	err = rows.Next(make([]driver.Value, 1))
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return errors.Join(err, rows.Close())
}
