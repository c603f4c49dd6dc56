package journal_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
)

func TestRetentionKeepsWhatThePolicySays(t *testing.T) {
	for name, c := range map[string]struct {
		policy journal.Retention
		first  uint64 // of 10, a day apart
	}{
		"nothing said":             {journal.Retention{}, 1},
		"age":                      {journal.Retention{Age: 3 * day}, 7}, // 7 is three days old: not longer ago
		"age, more than there are": {journal.Retention{Age: 30 * day}, 1},
		"rows":                     {journal.Retention{Rows: 4}, 7},
		"rows, as many as here":    {journal.Retention{Rows: 10}, 1},
		"the stricter of both":     {journal.Retention{Age: 5 * day, Rows: 2}, 9},
		"the other way":            {journal.Retention{Age: day, Rows: 8}, 9},
		"the horizon stays":        {journal.Retention{Age: time.Hour, Rows: 1, Horizon: 4 * day}, 6},
		"ten minutes of it":        {journal.Retention{Rows: 1}, 10},
	} {
		t.Run(name, func(t *testing.T) {
			k := openKept(t, sqlite.Options{})
			attach(t, k.Journal)
			k.daily(10)
			if done := k.retain(c.policy, c.first); done.Removed != c.first-1 {
				t.Errorf("Retain says %d were removed, want %d", done.Removed, c.first-1)
			}
			k.append(1) // numbers go on
			if _, last, err := k.Bounds(t.Context()); last != 11 || err != nil {
				t.Errorf("the next number is %d (%v), want 11", last, err)
			}
		})
	}
}

func TestRetentionMayRemoveEverything(t *testing.T) {
	k := openKept(t, sqlite.Options{})
	attach(t, k.Journal)
	k.append(700) // several members
	k.pass(2 * day)
	k.retain(journal.Retention{Age: day}, 701)
	k.retain(journal.Retention{Age: day}, 701)
	k.append(1)
	k.retain(journal.Retention{Age: day}, 701)
}

func TestRetentionStaysBehindEveryCursor(t *testing.T) {
	k := openKept(t, sqlite.Options{})
	attach(t, k.Journal)
	k.daily(10)
	k.cursor("fast", 10)
	k.cursor("slow", 3)
	done := k.retain(journal.Retention{Age: day}, 4)
	if done.HeldBy != "slow" || done.HeldAt != 3 {
		t.Errorf("held by %q at %d, want slow at 3", done.HeldBy, done.HeldAt)
	}
	k.cursor("slow", 5)
	k.retain(journal.Retention{Age: day}, 6)
	if err := k.Forget(t.Context(), "slow"); err != nil {
		t.Fatal(err)
	}
	if done := k.retain(journal.Retention{Age: day}, 9); done.HeldBy != "" {
		t.Errorf("held by %q", done.HeldBy)
	}
	if err := k.Forget(t.Context(), "slow"); err == nil || !strings.Contains(err.Error(), `"slow"`) {
		t.Errorf("forgotten twice: %v", err)
	}
}

// A computer without a battery begins in 1970.
func TestRetentionRemovesNothingYoungWhenTheClockWasWrong(t *testing.T) {
	k := openKept(t, sqlite.Options{})
	attach(t, k.Journal)
	k.append(3)
	right := k.now()
	k.pass(-60 * 365 * day)
	k.append(3)
	k.pass(right.Sub(k.now()))
	k.append(3)
	k.pass(time.Hour)
	k.retain(journal.Retention{Age: day}, 1)
	k.pass(day)
	k.retain(journal.Retention{Age: day}, 10)
}

func TestRetentionUnderLoadLeavesNoHoles(t *testing.T) {
	j := open(t, sqlite.Options{})
	attach(t, j)
	policy := journal.Retention{Rows: 50, Horizon: 1}
	ctx, stop := context.WithCancel(t.Context())
	var busy, others sync.WaitGroup
	for range 4 {
		busy.Go(func() {
			for range 50 {
				if err := appendNote(j, note{Type: "a.b"}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	others.Go(func() {
		for ctx.Err() == nil {
			if _, err := j.Retain(t.Context(), policy); err != nil {
				t.Error(err)
			}
		}
	})
	others.Go(func() {
		for at := uint64(0); ctx.Err() == nil; {
			page, err := j.Read(t.Context(), at, 20)
			if err != nil {
				t.Error(err)
				return
			}
			for _, r := range page {
				if r.Seq <= at {
					t.Errorf("%d after %d", r.Seq, at)
				}
				at = r.Seq
			}
		}
	})
	busy.Wait()
	stop()
	others.Wait()
	if _, err := j.Retain(t.Context(), policy); err != nil {
		t.Fatal(err)
	}
	if first, last, err := j.Bounds(t.Context()); first != 151 || last != 200 || err != nil {
		t.Errorf("%d to %d are left (%v), want 151 to 200", first, last, err)
	}
}

// said is a log that tells when something was logged.
type said struct {
	slog.Handler
	text string
	ch   chan struct{}
}

func (s said) Enabled(context.Context, slog.Level) bool { return true }
func (s said) Handle(_ context.Context, r slog.Record) error {
	if strings.Contains(r.Message, s.text) {
		select {
		case s.ch <- struct{}{}:
		default:
		}
	}
	return nil
}

func TestRetentionRunsByItselfUntilClose(t *testing.T) {
	log := said{slog.DiscardHandler, "old events were removed", make(chan struct{})}
	j := open(t, sqlite.Options{Logger: slog.New(log), Retention: journal.Retention{Rows: 3, Horizon: 1, Every: time.Millisecond}})
	attach(t, j)
	for range 20 {
		if err := appendNote(j, note{Type: "a.b"}); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // the second began after the appends
		<-log.ch
	}
	if first, _, err := j.Bounds(t.Context()); first != 18 || err != nil {
		t.Errorf("the first is %d (%v), want 18", first, err)
	}
}

func TestRetentionRefusesWhatCannotBe(t *testing.T) {
	j := open(t, sqlite.Options{})
	for field, r := range map[string]journal.Retention{
		"Age":       {Age: -1},
		"Horizon":   {Horizon: -1},
		"Unclaimed": {Unclaimed: -1},
		"Notice":    {Notice: 8 * day, Unclaimed: 2 * day},
		"Every":     {Every: -1},
	} {
		wrong := new(journal.RetentionError)
		if _, err := j.Retain(t.Context(), r); !errors.As(err, &wrong) || wrong.Field != field {
			t.Errorf("%+v: %v, want a RetentionError for %s", r, err, field)
		}
		if _, err := sqlite.Open(t.TempDir()+"/x.db", sqlite.Options{Retention: r}); !errors.As(err, &wrong) {
			t.Errorf("open with %+v: %v", r, err)
		}
	}
	err := j.Do(t.Context(), func(tx *journal.Tx) error {
		_, err := j.Retain(tx.Context(), journal.Retention{Age: day})
		return err
	})
	if !errors.Is(err, journal.ErrInWriter) {
		t.Errorf("from inside a member: %v, want ErrInWriter", err)
	}
}

func TestRetentionStopsWithItsContext(t *testing.T) {
	k := openKept(t, sqlite.Options{})
	attach(t, k.Journal)
	k.append(500)
	k.cursor("gone", 100)
	k.pass(25 * day)
	ctx, cancel := context.WithCancel(t.Context())
	policy := journal.Retention{Age: day, OnUnclaimed: func(journal.Claim) { cancel() }} // in the middle of it
	if _, err := k.Retain(ctx, policy); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
	if first, last, err := k.Bounds(t.Context()); first != 1 || last != 500 || err != nil {
		t.Errorf("%d to %d (%v), want all that were there", first, last, err)
	}
}
