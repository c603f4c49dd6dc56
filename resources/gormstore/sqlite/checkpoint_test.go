package sqlite_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
)

// logged returns how many pages the log has, and how many of them aren't in the database yet.
func logged(t *testing.T, s *gormstore.Store) (pages, left int) {
	t.Helper()
	var busy, there int
	if err := s.Writer().DB().Raw("PRAGMA wal_checkpoint(NOOP)").Row().Scan(&busy, &pages, &there); err != nil {
		t.Fatal(err)
	}
	return pages, pages - there
}

// fill writes some pages in one transaction.
func fill(t *testing.T, s *gormstore.Store, pages int) {
	t.Helper()
	err := s.Writer().Do(t.Context(), func(tx *journal.Tx) error {
		_, err := tx.Exec("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < ?) INSERT INTO big SELECT randomblob(4000) FROM n", pages)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The writer itself moves nothing below 4,000 pages.
func TestTheLogIsMovedWhileTheWriterIsIdle(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "cloud.db"))
	if err := write(s, "CREATE TABLE big (a)"); err != nil {
		t.Fatal(err)
	}
	for range 3 { // also after it was idle
		fill(t, s, 1000)
		if pages, _ := logged(t, s); pages < 1000 {
			t.Fatalf("the log has %d pages: this test shows nothing", pages)
		}
		deadline := time.Now().Add(30 * time.Second)
		for {
			pages, left := logged(t, s)
			if left < 256 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%d pages of %d are left in the log", left, pages)
			}
			time.Sleep(time.Millisecond) // there is nothing to be told by
		}
	}
}

// The log begins anew at its 4,000 pages, however long the writer has no pause.
func TestTheLogStaysSmallUnderLoad(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "cloud.db"))
	if err := write(s, "CREATE TABLE big (a)"); err != nil {
		t.Fatal(err)
	}
	most := 0
	for range 400 {
		fill(t, s, 100)
		pages, _ := logged(t, s)
		most = max(most, pages)
	}
	if most < 3000 || most > 12_000 {
		t.Errorf("the log had up to %d pages, of 40,000 that were written", most)
	}
	var rows int
	if err := s.Writer().DB().Raw("SELECT count(*) FROM big").Row().Scan(&rows); err != nil || rows != 40_000 {
		t.Errorf("%d rows, %v", rows, err)
	}
}

func TestAClosedStoreLeavesNoLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cloud.db")
	for n := range 20 { // the connection that moves the log may be at it
		s := open(t, path)
		if n == 0 {
			if err := write(s, "CREATE TABLE big (a)"); err != nil {
				t.Fatal(err)
			}
		}
		fill(t, s, 300)
		closeStore(t, s)
		if left, err := filepath.Glob(path + "-*"); err != nil || len(left) > 0 {
			t.Fatalf("run %d left %v, %v", n, left, err)
		}
	}
}
