package bustest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
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

func testNumbers(t *testing.T, jt *journalTest) {
	jt.attach(t, nil)
	jt.record(t, facts(1, 1)...)
	jt.record(t, facts(2, 6)...)
	jt.record(t, facts(7, 7)...)
	for i, r := range jt.all(t, 7) {
		if n := decodeFact(t, r).N; n != i+1 {
			t.Errorf("record %d is fact %d", r.Seq, n)
		}
	}
}

func testConcurrent(t *testing.T, jt *journalTest) {
	const writers, each = 8, 20
	jt.attach(t, nil)
	var wg sync.WaitGroup
	errs := make(chan error, writers*each)
	for w := range writers {
		wg.Go(func() {
			for n := range each {
				errs <- jt.append(jt.ctx, Fact{N: n, VM: fmt.Sprint(w)})
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Fatalf("append: %v", err)
		}
	}
	next := make(map[string]int)
	for _, r := range jt.all(t, writers*each) {
		f := decodeFact(t, r)
		if f.N != next[f.VM] {
			t.Fatalf("writer %s: fact %d at number %d, want fact %d", f.VM, f.N, r.Seq, next[f.VM])
		}
		next[f.VM]++
	}
}

func testFailedAppend(t *testing.T, jt *journalTest) {
	jt.attach(t, nil)
	jt.record(t, facts(1, 2)...)
	err := jt.append(jt.ctx, Fact{N: 3}, Odd{})
	if e := (*bus.HeaderError)(nil); !errors.As(err, &e) {
		t.Fatalf("append of a wrong type: %v, want a *bus.HeaderError", err)
	}
	jt.all(t, 2)
	jt.record(t, facts(3, 3)...)
	jt.all(t, 3)
}

func testPages(t *testing.T, jt *journalTest) {
	jt.attach(t, nil)
	jt.record(t, facts(1, 10)...)
	for _, tt := range []struct {
		after uint64
		limit int
		want  []uint64
	}{
		{0, 3, []uint64{1, 2, 3}},
		{3, 1, []uint64{4}},
		{7, 100, []uint64{8, 9, 10}},
		{9, 1, []uint64{10}},
		{10, 5, nil},
		{1000, 5, nil},
	} {
		records, err := jt.j.Read(jt.ctx, tt.after, tt.limit)
		var got []uint64
		for _, r := range records {
			got = append(got, r.Seq)
		}
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("Read(%d, %d) = %v, %v; want %v", tt.after, tt.limit, got, err, tt.want)
		}
	}
}

func testRoundTrip(t *testing.T, jt *journalTest) {
	var mu sync.Mutex
	var want []bus.Record
	b := bus.New(bus.Options{Source: "bustest"})
	t.Cleanup(func() { _ = b.Close(context.Background()) })
	if err := bus.Register[Fact](b, "fact.>", 3); err != nil {
		t.Fatal(err)
	}
	_, err := jt.j.Attach(bus.Attachment{
		Wake: func(uint64) {},
		Prepare: func(ctx context.Context, p bus.Payload, stamps ...bus.Stamp) (bus.Record, error) {
			stamps = append(stamps, func(h *bus.Header) {
				h.Actor, h.Version, h.CorrelationID, h.CausationID, h.TraceParent = "user:ü", 1<<62, "c'1", "c2", "00-1-2-01"
				h.Time = time.Date(1999, 12, 31, 23, 59, 59, 123456789, time.UTC)
			})
			r, err := b.Prepare(ctx, p, stamps...)
			mu.Lock()
			defer mu.Unlock()
			want = append(want, r)
			return r, err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	before := time.Now().Add(-time.Minute)
	jt.record(t, facts(1, 3)...)
	for i, r := range jt.all(t, 3) {
		if r.RecordedAt.Before(before) || r.RecordedAt.After(time.Now().Add(time.Minute)) || r.RecordedAt.Location() != time.UTC {
			t.Errorf("record %d: recorded at %v", r.Seq, r.RecordedAt)
		}
		w := want[i]
		w.Seq = r.Seq
		if r.Header != w.Header {
			t.Errorf("header of %d\n got %+v\nwant %+v", r.Seq, r.Header, w.Header)
		}
		if !bytes.Equal(r.Data, w.Data) {
			t.Errorf("data of %d: %s, want %s", r.Seq, r.Data, w.Data)
		}
	}
}

func testSeqBefore(t *testing.T, jt *journalTest) {
	jt.attach(t, nil)
	jt.record(t, facts(1, 4)...)
	jt.record(t, facts(5, 5)...)
	records := jt.all(t, 5)
	times := []time.Time{time.Unix(0, 0), time.Now().Add(time.Hour)}
	for _, r := range records {
		times = append(times, r.RecordedAt, r.RecordedAt.Add(1))
	}
	for _, at := range times {
		want := uint64(0)
		for _, r := range records {
			if r.RecordedAt.Before(at) {
				want = r.Seq
			}
		}
		if got, err := jt.j.SeqBefore(jt.ctx, at); got != want || err != nil {
			t.Errorf("SeqBefore(%v) = %d, %v; want %d", at, got, err, want)
		}
	}
}

func testCursors(t *testing.T, jt *journalTest) {
	set := func(name string, seq uint64) {
		t.Helper()
		if err := jt.j.SetCursor(jt.ctx, name, seq); err != nil {
			t.Fatalf("SetCursor(%q, %d): %v", name, seq, err)
		}
	}
	want := func(name string, seq uint64) {
		t.Helper()
		if got, known, err := jt.j.Cursor(jt.ctx, name); got != seq || !known || err != nil {
			t.Fatalf("Cursor(%q) = %d, %v, %v; want %d", name, got, known, err, seq)
		}
	}
	jt.attach(t, nil)
	jt.record(t, facts(1, 9)...)
	set("a", 0)
	want("a", 0)
	set("a", 7)
	set("a", 3)
	want("a", 7)
	set("O'Brien; --", 9)
	want("O'Brien; --", 9)
	want("a", 7)
}

func testWake(t *testing.T, jt *journalTest) {
	woken := make(chan uint64, 64)
	detach := jt.attach(t, func(last uint64) { woken <- last })
	for n := uint64(1); n <= 3; n++ {
		jt.record(t, Fact{N: int(n)}) // small
		for last := uint64(0); last < n; {
			select {
			case last = <-woken:
			case <-jt.ctx.Done():
				t.Fatalf("not woken for %d", n)
			}
		}
		if records, err := jt.j.Read(jt.ctx, n-1, 10); err != nil || len(records) != 1 {
			t.Fatalf("woken for %d, but Read found %d records, %v", n, len(records), err)
		}
	}
	detach()
}

func testDurable(t *testing.T, jt *journalTest) {
	var mu sync.Mutex
	var got []int
	run := func(from, to int) {
		t.Helper()
		b := bus.New(bus.Options{Journal: jt.j})
		if err := bus.Register[Fact](b, "fact.>", 1); err != nil {
			t.Fatal(err)
		}
		jt.record(t, facts(from, to)...)
		_, err := bus.Subscribe(b.Client("test"), func(_ context.Context, e bus.Event[Fact]) error {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, e.Payload.N)
			return nil
		}, bus.Durable("reader"), bus.From(2))
		if err != nil {
			t.Fatalf("Subscribe: %v", err)
		}
		jt.record(t, facts(to+1, to+5)...)
		if err := b.Flush(jt.ctx); err != nil {
			t.Fatalf("Flush: %v", err)
		}
		if err := b.Close(jt.ctx); err != nil {
			t.Fatalf("Close: %v", err)
		}
	}
	run(1, 5)
	run(11, 15)
	run(21, 25)
	mu.Lock()
	defer mu.Unlock()
	var want []int
	for n := 3; n <= 30; n++ {
		want = append(want, n)
	}
	if !slices.Equal(got, want) {
		t.Errorf("handled %v\nwant    %v", got, want)
	}
}

func decodeFact(t *testing.T, r bus.Record) Fact {
	t.Helper()
	var f Fact
	if err := json.Unmarshal(r.Data, &f); err != nil {
		t.Fatalf("record %d: %v", r.Seq, err)
	}
	return f
}
