package journal_test

import (
	"errors"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
)

func file(text string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte("-- +goose Up\n" + text + "\n")}
}

func TestMigrateAppliesOnce(t *testing.T) {
	j := open(t, sqlite.Options{})
	files := fstest.MapFS{"00001_lamps.sql": file("CREATE TABLE lamps (id INTEGER PRIMARY KEY);")}
	for range 2 {
		if err := j.Migrate(t.Context(), "lamp", files); err != nil {
			t.Fatal(err)
		}
	}
	files["00002_watts.sql"] = file("ALTER TABLE lamps ADD COLUMN watts INTEGER NOT NULL DEFAULT 0;\nINSERT INTO lamps (watts) VALUES (60);")
	if err := j.Migrate(t.Context(), "lamp", files); err != nil {
		t.Fatal(err)
	}
	if n := count(t, j, "lamps"); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
	delete(files, "00002_watts.sql")
	if err := j.Migrate(t.Context(), "lamp", files); !errors.Is(err, journal.ErrNewerSchema) {
		t.Errorf("a database newer than the files: %v, want ErrNewerSchema", err)
	}
}

func TestMigratePicksTheDatabasesFolder(t *testing.T) {
	j := open(t, sqlite.Options{})
	files := fstest.MapFS{"sqlite/00001_a.sql": file("CREATE TABLE a (x);"), "postgres/00001_a.sql": file("nonsense")}
	if err := j.Migrate(t.Context(), "a", files); err != nil {
		t.Error(err)
	}
	delete(files, "sqlite/00001_a.sql")
	if err := j.Migrate(t.Context(), "b", files); err == nil {
		t.Error("files for another database were taken")
	}
}

func TestMigrationOutsideOfATransaction(t *testing.T) {
	j := open(t, sqlite.Options{})
	files := fstest.MapFS{"00001_a.sql": {Data: []byte("-- +goose NO TRANSACTION\n-- +goose Up\nCREATE TABLE a (x);\nVACUUM;\n")}}
	if err := j.Migrate(t.Context(), "a", files); err != nil {
		t.Error(err)
	}
	if n := count(t, j, "a"); n != 0 {
		t.Errorf("%d rows", n)
	}
}

func TestMigrateRefuses(t *testing.T) {
	j := open(t, sqlite.Options{})
	good := fstest.MapFS{"00001_a.sql": file("CREATE TABLE a (x);")}
	for name, c := range map[string]struct {
		component string
		files     fs.FS
	}{
		"no name":         {"", good},
		"SQL in the name": {"a; DROP TABLE journal", good},
		"capital letter":  {"Lamp", good},
		"no files":        {"a", fstest.MapFS{}},
		"nil":             {"a", nil},
		"name of a file":  {"a", fstest.MapFS{"first.sql": file("")}},
		"bad SQL":         {"a", fstest.MapFS{"00001_a.sql": file("CREATE TABEL a (x);")}},
		"half bad":        {"a", fstest.MapFS{"00001_a.sql": file("CREATE TABLE half (x);\nnonsense;")}},
	} {
		t.Run(name, func(t *testing.T) {
			if err := j.Migrate(t.Context(), c.component, c.files); err == nil {
				t.Error("taken")
			}
		})
	}
	if j.DB().Migrator().HasTable("half") {
		t.Error("a failed migration left a table")
	}
	exec(t, j, "CREATE TABLE works (x)")
}
