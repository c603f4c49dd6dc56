package journal_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
	"gorm.io/gorm"
)

var errNo = errors.New("no")

func insert(tx *journal.Tx, k string) error {
	return tx.DB().Exec("INSERT INTO things (k) VALUES (?)", k).Error
}

func withThings(t testing.TB, o sqlite.Options) *journal.Journal {
	t.Helper()
	j := open(t, o)
	exec(t, j, "CREATE TABLE things (k TEXT PRIMARY KEY)")
	return j
}

func TestMemberCommitsAllOrNothing(t *testing.T) {
	j := withThings(t, sqlite.Options{})
	attach(t, j)
	for name, c := range map[string]struct {
		fn   func(*journal.Tx) error
		want error
		rows int64
	}{
		"returns nil":          {fn: func(*journal.Tx) error { return nil }, rows: 1},
		"fails":                {fn: func(*journal.Tx) error { return errNo }, want: errNo},
		"panics with an error": {fn: func(*journal.Tx) error { panic(errNo) }, want: errNo},
	} {
		t.Run(name, func(t *testing.T) {
			things, events := count(t, j, "things"), count(t, j, "journal")
			err := j.Do(t.Context(), func(tx *journal.Tx) error {
				if err := insert(tx, name); err != nil {
					return err
				}
				if _, err := tx.Append(note{Type: "note.made"}); err != nil {
					return err
				}
				return c.fn(tx)
			})
			if !errors.Is(err, c.want) {
				t.Errorf("Do returned %v, want %v", err, c.want)
			}
			if got := count(t, j, "things") - things; got != c.rows {
				t.Errorf("%d rows were written, want %d", got, c.rows)
			}
			if got := count(t, j, "journal") - events; got != c.rows {
				t.Errorf("%d events were recorded, want %d", got, c.rows)
			}
		})
	}
}

func TestPanicErrorTellsWhere(t *testing.T) {
	j := open(t, sqlite.Options{})
	err := j.Do(t.Context(), func(*journal.Tx) error { panic("ouch") })
	var p *bus.PanicError
	if !errors.As(err, &p) || p.Value != "ouch" || !strings.Contains(string(p.Stack), "TestPanicErrorTellsWhere") {
		t.Errorf("Do returned %#v, want a PanicError with value and stack", err)
	}
}

func TestGoexitInMemberFreesTheWriter(t *testing.T) {
	j := withThings(t, sqlite.Options{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = j.Do(context.Background(), func(tx *journal.Tx) error {
			_ = insert(tx, "a")
			runtime.Goexit()
			return nil
		})
	}()
	<-done
	exec(t, j, "INSERT INTO things VALUES ('b')")
	if n := count(t, j, "things"); n != 1 {
		t.Errorf("%d rows, want only that of the member that returned", n)
	}
}

func TestInWriterAtOnce(t *testing.T) {
	j, other := open(t, sqlite.Options{}), open(t, sqlite.Options{})
	err := j.Do(t.Context(), func(tx *journal.Tx) error {
		ctx, cancel := context.WithCancel(tx.Context())
		defer cancel()
		never := func(*journal.Tx) error { t.Error("the inner member ran"); return nil }
		for name, err := range map[string]error{
			"Do":        j.Do(ctx, never),
			"Migrate":   j.Migrate(ctx, "x", nil),
			"SetCursor": j.SetCursor(ctx, "x", 0),
			"Close":     j.Close(ctx),
		} {
			if !errors.Is(err, bus.ErrInWriter) {
				t.Errorf("%s inside a member returned %v, want ErrInWriter", name, err)
			}
		}
		return other.Do(ctx, func(*journal.Tx) error { return nil })
	})
	if err != nil {
		t.Errorf("a member of another journal's writer: %v", err)
	}
}

func TestForeignContextInsideMemberEndsAtTheLimit(t *testing.T) {
	j := withThings(t, sqlite.Options{MemberLimit: 50 * time.Millisecond, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	var inner error
	err := j.Do(t.Context(), func(tx *journal.Tx) error {
		if err := insert(tx, "outer"); err != nil {
			return err
		}
		inner = j.Do(context.Background(), func(tx *journal.Tx) error { return insert(tx, "inner") })
		return insert(tx, "late")
	})
	if !errors.Is(err, journal.ErrMemberTooLong) {
		t.Errorf("outer member: %v, want ErrMemberTooLong", err)
	}
	if inner != nil {
		t.Errorf("inner member: %v", inner)
	}
	var keys []string
	if err := j.DB().Table("things").Pluck("k", &keys).Error; err != nil || !slices.Equal(keys, []string{"inner"}) {
		t.Errorf("rows are %v (%v), want only the inner member's", keys, err)
	}
}

func TestMemberTooLongIsNamedInTheLog(t *testing.T) {
	var log lockedBuffer
	j := open(t, sqlite.Options{MemberLimit: 25 * time.Millisecond, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	err := j.Do(t.Context(), func(tx *journal.Tx) error {
		for tx.DB().Exec("SELECT 1").Error == nil {
			runtime.Gosched()
		}
		return nil
	}, journal.Named("slowcoach"))
	if !errors.Is(err, journal.ErrMemberTooLong) {
		t.Errorf("%v, want ErrMemberTooLong", err)
	}
	if !strings.Contains(log.String(), "slowcoach") {
		t.Errorf("the log doesn't name the member: %s", log.String())
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// hold occupies the writer until release is called.
func hold(t *testing.T, j *journal.Journal) (release func()) {
	t.Helper()
	taken, free, done := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		done <- j.Do(context.Background(), func(*journal.Tx) error {
			close(taken)
			<-free
			return nil
		})
	}()
	<-taken
	return func() {
		close(free)
		if err := <-done; err != nil {
			t.Errorf("the member that held the writer: %v", err)
		}
	}
}

// queued starts a member and returns when it waits for its turn.
func queued(t *testing.T, j *journal.Journal, run func() error) <-chan error {
	t.Helper()
	before := journal.Waiting(j)
	done := make(chan error, 1)
	go func() { done <- run() }()
	for journal.Waiting(j) == before {
		runtime.Gosched()
	}
	return done
}

func TestForegroundFirstButEveryFourthIsBackground(t *testing.T) {
	j := open(t, sqlite.Options{})
	release := hold(t, j)
	var order []string
	var dones []<-chan error
	add := func(name string, opts ...journal.MemberOption) {
		dones = append(dones, queued(t, j, func() error {
			return j.Do(context.Background(), func(*journal.Tx) error { order = append(order, name); return nil }, opts...)
		}))
	}
	for i := range 2 {
		add(fmt.Sprintf("b%d", i), journal.Background())
	}
	for i := range 8 {
		add(fmt.Sprintf("f%d", i))
	}
	release()
	for _, d := range dones {
		if err := <-d; err != nil {
			t.Fatal(err)
		}
	}
	if got, want := strings.Join(order, " "), "f0 f1 f2 b0 f3 f4 f5 b1 f6 f7"; got != want {
		t.Errorf("members ran in order %s, want %s", got, want)
	}
}

func TestCancelledCallerAmidOthers(t *testing.T) {
	j := withThings(t, sqlite.Options{})
	release := hold(t, j)
	ctx, cancel := context.WithCancel(context.Background())
	add := func(ctx context.Context, k string) <-chan error {
		return queued(t, j, func() error { return j.Do(ctx, func(tx *journal.Tx) error { return insert(tx, k) }) })
	}
	first, gone, last := add(context.Background(), "first"), add(ctx, "gone"), add(context.Background(), "last")
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) || errors.Is(err, journal.ErrOutcomeUnknown) {
		t.Errorf("the cancelled caller got %v, want context.Canceled alone", err)
	}
	release()
	if err := errors.Join(<-first, <-last); err != nil {
		t.Errorf("the others got %v", err)
	}
	if n := count(t, j, "things"); n != 2 {
		t.Errorf("%d rows, want 2", n)
	}
}

func TestCallerCancelledInItsMemberLearnsTheOutcome(t *testing.T) {
	j := withThings(t, sqlite.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	err := j.Do(ctx, func(tx *journal.Tx) error {
		cancel()
		return tx.DB().WithContext(ctx).Exec("INSERT INTO things VALUES ('a')").Error
	})
	if err != nil || count(t, j, "things") != 1 {
		t.Errorf("got %v and %d rows, want the member to be committed", err, count(t, j, "things"))
	}
	if err := j.Do(ctx, func(*journal.Tx) error { t.Error("ran"); return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that came cancelled got %v", err)
	}
}

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

func TestCloseWaitsForMembers(t *testing.T) {
	j := withThings(t, sqlite.Options{})
	release := hold(t, j)
	waiting := queued(t, j, func() error {
		return j.Do(context.Background(), func(tx *journal.Tx) error { return insert(tx, "waiting") })
	})
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := j.Close(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("Close with an ended context: %v", err)
	}
	if err := j.Do(t.Context(), func(*journal.Tx) error { return nil }); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("Do after Close: %v", err)
	}
	release()
	if err := j.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-waiting; err != nil || count(t, j, "things") != 1 {
		t.Errorf("the member that waited: %v, %d rows", err, count(t, j, "things"))
	}
}
