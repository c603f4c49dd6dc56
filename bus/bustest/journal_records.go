package bustest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

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
