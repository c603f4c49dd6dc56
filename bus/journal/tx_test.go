package journal_test

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
	"gorm.io/gorm"
)

func TestTxIsRefusedAfterItsMember(t *testing.T) {
	j := withThings(t, sqlite.Options{})
	attach(t, j)
	var tx *journal.Tx
	if err := j.Do(t.Context(), func(t *journal.Tx) error { tx = t; return insert(t, "a") }); err != nil {
		t.Fatal(err)
	}
	var n int64
	_, execErr := tx.Exec("DELETE FROM things")
	_, appendErr := tx.Append(note{Type: "note.late"})
	for name, err := range map[string]error{
		"DB().Exec":   tx.DB().Exec("DELETE FROM things").Error,
		"DB().Find":   tx.DB().Table("things").Find(&[]map[string]any{}).Error,
		"DB().Row":    tx.DB().Raw("SELECT count(*) FROM things").Row().Scan(&n),
		"Transaction": tx.DB().Transaction(func(db *gorm.DB) error { return db.Exec("DELETE FROM things").Error }),
		"Exec":        execErr,
		"QueryRow":    tx.QueryRow("SELECT 1", nil, &n),
		"Append":      appendErr,
	} {
		if !errors.Is(err, journal.ErrMemberEnded) {
			t.Errorf("%s after the member: %v, want ErrMemberEnded", name, err)
		}
	}
}

func TestNestedTransactionIsASavepoint(t *testing.T) {
	j := withThings(t, sqlite.Options{})
	err := j.Do(t.Context(), func(tx *journal.Tx) error {
		if err := insert(tx, "outer"); err != nil {
			return err
		}
		err := tx.DB().Transaction(func(db *gorm.DB) error {
			if err := db.Exec("INSERT INTO things VALUES ('undone')").Error; err != nil {
				return err
			}
			return errNo
		})
		if !errors.Is(err, errNo) {
			return fmt.Errorf("nested: %w", err)
		}
		return tx.DB().Transaction(func(db *gorm.DB) error { return db.Exec("INSERT INTO things VALUES ('inner')").Error })
	})
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	if err := j.DB().Table("things").Order("k").Pluck("k", &keys).Error; err != nil || !slices.Equal(keys, []string{"inner", "outer"}) {
		t.Errorf("rows are %v (%v)", keys, err)
	}
}

func TestMemberCantEndTheTransaction(t *testing.T) {
	j := withThings(t, sqlite.Options{})
	for _, text := range []string{
		"COMMIT", "rollback;", " END TRANSACTION", "BEGIN", "Rollback Transaction", "\fCOMMIT", "COMMIT/**/", "rollback--", "\ufeffCOMMIT",
		"/* x */ COMMIT", "-- x\n;COMMIT", "INSERT INTO things VALUES (';'); COMMIT", "SAVEPOINT a; ROLLBACK /* TO */",
	} {
		t.Run(text, func(t *testing.T) {
			err := j.Do(t.Context(), func(tx *journal.Tx) error {
				if err := insert(tx, text); err != nil {
					return err
				}
				if tx.DB().Exec(text).Error == nil {
					t.Errorf("%q was allowed", text)
				}
				if tx.DB().Raw(text).Row().Err() == nil {
					t.Errorf("%q was allowed as a query", text)
				}
				if _, err := tx.Exec(text); err == nil {
					t.Errorf("%q was allowed as a prepared statement", text)
				}
				if tx.DB().Commit().Error == nil || tx.DB().Rollback().Error == nil {
					t.Error("Commit or Rollback was allowed")
				}
				return errNo
			})
			if !errors.Is(err, errNo) || count(t, j, "things") != 0 {
				t.Errorf("%v, %d rows", err, count(t, j, "things"))
			}
		})
	}
}

func TestWhatLooksLikeTheEndOfATransactionIsAllowed(t *testing.T) {
	j := withThings(t, sqlite.Options{})
	for _, text := range []string{
		"INSERT INTO things VALUES ('; COMMIT')", "INSERT INTO things SELECT '\"' -- ; COMMIT", "INSERT INTO things /* ; COMMIT */ VALUES ('it''s; END')",
		"SAVEPOINT a; ROLLBACK TO a", "SAVEPOINT b; rollback transaction to b", "CREATE TABLE [x; commit] (a)",
		"CREATE TRIGGER t AFTER INSERT ON things BEGIN SELECT 1; END", "CREATE TEMP TRIGGER u AFTER INSERT ON things BEGIN SELECT 1; END;",
	} {
		t.Run(text, func(t *testing.T) {
			if err := j.Do(t.Context(), func(tx *journal.Tx) error { return tx.DB().Exec(text).Error }); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestExecTakesASingleStatement(t *testing.T) {
	j := withThings(t, sqlite.Options{})
	two := "INSERT INTO things VALUES ('a'); INSERT INTO things VALUES ('b')"
	if err := j.Do(t.Context(), func(tx *journal.Tx) error { _, err := tx.Exec(two); return err }); err == nil {
		t.Errorf("Exec took two statements; there are %d rows", count(t, j, "things"))
	}
	if exec(t, j, two); count(t, j, "things") != 2 {
		t.Errorf("%d rows from two statements through DB", count(t, j, "things"))
	}
}

func TestHiddenCommitIsNoticed(t *testing.T) {
	j := withThings(t, sqlite.Options{})
	err := j.Do(t.Context(), func(tx *journal.Tx) error {
		text := "CREATE TRIGGER t AFTER INSERT ON things BEGIN SELECT 1; END; COMMIT" // what follows a trigger isn't looked at
		if err := tx.DB().Exec(text).Error; err != nil {
			return err
		}
		if err := insert(tx, "after it"); !errors.Is(err, journal.ErrTransactionLost) {
			t.Errorf("the next statement: %v, want ErrTransactionLost", err)
		}
		return nil
	})
	if !errors.Is(err, journal.ErrTransactionLost) {
		t.Errorf("the member: %v, want ErrTransactionLost", err)
	}
}

func TestIgnoredStatementErrorDoesntHurtTheRest(t *testing.T) {
	j := withThings(t, sqlite.Options{})
	err := j.Do(t.Context(), func(tx *journal.Tx) error {
		_ = insert(tx, "a")
		if insert(tx, "a") == nil {
			t.Error("a duplicate was allowed")
		}
		return insert(tx, "b")
	})
	if err != nil || count(t, j, "things") != 2 {
		t.Errorf("%v, %d rows, want 2", err, count(t, j, "things"))
	}
}

func TestRowsLeftOpenAreClosed(t *testing.T) {
	j := withThings(t, sqlite.Options{})
	exec(t, j, "INSERT INTO things VALUES ('a'), ('b')")
	err := j.Do(t.Context(), func(tx *journal.Tx) error {
		rows, err := tx.DB().Table("things").Rows()
		if err != nil {
			return err
		}
		rows.Next()
		return insert(tx, "c")
	})
	if err != nil {
		t.Fatal(err)
	}
	exec(t, j, "INSERT INTO things VALUES ('d')")
}

// A row that nobody scans would keep the connection, and who wants to close it, for ever.
func TestRowNobodyScansIsClosed(t *testing.T) {
	j := withThings(t, sqlite.Options{})
	exec(t, j, "INSERT INTO things VALUES ('a'), ('b')")
	var row *sql.Row
	err := j.Do(t.Context(), func(tx *journal.Tx) error {
		row = tx.DB().Table("things").Select("k").Row()
		return insert(tx, "c")
	})
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{"00001_x.sql": {Data: []byte("-- +goose Up\nCREATE TABLE x (a TEXT);\n")}}
	if err := j.Migrate(t.Context(), "x", files); err != nil { // closes the connection
		t.Fatal(err)
	}
	var k string
	if err := row.Scan(&k); err == nil {
		t.Errorf("read %q after the member's end", k)
	}
}

// A commit that fails leaves nothing, and tells nobody of events that aren't there.
func TestFailedCommitWakesNobody(t *testing.T) {
	j := open(t, sqlite.Options{})
	woken := attach(t, j)
	exec(t, j, "CREATE TABLE hosts (id TEXT PRIMARY KEY)")
	exec(t, j, "CREATE TABLE vms (host TEXT REFERENCES hosts(id) DEFERRABLE INITIALLY DEFERRED)") // checked by COMMIT
	err := j.Do(t.Context(), func(tx *journal.Tx) error {
		if _, err := tx.Append(note{Type: "a.b"}); err != nil {
			return err
		}
		_, err := tx.Exec("INSERT INTO vms VALUES ('nowhere')")
		return err
	})
	if _, last, boundsErr := j.Bounds(t.Context()); err == nil || woken.Load() != 0 || last != 0 || boundsErr != nil || count(t, j, "vms") != 0 {
		t.Errorf("got %v; woken at %d, the end is %d (%v), %d rows", err, woken.Load(), last, boundsErr, count(t, j, "vms"))
	}
}
