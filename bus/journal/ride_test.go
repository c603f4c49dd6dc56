package journal_test

import (
	"errors"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
)

func cursorAt(t *testing.T, j *journal.Journal, name string) uint64 {
	t.Helper()
	all, err := j.Cursors(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.Name == name {
			return c.Seq
		}
	}
	return 0
}

func TestCursorThatIsLeftRidesInTheNextTransaction(t *testing.T) {
	j, f := openFlaky(t)
	attach(t, j)
	exec(t, j, "CREATE TABLE things (k TEXT PRIMARY KEY)")
	for _, k := range []string{"a", "b", "c"} {
		if err := j.Do(t.Context(), func(tx *journal.Tx) error { return write(tx, k) }); err != nil {
			t.Fatal(err)
		}
	}
	commits := f.commit.Load()
	if stored := j.LeaveCursor("rider", 2); stored != 0 || cursorAt(t, j, "rider") != 0 {
		t.Errorf("%d is said to be stored, the cursor is at %d, and nothing was written", stored, cursorAt(t, j, "rider"))
	}
	if err := j.Do(t.Context(), func(tx *journal.Tx) error { return errors.Join(write(tx, "d"), errNo) }); !errors.Is(err, errNo) {
		t.Fatal(err)
	}
	if err := j.Do(t.Context(), func(*journal.Tx) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if stored := j.LeaveCursor("rider", 1); stored != 0 || f.commit.Load() != commits {
		t.Errorf("%d is said to be stored after %d commits, want none", stored, f.commit.Load()-commits)
	}
	if err := j.Do(t.Context(), func(tx *journal.Tx) error { return write(tx, "e") }); err != nil {
		t.Fatal(err)
	}
	if n := f.commit.Load() - commits; cursorAt(t, j, "rider") != 2 || n != 1 {
		t.Errorf("the cursor is at %d after %d transactions, want 2 after 1", cursorAt(t, j, "rider"), n)
	}
	if stored := j.LeaveCursor("rider", 2); stored != 2 {
		t.Errorf("%d is said to be stored, want 2", stored)
	}
}

// A position that was left must not undo what moves the cursor in the same transaction, or later.
func TestCursorThatIsLeftGivesWay(t *testing.T) {
	for name, move := range map[string]func(*journal.Journal) error{
		"Rewind": func(j *journal.Journal) error { return j.Rewind(t.Context(), "rider", 0) },
		"Forget": func(j *journal.Journal) error { return j.Forget(t.Context(), "rider") },
	} {
		t.Run(name, func(t *testing.T) {
			j := withThings(t, sqlite.Options{})
			attach(t, j)
			if err := j.Do(t.Context(), func(tx *journal.Tx) error { return write(tx, "a") }); err != nil {
				t.Fatal(err)
			}
			if err := j.SetCursor(t.Context(), "rider", 0); err != nil {
				t.Fatal(err)
			}
			j.LeaveCursor("rider", 1)
			if err := move(j); err != nil {
				t.Fatal(err)
			}
			if err := j.Do(t.Context(), func(tx *journal.Tx) error { return write(tx, "b") }); err != nil {
				t.Fatal(err)
			}
			if at := cursorAt(t, j, "rider"); at != 0 {
				t.Errorf("the cursor is at %d, want 0", at)
			}
			if stored := j.LeaveCursor("rider", 1); stored != 0 {
				t.Errorf("%d is said to be stored", stored)
			}
		})
	}
}
