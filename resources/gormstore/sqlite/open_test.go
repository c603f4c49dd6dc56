package sqlite_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
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
	nowhere := filepath.Join(dir, "nowhere.db")
	if err := os.Symlink(filepath.Join(dir, "not-there.db"), nowhere); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		path string
		give sqlite.Options
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
		"link to nothing":   {path: nowhere, want: fs.ErrNotExist, text: "link"},
		"busy for too long": {path: filepath.Join(dir, "x.db"), give: sqlite.Options{BusyTimeout: 5 * time.Second}, text: "must be below MemberLimit, 5s"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := sqlite.Open(c.path, c.give)
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

// Each fact is a row and an event, written by callers side by side while the database fills up.
