package bus_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/bustest"
)

// stalls keeps what OnSlow is told.
type stalls struct {
	mu  sync.Mutex
	all []bus.Slow
}

func (s *stalls) note(slow bus.Slow) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, slow)
}

func (s *stalls) first() bus.Slow {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[0]
}

// told is what has been told by now, in short.
func (s *stalls) told() (lines []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, slow := range s.all {
		verb := "begins"
		if slow.Over {
			verb = "ends"
		}
		lines = append(lines, fmt.Sprintf("%s %s %s %v", slow.Subscription, verb, slow.Event.ResourceID, slow.Lasted))
	}
	return lines
}

func (s *stalls) want(t *testing.T, want ...string) {
	t.Helper()
	if got := s.told(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("told\n %s\nwant\n %s", strings.Join(got, "\n "), strings.Join(want, "\n "))
	}
}

func takes(d time.Duration) func(context.Context, bus.Event[noted]) error {
	return func(_ context.Context, e bus.Event[noted]) error {
		if e.Payload.N == 0 {
			time.Sleep(d)
		}
		return nil
	}
}

func TestSlowHandlerIsNamedOnceAndItsEndToo(t *testing.T) {
	inBubble(t, func(w *world) {
		start := time.Now().UTC()
		var s stalls
		w.subscribe(takes(time.Minute), bus.Name("sluggish"), bus.OnSlow(10*time.Second, s.note))
		w.subscribe(takes(time.Second), bus.Name("brisk"), bus.OnSlow(10*time.Second, s.note))
		w.publish(noted{N: 1, VM: "quick"}, noted{VM: "stuck"}, noted{N: 1, VM: "waits"}, noted{N: 1, VM: "waits too"})
		time.Sleep(10*time.Second - time.Nanosecond)
		s.want(t)
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		s.want(t, "sluggish begins stuck 10s")
		got := s.first()
		if !got.Since.Equal(start) || got.RunningFor != 10*time.Second || got.OldestFor != 10*time.Second || got.Depth != 2 || !strings.HasPrefix(got.Site, "bus/helpers_test.go:") || got.Client != "client" {
			t.Errorf("told %+v; want since %v, running for 10s, two queued for 10s", got, start)
		}
		time.Sleep(time.Minute)
		s.want(t, "sluggish begins stuck 10s", "sluggish ends stuck 1m0s")
		for _, line := range []string{"subscription is slow", "no longer slow"} {
			if n := len(w.log.lines(line, "subscription=sluggish", "subscribed_at=bus/helpers_test.go:", "event=test.noted", "subject=vm/stuck", "since=")); n != 1 {
				t.Errorf("%d lines say %q, want 1", n, line)
			}
		}
		w.publish(noted{VM: "again"})
		time.Sleep(time.Hour)
		s.want(t, "sluggish begins stuck 10s", "sluggish ends stuck 1m0s", "sluggish begins again 10s", "sluggish ends again 1m0s")
	})
}

// Each handler is quick, but so many events wait that the last ones grow old.
func TestSlowQueueIsOneStallHoweverManyEventsWait(t *testing.T) {
	inBubble(t, func(w *world) {
		var s stalls
		w.subscribe(func(context.Context, bus.Event[noted]) error {
			time.Sleep(700 * time.Millisecond)
			return nil
		}, bus.Name("many"), bus.OnSlow(10*time.Second, s.note))
		for n := range 30 {
			w.publish(noted{VM: fmt.Sprint(n)})
		}
		time.Sleep(20 * time.Second)
		s.want(t, "many begins 14 10s")
		time.Sleep(time.Hour)
		if got := s.told(); len(got) != 2 || !strings.HasPrefix(got[1], "many ends 14 ") {
			t.Errorf("told %v, want one stall with its end", got)
		}
	})
}

func TestSlowRetriesAreNoRunningHandler(t *testing.T) {
	inBubble(t, func(w *world) {
		var s stalls
		sub := w.subscribe(func(context.Context, bus.Event[noted]) error { return errors.New("no") },
			bus.Retry(2, 30*time.Second), bus.Name("retries"), bus.OnSlow(10*time.Second, s.note))
		w.publish(noted{VM: "fails"})
		time.Sleep(20 * time.Second)
		s.want(t)
		if i := sub.Inspect(); i.RunningFor != 0 {
			t.Errorf("a handler runs for %v, but none does", i.RunningFor)
		}
		w.publish(noted{VM: "waits"})
		time.Sleep(time.Hour)
		if i := sub.Inspect(); i.Slowest != 0 || i.Failed != 4 {
			t.Errorf("slowest %v, failed %d; want 0s, 4: pauses aren't the handler's", i.Slowest, i.Failed)
		}
	})
}

func TestSlowNamesTheEventAmongDroppedOnes(t *testing.T) {
	inBubble(t, func(w *world) {
		var s stalls
		w.subscribe(takes(time.Minute), bus.Queue(4, bus.DropOldest), bus.Name("n"), bus.OnSlow(10*time.Second, s.note))
		w.publish(noted{VM: "first"})
		synctest.Wait()
		for n := range 4 { // taken together after the first
			w.publish(noted{VM: fmt.Sprint(n)})
		}
		time.Sleep(time.Minute + time.Second)
		for n := range 10 { // these drop what the worker has taken but not begun
			w.publish(noted{VM: fmt.Sprint("later ", n)})
		}
		time.Sleep(30 * time.Second)
		got := s.told()
		if len(got) != 3 || got[0] != "n begins first 10s" || got[2] != "n begins 0 10s" {
			t.Errorf("told %v; want stalls at the first and at 0, which is at hand", got)
		}
		if len(w.log.lines("drops events")) == 0 {
			t.Error("nothing was dropped")
		}
		time.Sleep(time.Hour)
	})
}

func TestSlowSubscriptionsOfAllKinds(t *testing.T) {
	inBubble(t, func(w *world) {
		w.close()
		var s stalls
		w.b = bus.New(bus.Options{Journal: w.j, Logger: quiet(), SlowAfter: time.Second, OnSlow: s.note})
		if err := bus.Register[noted](w.b, "test.>", 1); err != nil {
			t.Fatal(err)
		}
		w.c = w.b.Client("c")
		w.subscribe(takes(10*time.Second), bus.Durable("durable"))
		if _, err := w.j.Append(t.Context(), noted{VM: "a"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		s.want(t, "durable begins a 1s", "durable ends a 10s")
		_, err := bus.SubscribeBatch(w.c, "batch", func(context.Context, bus.Batch[noted]) error {
			time.Sleep(20 * time.Second)
			return nil
		}, bus.From(0))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		s.want(t, "durable begins a 1s", "durable ends a 10s", "batch begins a 1s", "batch ends a 20s")
	})
}

func TestSlowLanesAreOneStall(t *testing.T) {
	inBubble(t, func(w *world) {
		var s stalls
		w.subscribe(func(_ context.Context, e bus.Event[noted]) error {
			time.Sleep(time.Duration(e.Payload.N) * time.Second)
			return nil
		}, bus.Lanes(16), bus.Name("lanes"), bus.OnSlow(10*time.Second, s.note))
		w.publish(noted{N: 30, VM: "a"}, noted{N: 60, VM: "b"}, noted{N: 1, VM: "c"})
		time.Sleep(time.Hour)
		got := s.told()
		if len(got) != 2 || !strings.HasSuffix(got[1], " 1m0s") {
			t.Errorf("told %v, want one stall of a minute", got)
		}
	})
}

func TestSlowOnSlowThatPanicsOrTakesItsTime(t *testing.T) {
	inBubble(t, func(w *world) {
		var s stalls
		w.subscribe(takes(time.Minute), bus.OnSlow(time.Second, func(bus.Slow) { panic("mine") }), bus.Name("panics"))
		w.subscribe(takes(time.Minute), bus.OnSlow(time.Second, func(slow bus.Slow) {
			time.Sleep(5 * time.Minute)
			s.note(slow)
		}), bus.Name("dawdles"))
		w.publish(noted{VM: "a"})
		time.Sleep(time.Hour)
		if n := len(w.log.lines("OnSlow panicked", "subscription=panics")); n != 2 {
			t.Errorf("%d panics were logged, want 2", n)
		}
		s.want(t, "dawdles begins a 1s", "dawdles ends a 5m1s")
	})
}

func TestSlowNeverIfSoAsked(t *testing.T) {
	inBubble(t, func(w *world) {
		w.close()
		w.b = bus.New(bus.Options{Journal: w.j, Logger: quiet(), SlowAfter: -1, OnSlow: func(s bus.Slow) { t.Errorf("told %+v", s) }})
		w.c = w.b.Client("c")
		w.subscribe(takes(time.Hour))
		w.publish(noted{})
		w.flushWithin(2 * time.Hour)
	})
}

// A stuck handler costs nothing once it is reported: no timer runs.
func TestSlowWatcherSleepsWhenNobodyIsAtWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bus.New(bus.Options{Logger: quiet()})
		c := b.Client("c")
		gate := make(chan struct{})
		for range 3 {
			_, err := bus.Subscribe(c, func(context.Context, bus.Event[noted]) error { <-gate; return nil })
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := bus.Publish(t.Context(), c, noted{}); err != nil {
			t.Fatal(err)
		}
		looks := bus.Looks(b)
		time.Sleep(24 * time.Hour)
		if n := bus.Looks(b) - looks; n > 2 {
			t.Errorf("the watcher looked %d times in a day at handlers it has reported", n)
		}
		close(gate)
		bustest.Settle(t, b)
		time.Sleep(time.Minute) // the last look
		looks = bus.Looks(b)
		time.Sleep(24 * time.Hour)
		if n := bus.Looks(b) - looks; n != 0 {
			t.Errorf("the watcher looked %d times at an idle bus", n)
		}
		if err := b.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestSlowEndsWithTheBus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s stalls
		b := bus.New(bus.Options{Logger: quiet(), SlowAfter: time.Second, OnSlow: s.note})
		c := b.Client("c")
		if _, err := bus.Subscribe(c, takes(time.Minute), bus.Name("last")); err != nil {
			t.Fatal(err)
		}
		if err := bus.Publish(t.Context(), c, noted{VM: "a"}); err != nil {
			t.Fatal(err)
		}
		if err := b.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.want(t, "last begins a 1s", "last ends a 1m0s")
	})
}

// Whoever works gets looked at, whatever the others do, and each stall that has begun ends.
func TestSlowWhileEverybodyIsBusy(t *testing.T) {
	var begun, over atomic.Int64
	b := newBusWith(t, bus.Options{SlowAfter: time.Millisecond, OnSlow: func(s bus.Slow) {
		if s.Over {
			over.Add(1)
		} else {
			begun.Add(1)
		}
	}})
	c := b.Client("c")
	for i := range 8 {
		_, err := bus.Subscribe(c, func(_ context.Context, e bus.Event[noted]) error {
			if e.Payload.N%64 == i {
				for before := bus.Looks(b); bus.Looks(b) == before; {
					runtime.Gosched()
				}
			}
			return nil
		}, bus.Queue(8, bus.DropOldest))
		if err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for n := range 2000 {
				_ = bus.Publish(t.Context(), c, noted{N: n, VM: "x"})
				_ = b.Inspect()
			}
		})
	}
	wg.Wait()
	if err := b.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if begun.Load() == 0 || begun.Load() != over.Load() {
		t.Errorf("%d stalls began, %d ended", begun.Load(), over.Load())
	}
}
