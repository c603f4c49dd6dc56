package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
	"github.com/mattn/go-sqlite3"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t testing.TB, path string) *gormstore.Store {
	t.Helper()
	s, err := sqlite.Open(path, sqlite.Options{BusyTimeout: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeStore(t, s) })
	return s
}

func closeStore(t testing.TB, s *gormstore.Store) {
	t.Helper()
	if err := s.Close(context.Background()); err != nil {
		t.Errorf("close: %v", err)
	}
}

func write(s *gormstore.Store, query string) error {
	return s.Writer().Do(context.Background(), func(tx *journal.Tx) error { return tx.DB().Exec(query).Error })
}

func TestPathsWithOddCharacters(t *testing.T) {
	for _, name := range []string{"plain.db", "with space.db", "what?.db", "sharp#.db", "100%25.db", "ünï&cödé=1.db", "semi;colon+plus.db"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), name)
			s := open(t, path)
			if err := write(s, "CREATE TABLE t (a)"); err != nil {
				t.Fatal(err)
			}
			closeStore(t, s)
			entries, err := os.ReadDir(filepath.Dir(path))
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, e := range entries {
				names = append(names, e.Name())
			}
			if len(names) != 2 || names[0] != name || names[1] != name+".lock" {
				t.Errorf("files %q, want the database and its lock", names)
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage.db")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("this is no database\n", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		path string
		want error
		text string
	}{
		"memory":            {path: ":memory:", text: "memstore"},
		"URI":               {path: "file:x.db?mode=memory", text: "memstore"},
		"empty":             {path: "", text: "empty"},
		"directory":         {path: dir, text: "is a directory"},
		"missing directory": {path: filepath.Join(dir, "no", "x.db"), want: fs.ErrNotExist},
		"not a database":    {path: garbage, want: journal.ErrCorrupt},
		"device":            {path: "/dev/null", text: "regular"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := sqlite.Open(c.path, sqlite.Options{})
			if err == nil {
				closeStore(t, s)
				t.Fatal("opened")
			}
			if c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("got %v", err)
			}
		})
	}
	if text, err := os.ReadFile(garbage); err != nil || !strings.HasPrefix(string(text), "this is no database") {
		t.Errorf("the file that is no database was changed (%v)", err)
	}
}

func TestSecondStoreIsRefusedByNameOfTheFirst(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cloud.db")
	first := open(t, path)
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{path, link} {
		_, err := sqlite.Open(p, sqlite.Options{})
		var inUse *sqlite.InUseError
		if !errors.As(err, &inUse) {
			t.Fatalf("%v, want an InUseError", err)
		}
		host, _ := os.Hostname()
		if inUse.PID != os.Getpid() || inUse.Host != host || time.Since(inUse.Since) > time.Minute || inUse.Path != path {
			t.Errorf("the holder is %+v", inUse)
		}
	}
	closeStore(t, first)
	open(t, path)
}

func TestFilesReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cloud.db")
	s := open(t, path)
	if err := write(s, "CREATE TABLE t (a)"); err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)
	if err := write(s, "DROP TABLE t"); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("a closed store: %v, want ErrClosed", err)
	}
	if err := write(open(t, path), "INSERT INTO t VALUES (1)"); err != nil {
		t.Error(err)
	}
}

func TestPragmas(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "cloud.db"))
	want := map[string]string{
		"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "wal_autocheckpoint": "4000", "cache_size": "-65536", "temp_store": "2",
		"journal_size_limit": "67108864", "busy_timeout": "20",
	}
	err := s.Writer().Do(t.Context(), func(tx *journal.Tx) error {
		for pragma, value := range want {
			var got string
			if err := tx.DB().Raw("PRAGMA " + pragma).Row().Scan(&got); err != nil || got != value {
				t.Errorf("%s is %s (%v), want %s", pragma, got, err, value)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Writer().DB().Exec("CREATE TABLE t (a)").Error; err == nil {
		t.Error("a reading connection wrote")
	}
	version, number, _ := sqlite3.Version()
	if number < 3051003 {
		t.Errorf("SQLite %s has the bug that corrupts a log that is reset", version)
	}
}

func TestLockedByAnotherConnection(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cloud.db")
	s := open(t, path)
	if err := write(s, "CREATE TABLE t (a)"); err != nil {
		t.Fatal(err)
	}
	other, err := sql.Open("sqlite3", path+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	tx, err := other.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if err := write(s, "INSERT INTO t VALUES (1)"); !errors.Is(err, journal.ErrBusy) {
		t.Errorf("%v, want ErrBusy", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := write(s, "INSERT INTO t VALUES (1)"); err != nil {
		t.Errorf("after the lock was given back: %v", err)
	}
}

func TestOpenOfALockedDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cloud.db")
	other, err := sql.Open("sqlite3", path+"?_txlock=exclusive")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	tx, err := other.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if s, err := sqlite.Open(path, sqlite.Options{BusyTimeout: time.Millisecond}); !errors.Is(err, journal.ErrBusy) {
		if err == nil {
			closeStore(t, s)
		}
		t.Errorf("%v, want ErrBusy", err)
	}
}

func TestFilesAreTheirOwnersAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cloud.db")
	s := open(t, path)
	if err := write(s, "CREATE TABLE t (a)"); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
		info, err := os.Stat(path + suffix)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v, want mode 0600", path+suffix, info, err)
		}
	}
}

func TestReadOnly(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "cloud.db"))
	if err := write(s, "CREATE TABLE t (a)"); err != nil {
		t.Fatal(err)
	}
	if err := write(s, "PRAGMA query_only = ON"); err != nil {
		t.Fatal(err)
	}
	var e sqlite3.Error
	if err := write(s, "INSERT INTO t VALUES (1)"); !errors.Is(err, journal.ErrReadOnly) || !errors.As(err, &e) {
		t.Errorf("%v, want ErrReadOnly with the driver's error", err)
	}
}

func TestFullDatabase(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "cloud.db"))
	if err := write(s, "CREATE TABLE t (a)"); err != nil {
		t.Fatal(err)
	}
	if err := write(s, "PRAGMA max_page_count = 1"); err != nil { // no growth beyond what it is
		t.Fatal(err)
	}
	fill := "INSERT INTO t VALUES (zeroblob(100000))"
	err := s.Writer().Do(t.Context(), func(tx *journal.Tx) error {
		if err := tx.DB().Exec("INSERT INTO t VALUES (1)").Error; err != nil {
			return err
		}
		if err := tx.DB().Exec(fill).Error; !errors.Is(err, journal.ErrFull) {
			t.Errorf("statement: %v, want ErrFull", err)
		}
		// The database has ended the transaction: what follows must not be committed by itself.
		if err := tx.DB().Exec("INSERT INTO t VALUES (2)").Error; !errors.Is(err, journal.ErrTransactionLost) {
			t.Errorf("a statement after it: %v, want ErrTransactionLost", err)
		}
		return nil // a handler that ignores errors
	})
	if !errors.Is(err, journal.ErrFull) || !errors.Is(err, journal.ErrTransactionLost) {
		t.Errorf("member: %v, want ErrFull and ErrTransactionLost", err)
	}
	var n int64
	if err := s.Writer().DB().Table("t").Count(&n).Error; err != nil || n != 0 {
		t.Errorf("%d rows (%v), want none", n, err)
	}
	if err := write(s, "PRAGMA max_page_count = 100000"); err != nil {
		t.Fatal(err)
	}
	if err := write(s, fill); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

// Each fact is a row and an event, written by callers side by side while the database fills up.
func TestFullDatabaseLeavesBothRowsOrNeither(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "cloud.db"))
	if err := write(s, "CREATE TABLE facts (key TEXT PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
	if err := attach(s.Writer()); err != nil {
		t.Fatal(err)
	}
	if err := write(s, "PRAGMA max_page_count = 30"); err != nil {
		t.Fatal(err)
	}
	var acknowledged atomic.Int64
	var wg sync.WaitGroup
	for c := range 16 {
		wg.Go(func() {
			for i := 0; ; i++ {
				err := state(s.Writer(), fmt.Sprintf("%d-%d-%s", c, i, strings.Repeat("x", 300)))
				if err == nil {
					acknowledged.Add(1)
					continue
				}
				if !errors.Is(err, journal.ErrFull) {
					t.Errorf("%v, want ErrFull", err)
				}
				return
			}
		})
	}
	wg.Wait()
	var facts int64
	if err := s.Writer().DB().Table("facts").Count(&facts).Error; err != nil {
		t.Fatal(err)
	}
	events, err := s.Writer().Read(t.Context(), 0, 100_000)
	if err != nil {
		t.Fatal(err)
	}
	_, last, err := s.Writer().Bounds(t.Context())
	if n := acknowledged.Load(); err != nil || n == 0 || facts != n || int64(len(events)) != n || last != uint64(n) {
		t.Errorf("%d were acknowledged; there are %d rows and %d events, numbered up to %d (%v)", n, facts, len(events), last, err)
	}
	if err := write(s, "PRAGMA max_page_count = 1000"); err != nil {
		t.Fatal(err)
	}
	if err := state(s.Writer(), "with room again"); err != nil {
		t.Error(err)
	}
}
