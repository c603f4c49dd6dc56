package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/mattn/go-sqlite3"
)

// connector opens connections to one file.
type connector struct {
	dsn    string
	driver *sqlite3.SQLiteDriver
}

func (c connector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.dsn) }
func (c connector) Driver() driver.Driver                        { return c.driver }

// Pragmas that every connection gets: a cache of 64 MiB, temporary tables in memory.
const common = "PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = ON"

// writer is the connection that writes. The last step of a checkpoint stays with it: left to another connection alone, the log never starts anew under load.
func writer(file string, busy time.Duration) connector {
	return newConnector(file, busy, url.Values{"mode": {"rwc"}, "_txlock": {"immediate"}},
		"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864; "+common)
}

func reader(file string, busy time.Duration) connector {
	return newConnector(file, busy, url.Values{"mode": {"rw"}}, common+"; PRAGMA query_only = ON")
}

func newConnector(file string, busy time.Duration, params url.Values, pragmas string) connector {
	params.Set("_busy_timeout", strconv.FormatInt(busy.Milliseconds(), 10))
	params.Set("_stmt_cache_size", "64")
	return connector{
		dsn: (&url.URL{Scheme: "file", Path: file, RawQuery: params.Encode()}).String(),
		driver: &sqlite3.SQLiteDriver{ConnectHook: func(c *sqlite3.SQLiteConn) error {
			_, err := c.Exec(pragmas, nil)
			return err
		}},
	}
}

// connect opens a pool whose connections stay open.
func connect(c connector, connections int) (*sql.DB, error) {
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	var mode string
	if err := db.QueryRow("PRAGMA journal_mode").Scan(&mode); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if !strings.EqualFold(mode, "wal") {
		return nil, errors.Join(fmt.Errorf("the file system doesn't allow a write-ahead log (journal mode is %s)", mode), db.Close())
	}
	return db, nil
}

// classify says in the journal's words what SQLite complains about.
func classify(err error) error {
	var e sqlite3.Error
	if !errors.As(err, &e) {
		return err
	}
	var kind error
	switch e.Code {
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		kind = journal.ErrBusy
	case sqlite3.ErrFull:
		kind = journal.ErrFull
	case sqlite3.ErrReadonly, sqlite3.ErrPerm:
		kind = journal.ErrReadOnly
	case sqlite3.ErrCorrupt, sqlite3.ErrNotADB:
		kind = journal.ErrCorrupt
	default:
		return err
	}
	if errors.Is(err, kind) {
		return err
	}
	return fmt.Errorf("%w: %w", kind, err)
}

// inTransaction asks SQLite itself, which ends transactions on a full disk, an I/O error or an interrupt.
func inTransaction(driverConn any) bool {
	c, ok := driverConn.(*sqlite3.SQLiteConn)
	return ok && !c.AutoCommit()
}
