package bustest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// testCommitted: what is handed over is what can be read, in order, each record once.
func testCommitted(t *testing.T, jt *journalTest) {
	var mu sync.Mutex
	var got []bus.Record
	b := bus.New(bus.Options{Source: "bustest"})
	t.Cleanup(func() { _ = b.Close(jt.ctx) })
	if err := bus.Register[Fact](b, "fact.>", 3); err != nil {
		t.Fatal(err)
	}
	detach, err := jt.j.Attach(bus.Attachment{Prepare: b.Prepare, Wake: func(uint64) {}, Committed: func(records []bus.Record) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, records...)
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer detach()
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for n := range 10 {
				if err := jt.append(jt.ctx, facts(100*w+n, 100*w+n+1)...); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	stored := jt.all(t, 80)
	mu.Lock()
	defer mu.Unlock()
	if len(got) != len(stored) {
		t.Fatalf("%d records were handed over, want %d", len(got), len(stored))
	}
	for i, r := range got {
		if r.Header != stored[i].Header || string(r.Data) != string(stored[i].Data) || !r.RecordedAt.Equal(stored[i].RecordedAt) {
			t.Fatalf("handed over %+v\nstored      %+v", r, stored[i])
		}
	}
}

// testLeftCursors: a cursor that was left is stored with what is committed next.
func testLeftCursors(t *testing.T, jt *journalTest) {
	leaver, ok := jt.j.(bus.CursorLeaver)
	if !ok {
		t.Skip("it stores each cursor apart")
	}
	jt.attach(t, nil)
	jt.record(t, facts(1, 3)...)
	if err := jt.j.SetCursor(jt.ctx, "left", 1); err != nil {
		t.Fatal(err)
	}
	if leaser, ok := jt.j.(bus.Leaser); ok { // only who has the name may leave its cursor
		lease, err := leaser.Lease(jt.ctx, "left", func(string) {})
		if err != nil {
			t.Fatal(err)
		}
		if lease != nil {
			defer func() { _ = lease.Release(jt.ctx) }()
		}
	}
	leaver.LeaveCursor("left", 3)
	leaver.LeaveCursor("left", 2) // it isn't lowered
	jt.record(t, facts(4, 4)...)
	if stored := leaver.LeaveCursor("left", 3); stored != 3 {
		t.Errorf("stored is %d, want 3", stored)
	}
	if at, known, err := jt.j.Cursor(jt.ctx, "left"); at != 3 || !known || err != nil {
		t.Errorf("Cursor: %d, %t, %v; want 3", at, known, err)
	}
}

func testParked(t *testing.T, jt *journalTest) {
	p, ok := jt.j.(bus.Parker)
	if !ok {
		t.Skip("it keeps no parked events")
	}
	jt.attach(t, nil)
	jt.record(t, facts(1, 9)...)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(p.Park(jt.ctx, "a", bus.Parking{Seq: 2, Reason: "no\x00 \xff", Tries: 3}, bus.Parking{Seq: 5}))
	must(p.Park(jt.ctx, "a", bus.Parking{Seq: 5, Reason: "behind"}, bus.Parking{Seq: 2, Reason: "waits"})) // they stay as they are
	must(p.Park(jt.ctx, "a", bus.Parking{Seq: 3, Reason: "other", Tries: 1}))
	must(p.Park(jt.ctx, "b", bus.Parking{Seq: 2, Reason: "b's", Tries: 1}))
	if err := p.Park(jt.ctx, "a", bus.Parking{Seq: 4, Tries: 1}, bus.Parking{Seq: 1000, Tries: 1}); err == nil {
		t.Error("an event that isn't there was parked")
	}
	jt.wantParked(t, p, bus.ParkedQuery{}, "a/2", "a/3", "a/5", "b/2")
	jt.wantParked(t, p, bus.ParkedQuery{Subscription: "a", After: 2, Limit: 1}, "a/3")
	jt.wantParked(t, p, bus.ParkedQuery{Subscription: "a", Kind: "vm", ResourceID: "vm-2"}, "a/2", "a/5")
	resources, err := p.ParkedResources(jt.ctx, "a")
	must(err)
	for i, r := range resources {
		if r.Reason == "" || r.At.IsZero() {
			t.Errorf("%+v doesn't say why and since when", r)
		}
		if resources[i].At = (time.Time{}); i == 0 {
			resources[i].Reason = "" // each journal has a way of its own with what isn't text
		}
	}
	want := []bus.ParkedResource{
		{Kind: "vm", ResourceID: "vm-2", Events: 2, First: 2, Type: "fact.noted", Tries: 3},
		{Kind: "vm", ResourceID: "vm-0", Events: 1, First: 3, Type: "fact.noted", Reason: "other", Tries: 1},
	}
	if !slices.Equal(resources, want) {
		t.Errorf("resources %+v\nwant      %+v", resources, want)
	}
	must(p.Park(jt.ctx, "a", bus.Parking{Seq: 2, Reason: "again", Tries: 4}))
	must(p.Unpark(jt.ctx, "a", 3, 5, 99))
	all := jt.wantParked(t, p, bus.ParkedQuery{Subscription: "a"}, "a/2")
	if e := all[0]; e.Reason != "again" || e.Tries != 4 || e.At.IsZero() || decodeFact(t, e.Record).N != 2 || e.Subject() != "vm/vm-2" {
		t.Errorf("parked %+v", e)
	}
}

func (jt *journalTest) wantParked(t *testing.T, p bus.Parker, q bus.ParkedQuery, want ...string) []bus.Parked {
	t.Helper()
	all, err := p.Parked(jt.ctx, q)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range all {
		got = append(got, fmt.Sprintf("%s/%d", e.Subscription, e.Seq))
	}
	if !slices.Equal(got, want) {
		t.Errorf("Parked(%+v) = %v, want %v", q, got, want)
	}
	return all
}
