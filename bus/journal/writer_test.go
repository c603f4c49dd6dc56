package journal_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
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

// The methods of a nil pointer that is returned as an error panic.
func TestAnErrorThatPanicsFreesTheWriter(t *testing.T) {
	j := open(t, sqlite.Options{})
	missing := error((*fs.PathError)(nil))
	for name, member := range map[string]func(*journal.Tx) error{
		"returned":      func(*journal.Tx) error { return missing },
		"wrapped":       func(*journal.Tx) error { return fmt.Errorf("open: %w", missing) },
		"panicked with": func(*journal.Tx) error { panic(missing) },
	} {
		var p *bus.PanicError
		if err := j.Do(t.Context(), member); !errors.As(err, &p) || errors.Is(err, journal.ErrMemberTooLong) {
			t.Errorf("%s: Do returned %v, want a PanicError", name, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		if err := j.Do(ctx, func(*journal.Tx) error { return nil }); err != nil {
			t.Fatalf("%s: the next member: %v", name, err)
		}
		cancel()
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
// queued starts a member and returns when it waits for its turn.
