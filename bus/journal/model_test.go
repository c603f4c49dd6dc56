package journal_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres/postgrestest"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
	"gorm.io/gorm"
)

// conduct is what a member does beside writing a row and an event, and what may come of it.
type conduct struct {
	name string
	fn   func(j *journal.Journal, tx *journal.Tx, key string) error
	err  error // what Do returns; nil: the member is committed
}

// write is the work that is all there or not at all.
func write(tx *journal.Tx, key string) error {
	text := "INSERT INTO things (k) VALUES (?)"
	if postgrestest.On() {
		text = "INSERT INTO things (k) VALUES ($1)"
	}
	if _, err := tx.Exec(text, key); err != nil {
		return err
	}
	_, err := tx.Append(note{Type: "note.made", Text: key})
	return err
}

// then is a member that writes and goes on.
func then(next func(j *journal.Journal, tx *journal.Tx) error) func(*journal.Journal, *journal.Tx, string) error {
	return func(j *journal.Journal, tx *journal.Tx, key string) error {
		if err := write(tx, key); err != nil {
			return err
		}
		return next(j, tx)
	}
}

var errAny = errors.New("any error")

var conducts = []conduct{
	{name: "writes", fn: then(func(*journal.Journal, *journal.Tx) error { return nil })},
	{name: "writes through gorm", fn: func(_ *journal.Journal, tx *journal.Tx, key string) error {
		if err := insert(tx, key); err != nil {
			return err
		}
		_, err := tx.Append(note{Type: "note.made", Text: key})
		return err
	}},
	{name: "reads, then writes", fn: func(_ *journal.Journal, tx *journal.Tx, key string) error {
		var n int64
		if err := tx.DB().Table("things").Count(&n).Error; err != nil {
			return err
		}
		return write(tx, key)
	}},
	{name: "ignores a failed statement", fn: then(func(_ *journal.Journal, tx *journal.Tx) error {
		fail := func(db *gorm.DB) error { return db.Exec("INSERT INTO things (k) VALUES ('taken')").Error }
		if postgrestest.On() {
			alone := fail
			fail = func(db *gorm.DB) error { return db.Transaction(alone) } // a savepoint is what makes it harmless there
		}
		if fail(tx.DB()) == nil {
			return errNo
		}
		return nil
	})},
	{name: "undoes a part", fn: then(func(_ *journal.Journal, tx *journal.Tx) error {
		_ = tx.DB().SavePoint("part").Error
		_, _ = tx.Exec("DELETE FROM things")
		return tx.DB().RollbackTo("part").Error
	})},
	{name: "nests", fn: then(func(j *journal.Journal, tx *journal.Tx) error {
		if err := j.Do(tx.Context(), func(*journal.Tx) error { return nil }); !errors.Is(err, journal.ErrInWriter) {
			return fmt.Errorf("nested: %w", err)
		}
		return nil
	})},
	{name: "fails at once", err: errNo, fn: func(*journal.Journal, *journal.Tx, string) error { return errNo }},
	{name: "finds nothing and fails", err: errNo, fn: func(_ *journal.Journal, tx *journal.Tx, _ string) error {
		if _, err := tx.Exec("UPDATE things SET k = 'x' WHERE k = 'nobody'"); err != nil {
			return err
		}
		return errNo
	}},
	{name: "writes and fails", err: errNo, fn: then(func(*journal.Journal, *journal.Tx) error { return errNo })},
	{name: "writes a key that is taken", err: errAny, fn: func(_ *journal.Journal, tx *journal.Tx, _ string) error { return write(tx, "taken") }},
	{name: "panics", err: errNo, fn: then(func(*journal.Journal, *journal.Tx) error { panic(errNo) })},
	{name: "ends its goroutine", err: errAny, fn: then(func(*journal.Journal, *journal.Tx) error { runtime.Goexit(); return nil })},
	{name: "is refused by COMMIT", err: errAny, fn: then(func(_ *journal.Journal, tx *journal.Tx) error {
		_, err := tx.Exec("INSERT INTO parts (whole) VALUES ('nobody')")
		return err
	})},
}

// tooSlow is apart: one of it takes as long as a thousand others.
var tooSlow = conduct{name: "takes too long", err: journal.ErrMemberTooLong, fn: then(func(_ *journal.Journal, tx *journal.Tx) error {
	for tx.QueryRow("SELECT 1", nil, new(int)) == nil {
		time.Sleep(time.Millisecond) // holds everyone up, as it is supposed to
	}
	return nil
})}

// ledger is the model: what there must be, and what there may be.
type ledger struct {
	mu             sync.Mutex
	known, unknown []string
}

// add notes what became of a member, and reports whether that was possible.
func (l *ledger) add(c conduct, key string, err error, cancelled bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err == nil:
		l.known = append(l.known, key)
		return c.err == nil
	case cancelled && errors.Is(err, journal.ErrOutcomeUnknown):
		l.unknown = append(l.unknown, key)
		return true
	case cancelled && errors.Is(err, context.Canceled):
		return true
	}
	return c.err == errAny || c.err != nil && errors.Is(err, c.err)
}

// check compares keys with the model; those there are have to be there once.
func (l *ledger) check(t *testing.T, what string, keys []string) {
	t.Helper()
	for _, k := range l.known {
		if !slices.Contains(keys, k) {
			t.Errorf("%s: %s was acknowledged and isn't there", what, k)
		}
	}
	for i, k := range keys {
		if !slices.Contains(l.known, k) && !slices.Contains(l.unknown, k) {
			t.Errorf("%s: %s is there and wasn't acknowledged", what, k)
		}
		if slices.Contains(keys[:i], k) {
			t.Errorf("%s: %s is there twice", what, k)
		}
	}
}

// call runs a member as one of many sorts of callers would.
func (l *ledger) call(t *testing.T, j *journal.Journal, c conduct, key string, rnd *rand.Rand) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	cancelled := rnd.IntN(8) == 0
	if cancelled {
		defer time.AfterFunc(time.Duration(rnd.IntN(2000))*time.Microsecond, cancel).Stop()
	}
	var opts []journal.MemberOption
	if rnd.IntN(4) == 0 {
		opts = append(opts, journal.Background())
	}
	err := errAny // of who ends his goroutine
	defer func() {
		if !l.add(c, key, err, cancelled) {
			t.Errorf("%s: a member that %s: Do returned %v, want %v", key, c.name, err, c.err)
		}
	}()
	err = j.Do(ctx, func(tx *journal.Tx) error { return c.fn(j, tx, key) }, opts...)
}

// Callers of every sort side by side, as a model has it: there are the rows and the events of those that were acknowledged, once each, and no others.
// Numbers have no holes, and the bus was handed what is in the journal, in its order.
func TestMembersOfAGroupDontTouchOneAnother(t *testing.T) {
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	j := withThings(t, sqlite.Options{MemberLimit: 250 * time.Millisecond, Logger: quiet})
	shown := attachShown(t, j)
	exec(t, j, "CREATE TABLE parts (whole TEXT REFERENCES things (k) DEFERRABLE INITIALLY DEFERRED)")
	exec(t, j, "INSERT INTO things VALUES ('taken')")

	var model ledger
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	var wg sync.WaitGroup
	for caller := range 48 {
		rnd := rand.New(rand.NewPCG(seed, uint64(caller)))
		wg.Go(func() {
			for i := range 20 {
				c := conducts[rnd.IntN(len(conducts))]
				if caller == 0 && i == 10 {
					c = tooSlow
				}
				done := make(chan struct{})
				go func() { // a member may end it
					defer close(done)
					model.call(t, j, c, fmt.Sprintf("%d-%d", caller, i), rnd)
				}()
				<-done
			}
		})
	}
	wg.Wait()

	var keys, events []string
	if err := j.DB().Table("things").Where("k <> 'taken'").Pluck("k", &keys).Error; err != nil {
		t.Fatal(err)
	}
	model.check(t, "rows", keys)
	records, err := j.Read(t.Context(), 0, 10_000) // which refuses holes
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		var n note
		if err := json.Unmarshal(r.Data, &n); err != nil {
			t.Fatal(err)
		}
		events = append(events, n.Text)
	}
	model.check(t, "events", events)
	if _, last, err := j.Bounds(t.Context()); err != nil || last != uint64(len(keys)) || len(events) != len(keys) {
		t.Errorf("there are %d rows and %d events, numbered up to %d (%v)", len(keys), len(events), last, err)
	}
	same := func(a, b bus.Record) bool { return a.Seq == b.Seq && a.ID == b.ID && a.RecordedAt.Equal(b.RecordedAt) }
	if got := shown(); !slices.EqualFunc(got, records, same) {
		t.Errorf("the bus was handed %d records, which aren't the %d of the journal", len(got), len(records))
	}
}
