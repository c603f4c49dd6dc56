package journal_test

import (
	"sync"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
)

const day = 24 * time.Hour

// kept is a journal with a clock that tests set.
type kept struct {
	*journal.Journal
	t  testing.TB
	mu sync.Mutex
	at time.Time
}

func (k *kept) now() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.at
}

func (k *kept) pass(d time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.at = k.at.Add(d)
}

func openKept(t testing.TB, o sqlite.Options) *kept {
	t.Helper()
	k := &kept{t: t, at: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
	o.Now = k.now
	k.Journal = open(t, o)
	return k
}

// append appends n events in one member.
func (k *kept) append(n int) {
	k.t.Helper()
	err := k.Do(k.t.Context(), func(tx *journal.Tx) error {
		for range n {
			if _, err := tx.Append(note{Type: "a.b"}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		k.t.Fatal(err)
	}
}

// daily appends an event a day; the newest is as old as nothing.
func (k *kept) daily(n int) {
	k.t.Helper()
	for i := range n {
		if i > 0 {
			k.pass(day)
		}
		k.append(1)
	}
}

func (k *kept) cursor(name string, seq uint64) {
	k.t.Helper()
	if err := k.SetCursor(k.t.Context(), name, seq); err != nil {
		k.t.Fatal(err)
	}
}

// retain applies a policy and checks that what is left has no holes and begins where it should.
func (k *kept) retain(r journal.Retention, first uint64) journal.Retained {
	k.t.Helper()
	done, err := k.Retain(k.t.Context(), r)
	if err != nil {
		k.t.Fatal(err)
	}
	from, last, err := k.Bounds(k.t.Context())
	if err != nil || from != first || done.First != from || done.Last != last {
		k.t.Errorf("%d to %d are left (%v), want from %d; Retain says %d to %d", from, last, err, first, done.First, done.Last)
	}
	records, err := k.Read(k.t.Context(), 0, 1000)
	if err != nil || uint64(len(records)) != last+1-from || len(records) > 0 && records[0].Seq != from {
		k.t.Errorf("%d records can be read (%v), want %d to %d", len(records), err, from, last)
	}
	return done
}
