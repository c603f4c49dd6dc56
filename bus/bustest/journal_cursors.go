package bustest

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

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
