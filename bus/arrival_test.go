package bus_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"pgregory.net/rapid"
)

func TestRecordedEventsAreShownWithoutReadingThemBack(t *testing.T) {
	inBubble(t, func(w *world) {
		s := &sink{}
		w.subscribe(s.handle)
		synctest.Wait()
		before := w.j.Reads()
		w.record(1, 2, 3)
		synctest.Wait()
		s.want(t, 1, 2, 3)
		if n := w.j.Reads() - before; n != 0 {
			t.Errorf("%d reads, want none: the journal has handed them over", n)
		}
	})
}

func TestRecordedEventsOfOthersAreReadBeforeOnesOwn(t *testing.T) {
	inBubble(t, func(w *world) {
		s := &sink{}
		w.subscribe(s.handle)
		foreign, err := w.b.Prepare(context.Background(), noted{N: 2})
		if err != nil {
			t.Fatal(err)
		}
		w.record(1)
		w.j.AppendSilently(foreign)
		w.record(3)
		synctest.Wait()
		s.want(t, 1, 2, 3)
	})
}

func TestRecordedEventsWaitForTheJournalAtAHole(t *testing.T) {
	inBubble(t, func(w *world) {
		s := &sink{}
		w.subscribe(s.handle)
		away := errors.New("away")
		w.j.Fail(away)
		w.record(1) // not handed over, not readable
		synctest.Wait()
		w.j.Fail(nil)
		w.record(2)
		time.Sleep(time.Minute)
		s.want(t, 1, 2)
	})
}

// What comes from memory equals what comes from the journal.
func TestRecordedValuesEqualWhatIsReadBack(t *testing.T) {
	b := newBus(t, nil)
	if err := bus.Register[leaf](b, "leaf.>", 1); err != nil {
		t.Fatal(err)
	}
	if err := bus.Register[machine](b, "machine.>", 1); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		now := time.Now()
		in := leaf{
			Name: rapid.OneOf(rapid.String(), rapid.Just("\xff bad")).Draw(t, "name"), N: rapid.Int64().Draw(t, "n"), Secret: "s", Local: "l", note: "n",
			At: rapid.SampledFrom([]time.Time{{}, now, now.UTC(), now.In(time.FixedZone("X", 3600))}).Draw(t, "at"),
		}
		r, err := b.Prepare(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		got, carried := bus.CarriedValue[leaf](&r)
		want, err := bus.DecodedValue[leaf](b, bus.Record{Header: r.Header, Data: r.Data})
		if err != nil {
			t.Fatal(err)
		}
		if !carried || got != want {
			t.Fatalf("carried (%t) %#v\nread back     %#v\nfrom %s", carried, got, want, r.Data)
		}
		big, err := b.Prepare(t.Context(), drawMachine(t))
		if err != nil {
			t.Fatal(err)
		}
		if _, carried := bus.CarriedValue[machine](&big); carried {
			t.Fatal("a payload with maps and slices is carried: subscribers would share them")
		}
	})
}

// leaf is a payload without references.
type leaf struct {
	Name   string    `json:"name"`
	N      int64     `json:"n,omitempty"`
	At     time.Time `json:"at,omitzero"`
	Secret string    `json:"secret" cloudbus:"secret"`
	Local  string    `json:"-"`
	note   any
}

func (leaf) EventType() string { return "leaf.grown" }

// tree has what subscribers could change.
type tree struct {
	Tags map[string]string `json:"tags"`
	Ns   []int             `json:"ns"`
}

func (tree) EventType() string { return "tree.grown" }

func TestRecordedPayloadsAreNotThePublishers(t *testing.T) {
	inBubble(t, func(w *world) {
		if err := bus.Register[tree](w.b, "tree.>", 1); err != nil {
			t.Fatal(err)
		}
		var got []tree
		if _, err := bus.Subscribe(w.c, func(_ context.Context, e bus.Event[tree]) error {
			got = append(got, e.Payload)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		mine := tree{Tags: map[string]string{"a": "b"}, Ns: []int{1}}
		if _, err := w.j.Append(context.Background(), mine); err != nil {
			t.Fatal(err)
		}
		mine.Tags["a"], mine.Ns[0] = "changed", 2
		w.flush()
		if len(got) != 1 || got[0].Tags["a"] != "b" || got[0].Ns[0] != 1 {
			t.Errorf("got %v: the publisher's later changes show", got)
		}
	})
}
