package journal_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/mattn/go-sqlite3"
	gormsqlite "gorm.io/driver/sqlite"
	"gorm.io/gorm"
)

// flaky is a driver whose connection may break right after a COMMIT has been done.
type flaky struct {
	sqlite3.SQLiteDriver
	file   string
	breaks atomic.Bool  // at the next COMMIT
	ended  atomic.Int64 // statements that came with a context that had ended
	commit atomic.Int64 // transactions that were committed
}

func (f *flaky) Driver() driver.Driver { return f }

func (f *flaky) Connect(context.Context) (driver.Conn, error) {
	c, err := f.Open(f.file + "?_journal_mode=WAL")
	if err != nil {
		return nil, err
	}
	return &flakyConn{c.(*sqlite3.SQLiteConn), f}, nil
}

type flakyConn struct {
	*sqlite3.SQLiteConn
	driver *flaky
}

func (c *flakyConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	c.driver.look(ctx)
	res, err := c.SQLiteConn.ExecContext(ctx, query, args)
	if query == "COMMIT" && err == nil {
		c.driver.commit.Add(1)
	}
	if query == "COMMIT" && err == nil && c.driver.breaks.CompareAndSwap(true, false) {
		return nil, driver.ErrBadConn
	}
	return res, err
}

func (c *flakyConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.driver.look(ctx)
	return c.SQLiteConn.QueryContext(ctx, query, args)
}

func (f *flaky) look(ctx context.Context) {
	if ctx.Err() != nil {
		f.ended.Add(1)
	}
}

// openFlaky returns a journal whose connection can be broken.
func openFlaky(t *testing.T) (*journal.Journal, *flaky) {
	t.Helper()
	f := &flaky{file: filepath.Join(t.TempDir(), "cloud.db")}
	pool := func(connections int) *gorm.DB {
		db := sql.OpenDB(f)
		db.SetMaxOpenConns(connections)
		t.Cleanup(func() { _ = db.Close() })
		g, err := gorm.Open(gormsqlite.New(gormsqlite.Config{Conn: db}))
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	j, err := journal.Open(t.Context(), journal.Options{Write: pool(1), Read: pool(2)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close(context.Background()) })
	return j, f
}

func TestConnectionThatBreaksInCommit(t *testing.T) {
	j, f := openFlaky(t)
	exec(t, j, "CREATE TABLE things (k)")
	f.breaks.Store(true)
	err := j.Do(t.Context(), func(tx *journal.Tx) error { return insert(tx, "a") })
	if !errors.Is(err, journal.ErrOutcomeUnknown) {
		t.Errorf("got %v, want ErrOutcomeUnknown", err)
	}
	if err := j.Do(t.Context(), func(tx *journal.Tx) error { return insert(tx, "b") }); err != nil {
		t.Errorf("on the next connection: %v", err)
	}
}

// A batch that was committed though nobody said so isn't handed out again.
func TestSubscribeExactlyOnceWhenAnOutcomeIsUnknown(t *testing.T) {
	j, f := openFlaky(t)
	exec(t, j, "CREATE TABLE things (k)")
	b := bus.New(bus.Options{Journal: j})
	t.Cleanup(func() { _ = b.Close(context.Background()) })
	if err := bus.Register[note](b, "a.>", 1); err != nil {
		t.Fatal(err)
	}
	handled := make(chan string, 10)
	sub, err := journal.Subscribe(b.Client("test"), "counts", func(_ context.Context, tx *journal.Tx, batch []bus.Event[note]) error {
		for _, e := range batch {
			if err := insert(tx, e.Payload.Text); err != nil {
				return err
			}
			handled <- e.Payload.Text
		}
		f.breaks.Store(batch[0].Payload.Text == "first")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range []string{"first", "second"} {
		if err := appendNote(j, note{Type: "a.b", Text: text}); err != nil {
			t.Fatal(err)
		}
		if got := <-handled; got != text {
			t.Fatalf("handled %q, want %q", got, text)
		}
		for cursorAt(t, j, "counts") <= uint64(i) { // what is appended next shall not share the commit that breaks
			runtime.Gosched()
		}
	}
	sub.Close()
	<-sub.Done()
	if n := count(t, j, "things"); n != 2 {
		t.Errorf("%d rows of 2 events", n)
	}
}

// On SQLite a statement that is cancelled takes the transaction with it.
func TestNoStatementRunsWithACallersContext(t *testing.T) {
	j, f := openFlaky(t)
	exec(t, j, "CREATE TABLE things (k)")
	ctx, cancel := context.WithCancel(t.Context())
	err := j.Do(ctx, func(tx *journal.Tx) error {
		cancel()
		db := tx.DB().WithContext(ctx)
		var n, m int
		return errors.Join(
			db.Exec("INSERT INTO things VALUES ('a')").Error,
			db.Raw("SELECT count(*) FROM things").Scan(&n).Error,
			db.Raw("SELECT count(*) FROM things").Row().Scan(&m),
			insert(tx, "b"),
		)
	})
	if n := f.ended.Load(); err != nil || n != 0 || count(t, j, "things") != 2 {
		t.Errorf("%v; %d statements ran with the caller's context, %d rows", err, n, count(t, j, "things"))
	}
}
