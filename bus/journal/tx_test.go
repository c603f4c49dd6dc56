package journal_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

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
	for _, text := range []string{"COMMIT", "rollback;", " END TRANSACTION", "BEGIN", "Rollback Transaction"} {
		t.Run(text, func(t *testing.T) {
			err := j.Do(t.Context(), func(tx *journal.Tx) error {
				if err := insert(tx, text); err != nil {
					return err
				}
				if tx.DB().Exec(text).Error == nil {
					t.Errorf("%q was allowed", text)
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

func TestHiddenCommitIsNoticed(t *testing.T) {
	j := withThings(t, sqlite.Options{})
	for name, text := range map[string]string{"behind a comment": "/* x */ COMMIT", "behind a statement": "INSERT INTO things VALUES ('x'); COMMIT"} {
		t.Run(name, func(t *testing.T) {
			err := j.Do(t.Context(), func(tx *journal.Tx) error {
				if err := tx.DB().Exec(text).Error; err != nil {
					return err
				}
				if err := insert(tx, "after "+name); !errors.Is(err, journal.ErrTransactionLost) {
					t.Errorf("the next statement: %v, want ErrTransactionLost", err)
				}
				return nil
			})
			if !errors.Is(err, journal.ErrTransactionLost) {
				t.Errorf("the member: %v, want ErrTransactionLost", err)
			}
		})
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
