package postgres_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres/postgrestest"
)

type tick struct{ N int }

func (tick) EventType() string { return "test.tick" }

func TestRetentionStaysBehindEveryCursor(t *testing.T) {
	j := open(t, postgrestest.Schema(t), postgres.Options{}).Writer()
	b := bus.New(bus.Options{Journal: j})
	defer func() { _ = b.Close(t.Context()) }()
	if err := bus.Register[tick](b, "test.tick", 1); err != nil {
		t.Fatal(err)
	}
	err := j.Do(t.Context(), func(tx *journal.Tx) error {
		for n := range 300 {
			if _, err := tx.Append(tick{n}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.SetCursor(t.Context(), "slow", 200); err != nil {
		t.Fatal(err)
	}
	policy := journal.Retention{Rows: 20, Horizon: time.Nanosecond}
	for _, want := range []journal.Retained{
		{Removed: 200, First: 201, Last: 300, HeldBy: "slow", HeldAt: 200},
		{Removed: 80, First: 281, Last: 300},
	} {
		if got, err := j.Retain(t.Context(), policy); err != nil || got != want {
			t.Errorf("Retain: %+v, %v, want %+v", got, err, want)
		}
		if want.HeldBy == "" {
			continue
		}
		if all, err := j.Claims(t.Context()); err != nil || len(all) != 1 || !all[0].Holds || all[0].Behind != 100 {
			t.Errorf("claims %+v, %v", all, err)
		}
		if err := j.Forget(t.Context(), "slow"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestBackupIsLeftToTheDatabasesTools(t *testing.T) {
	s := open(t, postgrestest.Schema(t), postgres.Options{})
	path := filepath.Join(t.TempDir(), "copy")
	err := s.Backup(t.Context(), path, gormstore.BackupOptions{})
	if !errors.Is(err, gormstore.ErrNoBackup) || !strings.Contains(err.Error(), "pg_dump") {
		t.Errorf("%v, want ErrNoBackup that names pg_dump", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("there is a file: %v", err)
	}
}
