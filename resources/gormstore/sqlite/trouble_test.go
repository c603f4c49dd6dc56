package sqlite_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"github.com/mattn/go-sqlite3"
)

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

// A store that is damaged says so to who reads, too.
func TestDamagedWhileClosed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cloud.db")
	kind := &resources.Info{Name: vm.Kind, Type: reflect.TypeFor[vm.VM]()}
	s, err := sqlite.Open(path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Bind(t.Context(), kind); err != nil {
		t.Fatal(err)
	}
	var root int64 // page of the index that List goes by
	if err := s.Writer().DB().Raw("SELECT rootpage FROM sqlite_master WHERE name = 'sqlite_autoindex_vms_1'").Scan(&root).Error; err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)
	damage(t, path, 4096*(root-1))

	s = open(t, path)
	if err := s.Bind(t.Context(), kind); err != nil {
		t.Fatal(err)
	}
	if _, err := s.List(t.Context(), kind, resources.Query{}); !errors.Is(err, journal.ErrCorrupt) {
		t.Errorf("List: %v, want ErrCorrupt", err)
	}
}

func damage(t *testing.T, path string, at int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte(strings.Repeat("\xde\xad", 2048)), at); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
