package journal_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
)

func appendNote(j *journal.Journal, n note, stamps ...bus.Stamp) error {
	return j.Do(context.Background(), func(tx *journal.Tx) error {
		_, err := tx.Append(n, stamps...)
		return err
	})
}

func TestNumbersAreGaplessUnderFailures(t *testing.T) {
	j := open(t, sqlite.Options{})
	attach(t, j)
	const callers, each = 64, 10
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for i := range each {
				err := j.Do(context.Background(), func(tx *journal.Tx) error {
					for range 1 + i%3 {
						if _, err := tx.Append(note{Type: "note.made", Text: fmt.Sprintf("%d/%d", c, i)}); err != nil {
							return err
						}
					}
					switch {
					case i%5 == 1:
						return errNo
					case i%5 == 2:
						panic(errNo)
					}
					return nil
				})
				if failed := i%5 == 1 || i%5 == 2; errors.Is(err, errNo) != failed {
					t.Errorf("caller %d, member %d: %v", c, i, err)
				}
			}
		})
	}
	wg.Wait()
	// of i = 0..9: 0 3 4 5 8 9 commit, with 1 1 2 3 3 1 events
	const want = callers * 11
	first, last, err := j.Bounds(t.Context())
	if err != nil || first != 1 || last != want {
		t.Fatalf("bounds %d to %d (%v), want 1 to %d", first, last, err, want)
	}
	next, prev := uint64(1), bus.Record{}
	for {
		page, err := j.Read(t.Context(), next-1, 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, r := range page {
			if r.Seq != next {
				t.Fatalf("number %d after %d", r.Seq, next-1)
			}
			if r.RecordedAt.Before(prev.RecordedAt) {
				t.Fatalf("number %d was recorded before %d", r.Seq, prev.Seq)
			}
			next, prev = next+1, r
		}
	}
	if next != want+1 {
		t.Errorf("read up to %d, want %d", next-1, want)
	}
}

func TestRecordComesBackAsItWent(t *testing.T) {
	j := open(t, sqlite.Options{})
	woken := attach(t, j)
	at := time.Date(2031, 5, 6, 7, 8, 9, 123456789, time.UTC)
	want := bus.Header{
		ID: bus.NewID(at), Type: "vm.state.running", Schema: 3, Source: "cloudbus/eu1", Kind: "vm", ResourceID: "42", Time: at, Seq: 1,
		Tenant: "acmé", Actor: "user:42", Version: 7, CorrelationID: "c", CausationID: "d", TraceParent: "00-ab-cd-01",
	}
	before := time.Now()
	if err := appendNote(j, note{Type: "vm.state.running", Text: "\"quoted\" 'n' ☃"}, func(h *bus.Header) { *h = want }); err != nil {
		t.Fatal(err)
	}
	records, err := j.Read(t.Context(), 0, 10)
	if err != nil || len(records) != 1 {
		t.Fatalf("%v, %v", records, err)
	}
	got := records[0]
	if got.Header != want {
		t.Errorf("header\n%+v, want\n%+v", got.Header, want)
	}
	if string(got.Data) != `{"type":"vm.state.running","text":"\"quoted\" 'n' ☃"}` {
		t.Errorf("data %s", got.Data)
	}
	if got.RecordedAt.Before(before) || got.RecordedAt.After(time.Now()) {
		t.Errorf("recorded at %s", got.RecordedAt)
	}
	if woken.Load() != 1 {
		t.Errorf("Wake was told %d, want 1", woken.Load())
	}
}

func TestAppendWithoutBus(t *testing.T) {
	j := open(t, sqlite.Options{})
	if err := appendNote(j, note{Type: "a.b"}); !errors.Is(err, journal.ErrNotAttached) {
		t.Errorf("%v, want ErrNotAttached", err)
	}
	attach(t, j)
	if _, err := j.Attach(bus.Attachment{Prepare: func(context.Context, bus.Payload, ...bus.Stamp) (bus.Record, error) { return bus.Record{}, nil }, Wake: func(uint64) {}}); !errors.Is(err, bus.ErrAttached) {
		t.Errorf("a second bus: %v, want ErrAttached", err)
	}
	if err := appendNote(j, note{Type: "a.b"}, bus.WithTime(time.Date(1500, 1, 1, 0, 0, 0, 0, time.UTC))); err == nil {
		t.Error("a time that can't be stored was taken")
	}
}

func TestSeqBefore(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	j := open(t, sqlite.Options{Now: func() time.Time { return now }})
	attach(t, j)
	start := now
	for range 3 {
		now = now.Add(time.Hour)
		if err := appendNote(j, note{Type: "a.b"}); err != nil {
			t.Fatal(err)
		}
	}
	for offset, want := range map[time.Duration]uint64{0: 0, time.Hour: 0, time.Hour + 1: 1, 3 * time.Hour: 2, 99 * time.Hour: 3} {
		if got, err := j.SeqBefore(t.Context(), start.Add(offset)); err != nil || got != want {
			t.Errorf("SeqBefore(+%s) = %d, %v, want %d", offset, got, err, want)
		}
	}
}

func TestEmptyJournal(t *testing.T) {
	j := open(t, sqlite.Options{})
	if first, last, err := j.Bounds(t.Context()); first != 1 || last != 0 || err != nil {
		t.Errorf("bounds %d, %d, %v, want 1, 0", first, last, err)
	}
	if r, err := j.Read(t.Context(), 0, 10); len(r) != 0 || err != nil {
		t.Errorf("read %v, %v", r, err)
	}
}

func TestHoleIsAnError(t *testing.T) {
	j := open(t, sqlite.Options{})
	attach(t, j)
	for range 3 {
		if err := appendNote(j, note{Type: "a.b"}); err != nil {
			t.Fatal(err)
		}
	}
	exec(t, j, "DELETE FROM journal WHERE seq = 2")
	if _, err := j.Read(t.Context(), 0, 10); !errors.Is(err, journal.ErrCorrupt) {
		t.Errorf("read over a hole: %v, want ErrCorrupt", err)
	}
	if _, err := j.Read(t.Context(), 1, 10); !errors.Is(err, journal.ErrCorrupt) {
		t.Errorf("read that begins at a hole: %v, want ErrCorrupt", err)
	}
	exec(t, j, "DELETE FROM journal WHERE seq < 3")
	if r, err := j.Read(t.Context(), 0, 10); err != nil || len(r) != 1 || r[0].Seq != 3 {
		t.Errorf("read behind what was removed: %v, %v", r, err)
	}
}

func TestReadRefusesALimitBelowOne(t *testing.T) {
	j := open(t, sqlite.Options{})
	attach(t, j)
	for range 6 {
		if err := appendNote(j, note{Type: "a.b"}); err != nil {
			t.Fatal(err)
		}
	}
	for _, limit := range []int{0, -1} {
		if r, err := j.Read(t.Context(), 0, limit); err == nil {
			t.Errorf("limit %d: %d records", limit, len(r))
		}
	}
}
