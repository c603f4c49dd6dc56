package bus_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

func TestDurableStartsAtTheEndAndGoesOnAfterARestart(t *testing.T) {
	inBubble(t, func(w *world) {
		w.record(1, 2)
		s := &sink{}
		w.subscribe(s.handle, bus.Durable("d"))
		if at := w.cursor("d"); at != 2 {
			t.Errorf("a new name starts at %d, want 2", at)
		}
		w.restart() // before the first event: what comes between isn't lost
		w.record(3)
		w.subscribe(s.handle, bus.Durable("d"))
		w.record(4)
		w.flush()
		w.restart()
		w.record(5)
		w.subscribe(s.handle, bus.Durable("d"), bus.From(0)) // a known name keeps its cursor
		w.flush()
		s.want(t, 3, 4, 5)
	})
}

func TestDurableFromANumberOrATime(t *testing.T) {
	inBubble(t, func(w *world) {
		w.record(1, 2)
		time.Sleep(time.Hour)
		at := time.Now()
		w.record(3, 4)
		byTime, bySeq, byUint, live := &sink{}, &sink{}, &sink{}, &sink{}
		w.subscribe(byTime.handle, bus.Durable("time"), bus.From(at))
		w.subscribe(bySeq.handle, bus.Durable("seq"), bus.From(1))
		w.subscribe(byUint.handle, bus.From(uint64(3)))
		w.subscribe(live.handle)
		w.record(5)
		w.flush()
		w.publish(noted{N: 6})
		w.flush()
		byTime.want(t, 3, 4, 5)
		bySeq.want(t, 2, 3, 4, 5)
		byUint.want(t, 4, 5, 6)
		live.want(t, 5, 6)
	})
}

func TestDurableCursorIsAtMost100MillisecondsOr1000EventsLate(t *testing.T) {
	inBubble(t, func(w *world) {
		s := held()
		w.subscribe(s.handle, bus.Durable("d"), bus.Type("test.noted"))
		w.record(1, 2)
		s.gate <- struct{}{}
		synctest.Wait()
		if at := w.cursor("d"); at != 0 {
			t.Errorf("cursor is at %d at once: each event would cost a transaction", at)
		}
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		if at := w.cursor("d"); at != 1 {
			t.Errorf("cursor is at %d after 100 ms, want 1", at)
		}
		close(s.gate)
		w.record(upTo(3, 5000)...)
		synctest.Wait()
		if at := w.cursor("d"); at < 4000 {
			t.Errorf("cursor is at %d of 5000, more than 1,000 events late", at)
		}
		w.flush()
		time.Sleep(100 * time.Millisecond)
		for range 10 { // refused by the filter: they move the cursor too
			if _, err := w.j.Append(context.Background(), noted{Type: "test.other"}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(200 * time.Millisecond)
		synctest.Wait()
		if at := w.cursor("d"); at != 5010 {
			t.Errorf("cursor is at %d, want 5010", at)
		}
	})
}

func TestDurableGetsNoLiveEventsAndSaysSoOnce(t *testing.T) {
	inBubble(t, func(w *world) {
		s := &sink{}
		sub := w.subscribe(s.handle, bus.Durable("d"), bus.Type("test.noted"))
		w.publish(noted{N: 1}, noted{N: 2}, noted{N: 3, Type: "test.other"})
		w.record(4)
		w.flush()
		s.want(t, 4)
		if n := sub.Inspect().LiveIgnored; n != 2 {
			t.Errorf("%d live events were counted, want 2", n)
		}
		if lines := w.log.lines("no live events"); len(lines) != 1 {
			t.Errorf("%d lines, want 1", len(lines))
		}
	})
}

func TestDurableSlowsNobody(t *testing.T) {
	inBubble(t, func(w *world) {
		slow, live := held(), &sink{}
		w.subscribe(slow.handle, bus.Durable("slow"))
		w.subscribe(live.handle, bus.Queue(4096, bus.DropOldest))
		w.record(upTo(1, 3000)...)
		synctest.Wait()
		live.want(t, upTo(1, 3000)...)
		close(slow.gate)
		w.flush()
		slow.want(t, upTo(1, 3000)...)
	})
}

func TestDurableUnregisteredTypes(t *testing.T) {
	inBubble(t, func(w *world) {
		typed, all, raw := &sink{}, &sink{}, &sink{}
		w.subscribe(typed.handle, bus.Durable("typed"))
		for _, opts := range [][]bus.Option{{bus.Durable("any")}, nil} {
			_, err := bus.Subscribe(w.c, func(_ context.Context, e bus.Event[any]) error {
				if data, ok := e.Payload.(bus.Raw); !ok || string(data) != `{"x":1}` {
					t.Errorf("any got %#v", e.Payload)
				}
				all.add(int(e.Seq))
				return nil
			}, opts...)
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, opts := range [][]bus.Option{{bus.Durable("raw"), bus.Type("alien.*")}, {bus.Type("alien.*")}} {
			_, err := bus.Subscribe(w.c, func(_ context.Context, e bus.Event[bus.Raw]) error {
				raw.add(len(e.Payload))
				return nil
			}, opts...)
			if err != nil {
				t.Fatal(err)
			}
		}
		w.j.AppendRecords(
			bus.Record{Header: bus.Header{ID: bus.NewID(time.Now()), Type: "alien.seen", Schema: 1}, Data: []byte(`{"x":1}`)},
			bus.Record{Header: bus.Header{ID: bus.NewID(time.Now()), Type: "test.noted", Schema: 99}, Data: []byte(`{"x":1}`)},
		)
		w.flush()
		typed.want(t)
		raw.want(t, 7, 7)
		if n := len(all.numbers()); n != 4 {
			t.Errorf("takers of any got %d events, want 4", n)
		}
	})
}

func TestDurableSaysOnceWhatItPassesOverUnregistered(t *testing.T) {
	inBubble(t, func(w *world) {
		w.subscribe((&sink{}).handle, bus.Durable("typed"), bus.Type("alien.>"))
		for name, filter := range map[string]bus.Option{"addressed": bus.Where(func(bus.Header) bool { return true }), "filtered": bus.Type("vm.>")} {
			if _, err := bus.Subscribe(w.c, func(context.Context, bus.Event[bus.Addressed]) error { return nil }, bus.Durable(name), filter); err != nil {
				t.Fatal(err)
			}
		}
		for range 3 {
			w.j.AppendRecords(
				bus.Record{Header: bus.Header{ID: bus.NewID(time.Now()), Type: "alien.seen", Schema: 1}, Data: []byte(`{}`)},
				bus.Record{Header: bus.Header{ID: bus.NewID(time.Now()), Type: "strange.seen", Schema: 1}, Data: []byte(`{}`)},
			)
		}
		w.flush()
		for name, want := range map[string]int{"typed": 0, "addressed": 2, "filtered": 0} {
			if lines := w.log.lines("passes over", "subscription="+name); len(lines) != want {
				t.Errorf("%s says it %d times, want %d: %q", name, len(lines), want, lines)
			}
		}
	})
}

func TestDurableHaltsAtDataThatDoNotDecode(t *testing.T) {
	inBubble(t, func(w *world) {
		s, live := &sink{}, &sink{}
		sub := w.subscribe(s.handle, bus.Durable("d"), bus.OnFailure(bus.Halt))
		liveSub := w.subscribe(live.handle)
		raw := &sink{}
		_, err := bus.Subscribe(w.c, func(_ context.Context, e bus.Event[bus.Raw]) error {
			raw.add(len(e.Payload))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		w.record(1)
		w.j.AppendRecords(bus.Record{Header: bus.Header{ID: bus.NewID(time.Now()), Type: "test.noted", Schema: 1}, Data: []byte(`{"n":"x"}`)})
		w.record(3)
		<-sub.Done()
		var decode *bus.DecodeError
		var halt *bus.HaltError
		var syntax *json.UnmarshalTypeError
		if err := sub.Err(); !errors.As(err, &halt) || !errors.As(err, &decode) || !errors.As(err, &syntax) || decode.Seq != 2 || halt.Subscription != "d" {
			t.Errorf("Err = %v, want a *HaltError around a *DecodeError for 2", err)
		}
		if err := w.b.Flush(context.Background()); !errors.As(err, &halt) {
			t.Errorf("Flush: %v, want the *HaltError", err)
		}
		if at := w.cursor("d"); at != 1 {
			t.Errorf("cursor is at %d, want 1: before the culprit", at)
		}
		if i := sub.Inspect(); i.State != "halted" || i.Err == nil {
			t.Errorf("inspection says %s, %v", i.State, i.Err)
		}
		sub.Close()
		w.flush() // a closed one is nobody's failure
		s.want(t, 1)
		live.want(t, 1, 3)
		raw.want(t, len(`{"n":1}`), len(`{"n":"x"}`), len(`{"n":3}`))
		if i := liveSub.Inspect(); i.Failed != 1 || i.State != "running" {
			t.Errorf("live: failed %d, %s; want 1, running", i.Failed, i.State)
		}
	})
}

func TestDurableIsToldWhatRetentionTookAway(t *testing.T) {
	inBubble(t, func(w *world) {
		w.subscribe(ignore[noted], bus.Durable("d"))
		w.restart()
		w.record(upTo(1, 10)...)
		w.j.RemoveUpTo(7)
		w.restart() // what is in memory isn't missed
		s := &sink{}
		var gap bus.Gap
		sub := w.subscribe(s.handle, bus.Durable("d"), bus.OnGap(func(_ context.Context, g bus.Gap) { gap = g }))
		w.flush()
		s.want(t, 8, 9, 10)
		if gap.Count != 7 || gap.FirstSeq != 1 || gap.LastSeq != 7 {
			t.Errorf("gap %+v, want 7 events from 1 to 7", gap)
		}
		if sub.Inspect().Dropped != 7 || len(w.log.lines("removed from the journal", "subscription=d")) != 1 {
			t.Error("not counted and logged")
		}
	})
}

func TestDurableFindsRowsOfOtherServersByPolling(t *testing.T) {
	inBubble(t, func(w *world) {
		durable, live := &sink{}, &sink{}
		w.subscribe(durable.handle, bus.Durable("d"))
		w.subscribe(live.handle)
		r, err := w.b.Prepare(context.Background(), noted{N: 1})
		if err != nil {
			t.Fatal(err)
		}
		w.j.AppendSilently(r)
		time.Sleep(time.Second)
		synctest.Wait()
		durable.want(t, 1)
		live.want(t, 1)
		before := w.j.Reads()
		time.Sleep(time.Minute)
		if n := w.j.Reads() - before; n > 61 {
			t.Errorf("%d reads in an idle minute, want one a second", n)
		}
	})
}

func TestDurableOutlivesAFailingJournal(t *testing.T) {
	inBubble(t, func(w *world) {
		durable, live, batch := &sink{}, &sink{}, &sink{}
		w.subscribe(durable.handle, bus.Durable("d"))
		w.subscribe(live.handle)
		_, err := bus.SubscribeBatch(w.c, "b", func(_ context.Context, b bus.Batch[noted]) error {
			for _, e := range b.Events {
				batch.add(e.Payload.N)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		broken := errors.New("disk on fire")
		w.j.Fail(broken)
		w.record(1)
		time.Sleep(time.Minute)
		if i := w.b.Inspect(); !errors.Is(i.JournalErr, broken) {
			t.Errorf("inspection says %v", i.JournalErr)
		}
		if lines := w.log.lines("disk on fire"); len(lines) == 0 || len(lines) > 21 {
			t.Errorf("%d lines in a minute, want some, once in a while", len(lines))
		}
		if _, err := bus.Subscribe(w.c, ignore[noted], bus.Durable("new")); !errors.Is(err, broken) {
			t.Errorf("Subscribe: %v", err)
		}
		w.j.Fail(nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		for _, s := range []*sink{durable, live, batch} {
			s.want(t, 1)
		}
		if i := w.b.Inspect(); i.JournalErr != nil {
			t.Errorf("inspection still says %v", i.JournalErr)
		}
	})
}
