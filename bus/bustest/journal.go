package bustest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// OpenJournal returns an empty journal and a function that records payloads with it, all of them or none.
// What it opens it closes with t.Cleanup.
type OpenJournal func(t *testing.T) (j bus.Journal, appendAll func(context.Context, ...bus.Payload) error)

// Journal is the suite that every implementation of bus.Journal passes.
func Journal(t *testing.T, open OpenJournal) {
	t.Helper()
	tests := []struct {
		name string
		run  func(*testing.T, *journalTest)
	}{
		{"empty", testEmpty},
		{"attached once", testAttachedOnce},
		{"numbers have no holes", testNumbers},
		{"numbers have no holes with many writers", testConcurrent},
		{"a failed append leaves nothing", testFailedAppend},
		{"pages", testPages},
		{"records come back as they were prepared", testRoundTrip},
		{"seq before a time", testSeqBefore},
		{"cursors are never lowered", testCursors},
		{"wakes after the commit", testWake},
		{"durable across restarts", testDurable},
		{"hands over what it commits", testCommitted},
		{"stores cursors that are left to it", testLeftCursors},
		{"keeps parked events", testParked},
		{"keeps attempts", testAttempts},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j, appendAll := open(t)
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			t.Cleanup(cancel)
			tt.run(t, &journalTest{j: j, append: appendAll, ctx: ctx})
		})
	}
}

type journalTest struct {
	j      bus.Journal
	append func(context.Context, ...bus.Payload) error
	ctx    context.Context
}

// Fact is the payload that the suite records.
type Fact struct {
	N  int    `json:"n"`
	VM string `json:"vm"`
}

// EventType implements bus.Payload.
func (f Fact) EventType() string { return "fact.noted" }

// Address implements bus.Addressed.
func (f Fact) Address() (tenant, kind, id string) { return "acme", "vm", f.VM }

// Odd is a payload that can't be recorded.
type Odd struct{}

// EventType implements bus.Payload.
func (Odd) EventType() string { return "not a type" }

func facts(from, to int) []bus.Payload {
	var all []bus.Payload
	for n := from; n <= to; n++ {
		all = append(all, Fact{N: n, VM: fmt.Sprintf("vm-%d", n%3)})
	}
	return all
}

// attach binds a bus that stamps and encodes, and tells of wakes.
func (jt *journalTest) attach(t *testing.T, wake func(uint64)) (detach func()) {
	t.Helper()
	b := bus.New(bus.Options{Source: "bustest"})
	t.Cleanup(func() { _ = b.Close(context.Background()) })
	if err := bus.Register[Fact](b, "fact.>", 3); err != nil {
		t.Fatal(err)
	}
	if wake == nil {
		wake = func(uint64) {}
	}
	detach, err := jt.j.Attach(bus.Attachment{Prepare: b.Prepare, Wake: wake})
	if err != nil {
		t.Fatalf("Attach: %v", err)
	}
	return detach
}

func (jt *journalTest) record(t *testing.T, payloads ...bus.Payload) {
	t.Helper()
	if err := jt.append(jt.ctx, payloads...); err != nil {
		t.Fatalf("append: %v", err)
	}
}

// all reads everything and checks that numbers are 1, 2, 3, …
func (jt *journalTest) all(t *testing.T, want int) []bus.Record {
	t.Helper()
	records, err := jt.j.Read(jt.ctx, 0, want+10)
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	if len(records) != want {
		t.Fatalf("Read returned %d records, want %d", len(records), want)
	}
	for i, r := range records {
		if r.Seq != uint64(i+1) {
			t.Fatalf("record %d has number %d", i, r.Seq)
		}
	}
	jt.bounds(t, 1, uint64(want))
	return records
}

func (jt *journalTest) bounds(t *testing.T, wantFirst, wantLast uint64) {
	t.Helper()
	first, last, err := jt.j.Bounds(jt.ctx)
	if err != nil || first != wantFirst || last != wantLast {
		t.Fatalf("Bounds = %d, %d, %v; want %d, %d", first, last, err, wantFirst, wantLast)
	}
}

func testEmpty(t *testing.T, jt *journalTest) {
	jt.bounds(t, 1, 0)
	jt.all(t, 0)
	if seq, err := jt.j.SeqBefore(jt.ctx, time.Now().Add(time.Hour)); seq != 0 || err != nil {
		t.Errorf("SeqBefore = %d, %v; want 0", seq, err)
	}
	if _, known, err := jt.j.Cursor(jt.ctx, "nobody"); known || err != nil {
		t.Errorf("Cursor of an unknown name: known %v, %v", known, err)
	}
}

func testAttachedOnce(t *testing.T, jt *journalTest) {
	detach := jt.attach(t, nil)
	again, err := jt.j.Attach(bus.Attachment{
		Prepare: func(context.Context, bus.Payload, ...bus.Stamp) (bus.Record, error) {
			return bus.Record{}, errors.New("the second bus must not be asked")
		},
		Wake: func(uint64) { t.Error("the second bus was woken") },
	})
	if !errors.Is(err, bus.ErrAttached) || again != nil {
		t.Fatalf("second Attach: %v, want ErrAttached and no detach", err)
	}
	jt.record(t, facts(1, 1)...)
	detach()
	jt.attach(t, nil)()
	jt.all(t, 1)
}

func decodeFact(t *testing.T, r bus.Record) Fact {
	t.Helper()
	var f Fact
	if err := json.Unmarshal(r.Data, &f); err != nil {
		t.Fatalf("record %d: %v", r.Seq, err)
	}
	return f
}
