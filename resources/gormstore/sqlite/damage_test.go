package sqlite_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
)

// A damaged file is an error for who opens or reads it, and stays as it is: perhaps somebody can mend it.
func TestADamagedFileIsAnErrorAndStaysAsItIs(t *testing.T) {
	pageOf := func(t *testing.T, s *gormstore.Store, name string) (page int64) {
		t.Helper()
		if err := s.Writer().DB().Raw("SELECT rootpage FROM sqlite_master WHERE name = ?", name).Scan(&page).Error; err != nil || page == 0 {
			t.Fatalf("page of %s: %d, %v", name, page, err)
		}
		return 4096 * (page - 1)
	}
	read := func(s *gormstore.Store) error { _, err := s.Journal().Read(context.Background(), 0, 100); return err }
	for name, c := range map[string]struct {
		table string // whose first page is overwritten; "": the second half of the file is cut off
		do    func(s *gormstore.Store) error
	}{
		"cut off":         {"", read},
		"the journal":     {"journal", read},
		"its head":        {"journal_head", func(s *gormstore.Store) error { _, _, err := s.Journal().Bounds(context.Background()); return err }},
		"cursors":         {"journal_cursor", func(s *gormstore.Store) error { _, _, err := s.Journal().Cursor(context.Background(), "a"); return err }},
		"versions":        {"goose_journal", nil},
		"schema":          {"sqlite_schema", nil},
		"while it writes": {"journal_head", func(s *gormstore.Store) error { return s.Journal().SetCursor(context.Background(), "a", 1) }},
		"while it removes": {"journal", func(s *gormstore.Store) error {
			_, err := s.Writer().Retain(context.Background(), journal.Retention{Rows: 1, Horizon: 1})
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "cloud.db")
			cl := openCloud(t, path)
			cl.create(t, 500)
			at := int64(0)
			if c.table != "" && c.table != "sqlite_schema" {
				at = pageOf(t, cl.store, c.table)
			}
			if err := errors.Join(cl.bus.Close(t.Context()), cl.store.Close(t.Context())); err != nil {
				t.Fatal(err)
			}
			if c.table == "" {
				info, err := os.Stat(path)
				if err = errors.Join(err, os.Truncate(path, info.Size()/2/4096*4096)); err != nil {
					t.Fatal(err)
				}
			} else {
				damage(t, path, max(at, 100)) // the first 100 bytes are the file's header
			}
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			s, err := sqlite.Open(path, sqlite.Options{})
			if err == nil {
				if c.do != nil {
					err = c.do(s)
				}
				closeStore(t, s)
			}
			if !errors.Is(err, journal.ErrCorrupt) {
				t.Errorf("%v, want ErrCorrupt", err)
			}
			if after, err := os.ReadFile(path); err != nil || !slices.Equal(before, after) {
				t.Errorf("the file was changed (%v)", err)
			}
		})
	}
}
