package journal_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
)

// together has members run that wait at the same time, in this order, and returns what became of each.
func together(t *testing.T, j *journal.Journal, members ...func(*journal.Tx) error) []error {
	t.Helper()
	release := hold(t, j)
	var dones []<-chan error
	for _, m := range members {
		dones = append(dones, queued(t, j, func() error { return j.Do(context.Background(), m) }))
	}
	release()
	errs := make([]error, len(dones))
	for i, d := range dones {
		errs[i] = <-d
	}
	return errs
}

func keys(t *testing.T, j *journal.Journal) (all []string) {
	t.Helper()
	if err := j.DB().Table("things").Order("k").Pluck("k", &all).Error; err != nil {
		t.Fatal(err)
	}
	return all
}

// counted is a member that writes a key, and counts how often it ran.
func counted(runs *atomic.Int64, key string) func(*journal.Tx) error {
	return func(tx *journal.Tx) error {
		runs.Add(1)
		return write(tx, key)
	}
}

func TestMembersThatWaitShareATransaction(t *testing.T) {
	j, f := openFlaky(t)
	attach(t, journal.Unhurried(j))
	exec(t, j, "CREATE TABLE things (k TEXT PRIMARY KEY)")
	var runs atomic.Int64
	var members []func(*journal.Tx) error
	for i := range 20 {
		members = append(members, counted(&runs, fmt.Sprint(i)))
	}
	before := f.commit.Load()
	errs := together(t, j, members...)
	if n := f.commit.Load() - before; errors.Join(errs...) != nil || n != 1 || runs.Load() != 20 || len(keys(t, j)) != 20 {
		t.Errorf("%v: %d transactions and %d runs for 20 members, %d rows; want 1, 20 and 20", errs, n, runs.Load(), len(keys(t, j)))
	}
}

// A member that fails having changed something has the others run again, once: from then on there are savepoints.
func TestVetoInTheMiddle(t *testing.T) {
	j, f := openFlaky(t)
	attach(t, journal.Unhurried(j))
	exec(t, j, "CREATE TABLE things (k TEXT PRIMARY KEY)")
	veto := func(tx *journal.Tx) error { return errors.Join(write(tx, "vetoed"), errNo) }
	for round, want := range []int64{6, 4, 4} {
		var runs atomic.Int64
		key := func(i int) string { return fmt.Sprintf("%d-%d", round, i) }
		before := f.commit.Load()
		errs := together(t, j, counted(&runs, key(1)), counted(&runs, key(2)), veto, counted(&runs, key(3)), veto, counted(&runs, key(4)))
		for i, err := range errs {
			if veto := i == 2 || i == 4; veto && !errors.Is(err, errNo) || !veto && err != nil {
				t.Errorf("member %d: %v", i, err)
			}
		}
		if n := f.commit.Load() - before; n != 1 || runs.Load() != want {
			t.Errorf("round %d: %d transactions, %d runs of 4 members, want 1 and %d", round, n, runs.Load(), want)
		}
	}
	if all := keys(t, j); len(all) != 12 || slices.Contains(all, "vetoed") {
		t.Errorf("rows are %v", all)
	}
	if n := count(t, j, "journal"); n != 12 {
		t.Errorf("%d events, want 12", n)
	}
}

func TestMemberThatFailsHavingChangedNothingIsLeftOut(t *testing.T) {
	for name, fail := range map[string]func(*journal.Tx) error{
		"no statement": func(*journal.Tx) error { return errNo },
		"an event only": func(tx *journal.Tx) error {
			_, err := tx.Append(note{Type: "note.made"})
			return errors.Join(err, errNo)
		},
		"an update of nothing": func(tx *journal.Tx) error {
			_, err := tx.Exec("UPDATE things SET k = 'x' WHERE k = 'nobody'")
			return errors.Join(err, errNo)
		},
		"a look": func(tx *journal.Tx) error {
			var n int64
			return errors.Join(tx.DB().Table("things").Count(&n).Error, errNo)
		},
	} {
		t.Run(name, func(t *testing.T) {
			j := journal.Unhurried(withThings(t, sqlite.Options{}))
			attach(t, j)
			var runs atomic.Int64
			errs := together(t, j, counted(&runs, "a"), fail, counted(&runs, "b"))
			if errs[0] != nil || !errors.Is(errs[1], errNo) || errs[2] != nil {
				t.Errorf("outcomes are %v", errs)
			}
			if runs.Load() != 2 || len(keys(t, j)) != 2 || count(t, j, "journal") != 2 {
				t.Errorf("the other two ran %d times; rows are %v, and there are %d events", runs.Load(), keys(t, j), count(t, j, "journal"))
			}
		})
	}
}

// What COMMIT refuses is the fault of one of them.
func TestMemberThatCommitRefuses(t *testing.T) {
	j := journal.Unhurried(withThings(t, sqlite.Options{}))
	attach(t, j)
	exec(t, j, "CREATE TABLE parts (whole TEXT REFERENCES things (k) DEFERRABLE INITIALLY DEFERRED)")
	orphan := func(tx *journal.Tx) error {
		if err := write(tx, "orphan"); err != nil {
			return err
		}
		_, err := tx.Exec("INSERT INTO parts (whole) VALUES ('nobody')")
		return err
	}
	var runs atomic.Int64
	errs := together(t, j, counted(&runs, "a"), orphan, counted(&runs, "b"))
	if errs[0] != nil || errs[1] == nil || errs[2] != nil || !slices.Equal(keys(t, j), []string{"a", "b"}) || count(t, j, "journal") != 2 {
		t.Errorf("outcomes are %v, rows %v, and there are %d events", errs, keys(t, j), count(t, j, "journal"))
	}
}

// A failure that rests on what another member wrote is none if that isn't committed.
func TestFailureThatRestsOnAnotherMember(t *testing.T) {
	j := journal.Unhurried(withThings(t, sqlite.Options{}))
	attach(t, j)
	exec(t, j, "CREATE TABLE parts (whole TEXT REFERENCES things (k) DEFERRABLE INITIALLY DEFERRED)")
	refused := func(tx *journal.Tx) error {
		if err := write(tx, "the key"); err != nil {
			return err
		}
		_, err := tx.Exec("INSERT INTO parts (whole) VALUES ('nobody')")
		return err
	}
	looks := func(tx *journal.Tx) error {
		var n int64
		if err := tx.QueryRow("SELECT count(*) FROM things", nil, &n); err != nil || n > 0 {
			return errors.Join(err, fmt.Errorf("there is a row already: %w", errNo))
		}
		return write(tx, "the key")
	}
	errs := together(t, j, refused, looks)
	if errs[0] == nil || errs[1] != nil || !slices.Equal(keys(t, j), []string{"the key"}) {
		t.Errorf("outcomes are %v, rows %v: want the first refused, and the second committed", errs, keys(t, j))
	}
}

// SQLite ends the whole transaction when there is no more room.
func TestTransactionThatTheDatabaseEnds(t *testing.T) {
	j := journal.Unhurried(withThings(t, sqlite.Options{}))
	attach(t, j)
	exec(t, j, "CREATE TABLE blobs (b BLOB)")
	exec(t, j, "PRAGMA max_page_count = 40")
	greedy := func(tx *journal.Tx) error {
		if err := write(tx, "greedy"); err != nil {
			return err
		}
		_, _ = tx.Exec("INSERT INTO blobs VALUES (zeroblob(1000000))")
		return nil
	}
	var runs atomic.Int64
	errs := together(t, j, counted(&runs, "a"), counted(&runs, "b"), greedy, counted(&runs, "c"))
	if errs[0] != nil || errs[1] != nil || errs[3] != nil || !errors.Is(errs[2], journal.ErrFull) || !errors.Is(errs[2], journal.ErrTransactionLost) {
		t.Errorf("outcomes are %v", errs)
	}
	if all := keys(t, j); !slices.Equal(all, []string{"a", "b", "c"}) || count(t, j, "journal") != 3 {
		t.Errorf("rows are %v, and there are %d events", all, count(t, j, "journal"))
	}
}

// A statement of a caller who doesn't wait any more runs to its end, and so do all the others.
func TestMemberCancelledMidStatement(t *testing.T) {
	j := journal.Unhurried(withThings(t, sqlite.Options{}))
	attach(t, j)
	release := hold(t, j)
	ctx, cancel := context.WithCancel(t.Context())
	var runs atomic.Int64
	first := queued(t, j, func() error { return j.Do(context.Background(), counted(&runs, "first")) })
	amid := queued(t, j, func() error {
		return j.Do(ctx, func(tx *journal.Tx) error {
			time.AfterFunc(time.Millisecond, cancel)
			var n int64
			for ctx.Err() == nil { // until it was cancelled in one of these
				err := tx.DB().WithContext(ctx).Raw("WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 10000) SELECT count(*) FROM c").Scan(&n).Error
				if err != nil {
					return err
				}
			}
			return write(tx, "cancelled")
		})
	})
	last := queued(t, j, func() error { return j.Do(context.Background(), counted(&runs, "last")) })
	release()
	if err := errors.Join(<-first, <-amid, <-last); err != nil {
		t.Errorf("outcomes are %v", err)
	}
	if all := keys(t, j); !slices.Equal(all, []string{"cancelled", "first", "last"}) || runs.Load() != 2 || count(t, j, "journal") != 3 {
		t.Errorf("rows are %v after %d runs, and there are %d events", all, runs.Load(), count(t, j, "journal"))
	}
}

// A member that waits for the writer which it holds itself, with a context that doesn't say so, ends at the limit; those before it run again.
func TestForeignContextAmidAGroup(t *testing.T) {
	j := journal.Unhurried(withThings(t, sqlite.Options{MemberLimit: 50 * time.Millisecond, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}))
	attach(t, j)
	var runs atomic.Int64
	var inner error
	errs := together(t, j, counted(&runs, "before"), func(tx *journal.Tx) error {
		if err := write(tx, "outer"); err != nil {
			return err
		}
		inner = j.Do(context.Background(), func(tx *journal.Tx) error { return write(tx, "inner") })
		return write(tx, "outer, later")
	}, counted(&runs, "after"))
	if errs[0] != nil || !errors.Is(errs[1], journal.ErrMemberTooLong) || errs[2] != nil || inner != nil {
		t.Errorf("outcomes are %v, of the inner member %v", errs, inner)
	}
	if all := keys(t, j); !slices.Equal(all, []string{"after", "before", "inner"}) || runs.Load() != 3 || count(t, j, "journal") != 3 {
		t.Errorf("rows are %v after %d runs, and there are %d events", all, runs.Load(), count(t, j, "journal"))
	}
}

// Whose member is done waits for the commit even when its context ends, but not for ever for somebody else's member.
func TestCallerCancelledInAGroup(t *testing.T) {
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	for name, c := range map[string]struct {
		held  time.Duration
		limit time.Duration
		want  error
	}{
		"the commit comes soon":     {limit: time.Minute},
		"another member takes long": {limit: 50 * time.Millisecond, want: journal.ErrOutcomeUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			j := journal.Unhurried(withThings(t, sqlite.Options{MemberLimit: c.limit, Logger: quiet}))
			attach(t, j)
			release := hold(t, j)
			ctx, cancel := context.WithCancel(t.Context())
			impatient := queued(t, j, func() error { return j.Do(ctx, func(tx *journal.Tx) error { return write(tx, "a") }) })
			cancelled, answered := make(chan struct{}), make(chan error, 1)
			other := queued(t, j, func() error {
				return j.Do(context.Background(), func(tx *journal.Tx) error {
					cancel()
					close(cancelled)
					if c.want != nil {
						answered <- <-impatient // while this one goes on
					}
					return write(tx, "b")
				})
			})
			release()
			<-cancelled
			if c.want == nil {
				answered <- <-impatient
			}
			if err := <-answered; !errors.Is(err, c.want) {
				t.Errorf("the caller was told %v, want %v", err, c.want)
			}
			if err := <-other; err != nil {
				t.Errorf("the other member: %v", err)
			}
			all := keys(t, j)
			if !slices.Equal(all, []string{"a", "b"}) {
				t.Errorf("rows are %v", all)
			}
		})
	}
}

// When nobody knows what became of a commit, nobody is told that it is done.
func TestOutcomeOfAGroupThatIsUnknown(t *testing.T) {
	j, f := openFlaky(t)
	attach(t, journal.Unhurried(j))
	exec(t, j, "CREATE TABLE things (k TEXT PRIMARY KEY)")
	var runs atomic.Int64
	errs := together(t, j, counted(&runs, "a"), func(tx *journal.Tx) error {
		f.breaks.Store(true)
		return write(tx, "b")
	}, func(*journal.Tx) error { return errNo }, counted(&runs, "c"))
	for i, err := range errs {
		if want := journal.ErrOutcomeUnknown; i != 2 && !errors.Is(err, want) || i == 2 && !errors.Is(err, errNo) {
			t.Errorf("member %d was told %v", i, err)
		}
	}
	if runs.Load() != 2 {
		t.Errorf("members ran %d times though they may be committed", runs.Load())
	}
}

// A background member that sleeps in its transaction, and wants the writer again at once, delays those who wait by its own time once, not each of them.
func TestSleepingHandlerDelaysOthersOnce(t *testing.T) {
	j := withThings(t, sqlite.Options{})
	attach(t, j)
	var committed, atSecond atomic.Int64
	second := make(chan struct{})
	holds := func(run func()) error {
		return j.Do(context.Background(), func(*journal.Tx) error { run(); return nil }, journal.Background(), journal.Named("sleeper"))
	}
	started := make(chan struct{})
	go func() {
		defer close(second)
		err := holds(func() {
			close(started)
			for journal.Waiting(j) < 64 {
				runtime.Gosched()
			}
			time.Sleep(300 * time.Millisecond) // is what is tested
		})
		if err := errors.Join(err, holds(func() { atSecond.Store(committed.Load()) })); err != nil {
			t.Error(err)
		}
	}()
	<-started
	var wg sync.WaitGroup
	for c := range 64 {
		wg.Go(func() {
			if err := j.Do(context.Background(), func(tx *journal.Tx) error { return write(tx, fmt.Sprint(c)) }); err != nil {
				t.Error(err)
			}
			committed.Add(1)
		})
	}
	wg.Wait()
	<-second
	if n := atSecond.Load(); n != 64 || len(keys(t, j)) != 64 {
		t.Errorf("when the sleeper had the writer again, %d of 64 callers had been told of their commit; there are %d rows", n, len(keys(t, j)))
	}
}
