package journal_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
)

func notes(t *testing.T, j *journal.Journal, n int) {
	t.Helper()
	for range n {
		if err := appendNote(j, note{Type: "note.made"}); err != nil {
			t.Fatal(err)
		}
	}
}

func wantCursor(t *testing.T, j *journal.Journal, name string, want uint64) {
	t.Helper()
	if seq, known, err := j.Cursor(t.Context(), name); seq != want || !known || err != nil {
		t.Errorf("cursor %s: %d, %t, %v, want %d", name, seq, known, err, want)
	}
}

func TestCursorIsNeverLowered(t *testing.T) {
	j := open(t, sqlite.Options{})
	attach(t, j)
	notes(t, j, 5)
	if seq, known, err := j.Cursor(t.Context(), "a"); seq != 0 || known || err != nil {
		t.Errorf("unknown cursor: %d, %t, %v", seq, known, err)
	}
	for _, step := range []struct{ set, want uint64 }{{0, 0}, {3, 3}, {2, 3}, {5, 5}} {
		if err := j.SetCursor(t.Context(), "a", step.set); err != nil {
			t.Fatal(err)
		}
		wantCursor(t, j, "a", step.want)
	}
	if err := j.SetCursor(t.Context(), "a", 6); !errors.Is(err, journal.ErrCursorPastEnd) {
		t.Errorf("past the end: %v, want ErrCursorPastEnd", err)
	}
}

func TestCursorPastTheEndIsReported(t *testing.T) {
	j := open(t, sqlite.Options{})
	exec(t, j, "INSERT INTO journal_cursor VALUES ('a', 7, 0)")
	if _, _, err := j.Cursor(t.Context(), "a"); !errors.Is(err, journal.ErrCursorPastEnd) {
		t.Errorf("%v, want ErrCursorPastEnd", err)
	}
}

func TestRewind(t *testing.T) {
	j := open(t, sqlite.Options{})
	attach(t, j)
	notes(t, j, 5)
	if err := j.SetCursor(t.Context(), "a", 5); err != nil {
		t.Fatal(err)
	}
	if err := j.Rewind(t.Context(), "a", 2); err != nil {
		t.Fatal(err)
	}
	wantCursor(t, j, "a", 2)
	if err := j.Rewind(t.Context(), "a", 6); !errors.Is(err, journal.ErrCursorPastEnd) {
		t.Errorf("past the end: %v", err)
	}
	if err := j.Rewind(t.Context(), "nobody", 1); err == nil {
		t.Error("an unknown cursor was moved")
	}
	exec(t, j, "DELETE FROM journal WHERE seq <= 3")
	if err := j.Rewind(t.Context(), "a", 2); err == nil {
		t.Error("a cursor was moved to where events are missing")
	}
	if err := j.Rewind(t.Context(), "a", 3); err != nil {
		t.Error(err)
	}
}

// What retention removes while Rewind waits for the writer is noticed.
func TestRewindLooksAtWhatIsLeftWhenItMoves(t *testing.T) {
	j := open(t, sqlite.Options{})
	attach(t, j)
	notes(t, j, 5)
	if err := j.SetCursor(t.Context(), "a", 5); err != nil {
		t.Fatal(err)
	}
	rewound := make(chan error, 1)
	err := j.Do(t.Context(), func(tx *journal.Tx) error {
		go func() { rewound <- j.Rewind(context.Background(), "a", 1) }()
		for journal.Waiting(j) == 0 {
			runtime.Gosched()
		}
		return tx.DB().Exec("DELETE FROM journal WHERE seq <= 3").Error
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-rewound; err == nil || !strings.Contains(err.Error(), "the oldest event left is 4") {
		t.Errorf("%v, want an error that names the oldest event left", err)
	}
	wantCursor(t, j, "a", 5)
}

func TestCursorsListsAll(t *testing.T) {
	j := open(t, sqlite.Options{})
	attach(t, j)
	notes(t, j, 2)
	for name, seq := range map[string]uint64{"b": 1, "a": 2} {
		if err := j.SetCursor(t.Context(), name, seq); err != nil {
			t.Fatal(err)
		}
	}
	all, err := j.Cursors(t.Context())
	if err != nil || len(all) != 2 || all[0].Name != "a" || all[0].Seq != 2 || all[1].Name != "b" || all[1].Seq != 1 || all[0].UpdatedAt.IsZero() {
		t.Errorf("%+v, %v", all, err)
	}
}
