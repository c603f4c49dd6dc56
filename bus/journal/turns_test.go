package journal_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
)

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
	j := journal.Unhurried(open(t, sqlite.Options{}))
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

// A caller may be cancelled just when its turn comes: the turn must not be lost with it.
func TestTurnOfWhoLeavesIsPassedOn(t *testing.T) {
	j := open(t, sqlite.Options{})
	for range 200 {
		release := hold(t, j)
		ctx, cancel := context.WithCancel(t.Context())
		leaving := queued(t, j, func() error { return j.Do(ctx, func(*journal.Tx) error { return nil }) })
		go cancel()
		release()
		if err := <-leaving; err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		cancel()
		soon, stop := context.WithTimeout(t.Context(), 10*time.Second)
		err := j.Do(soon, func(*journal.Tx) error { return nil })
		stop()
		if err != nil {
			t.Fatalf("nobody gets the writer any more: %v", err)
		}
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
	for range 50 {
		if err := j.Close(ended); err != nil {
			t.Fatalf("with nobody to wait for, an ended context is no matter: %v", err)
		}
	}
}

// Callers of every sort side by side: what was acknowledged is there, once, with its event; nothing else is; and nobody waits for ever.
func TestStress(t *testing.T) {
	j := withThings(t, sqlite.Options{})
	attach(t, j)
	var acknowledged atomic.Int64
	member := func(key string, kind int) func(*journal.Tx) error {
		return func(tx *journal.Tx) error {
			if err := insert(tx, key); err != nil {
				return err
			}
			if _, err := tx.Append(note{Type: "note.made", Text: key}); err != nil {
				return err
			}
			switch kind {
			case 1:
				return errNo
			case 2:
				panic(errNo)
			case 3:
				runtime.Goexit()
			}
			return nil
		}
	}
	var wg sync.WaitGroup
	for c := range 200 {
		kind, opts := c%6, []journal.MemberOption(nil)
		if c%7 == 0 {
			opts = append(opts, journal.Background())
		}
		wg.Go(func() {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			if kind == 4 {
				wg.Go(cancel) // sometimes before its turn, sometimes after it
			}
			err := j.Do(ctx, member(fmt.Sprint(c), kind), opts...)
			switch {
			case err == nil:
				acknowledged.Add(1)
			case kind == 4 && errors.Is(err, context.Canceled), (kind == 1 || kind == 2) && errors.Is(err, errNo):
			default:
				t.Errorf("caller %d: %v", c, err)
			}
		})
	}
	wg.Wait()
	things, events, want := count(t, j, "things"), count(t, j, "journal"), acknowledged.Load()
	_, last, err := j.Bounds(t.Context())
	if err != nil || things != want || events != want || last != uint64(want) || want < 60 {
		t.Errorf("%d were acknowledged; %d rows, %d events, numbered up to %d (%v)", want, things, events, last, err)
	}
}
