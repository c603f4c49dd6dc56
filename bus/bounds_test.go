package bus_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/bustest"
)

func TestBoundsGapNoticeSaysExactlyWhatWasDropped(t *testing.T) {
	tests := []struct {
		name   string
		policy bus.Policy
		want   []int // negative: a gap of that size
		gap    bus.Gap
	}{
		{"DropOldest", bus.DropOldest, append([]int{1, -6}, upTo(8, 11)...), bus.Gap{Count: 6, FirstSeq: 2, LastSeq: 7}},
		{"DropNewest", bus.DropNewest, []int{1, 2, 3, 4, 5, -6, 12}, bus.Gap{Count: 6, FirstSeq: 6, LastSeq: 11}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(w *world) {
				s := held()
				var gaps []bus.Gap
				sub := w.subscribe(s.handle, bus.Queue(4, tt.policy), bus.OnGap(func(_ context.Context, g bus.Gap) {
					gaps = append(gaps, g)
					s.add(-int(g.Count))
				}))
				w.record(1)
				synctest.Wait()
				start := time.Now()
				w.record(upTo(2, 11)...)
				synctest.Wait()
				if i := sub.Inspect(); i.Depth != 4 || i.Dropped != 6 {
					t.Errorf("depth %d, dropped %d; want 4, 6", i.Depth, i.Dropped)
				}
				time.Sleep(time.Minute)
				close(s.gate)
				w.flush()
				if tt.policy == bus.DropNewest {
					w.record(12)
					w.flush()
				}
				s.want(t, tt.want...)
				tt.gap.Since = start.UTC()
				if !slices.Equal(gaps, []bus.Gap{tt.gap}) {
					t.Errorf("gaps %+v, want %+v", gaps, tt.gap)
				}
			})
		})
	}
}

func TestBoundsGapOfLiveEventsHasNoNumbers(t *testing.T) {
	inBubble(t, func(w *world) {
		s := held()
		var gaps []bus.Gap
		w.subscribe(s.handle, bus.Queue(1, bus.DropOldest), bus.OnGap(func(_ context.Context, g bus.Gap) { gaps = append(gaps, g) }))
		w.publish(noted{N: 1})
		synctest.Wait()
		w.publish(noted{N: 2}, noted{N: 3})
		close(s.gate)
		w.flush()
		s.want(t, 1, 3)
		if len(gaps) != 1 || gaps[0].Count != 1 || gaps[0].FirstSeq != 0 || gaps[0].LastSeq != 0 {
			t.Errorf("gaps %+v, want one of 1 without numbers", gaps)
		}
	})
}

// The worker takes what waits at once; what it hasn't begun yet still counts, and can still be dropped.
func TestBoundsWhatTheWorkerHasTakenStillCounts(t *testing.T) {
	inBubble(t, func(w *world) {
		s := held()
		sub := w.subscribe(s.handle, bus.Queue(4, bus.DropOldest))
		w.publish(noted{N: 1})
		synctest.Wait()
		for n := range 4 {
			w.publish(noted{N: n + 2})
		}
		s.gate <- struct{}{} // 1 is done, the others are taken, 2 is begun
		synctest.Wait()
		for n := range 5 {
			w.publish(noted{N: n + 6})
		}
		if d := sub.Inspect().Depth; d != 4 {
			t.Errorf("depth %d, want 4", d)
		}
		close(s.gate)
		w.flush()
		s.want(t, 1, 2, 7, 8, 9, 10)
	})
}

func TestBoundsDropsAreLoggedOnceInAWhileWithNameAndCallSite(t *testing.T) {
	inBubble(t, func(w *world) {
		s := held()
		sub := w.subscribe(s.handle, bus.Queue(1, bus.DropOldest), bus.Name("sluggish"))
		for range 100 {
			w.publish(noted{})
		}
		if lines := w.log.lines("drops events", "sluggish", "helpers_test.go:"); len(lines) != 1 {
			t.Errorf("%d lines about drops, want 1", len(lines))
		}
		if site := sub.Inspect().Site; !strings.HasPrefix(site, "bus/helpers_test.go:") {
			t.Errorf("site %q", site)
		}
		time.Sleep(time.Minute)
		w.publish(noted{}, noted{})
		if lines := w.log.lines("drops events"); len(lines) != 2 {
			t.Errorf("%d lines a minute later, want 2", len(lines))
		}
		close(s.gate)
	})
}

func TestBoundsBlockDelaysThatPublishAlone(t *testing.T) {
	inBubble(t, func(w *world) {
		s := held()
		sub := w.subscribe(s.handle, bus.Queue(2, bus.Block(5*time.Second)))
		other := &sink{}
		w.subscribe(other.handle)
		w.publish(noted{N: 1})
		synctest.Wait()
		w.publish(noted{N: 2}, noted{N: 3})
		start := time.Now()
		go func() {
			time.Sleep(3 * time.Second)
			other.want(t, 1, 2, 3, 4) // who doesn't block has the event meanwhile
			s.gate <- struct{}{}
		}()
		w.publish(noted{N: 4})
		if d := time.Since(start); d != 3*time.Second {
			t.Errorf("Publish took %v, want 3s: until there was room", d)
		}
		start = time.Now()
		w.publish(noted{N: 5})
		if d := time.Since(start); d != 5*time.Second {
			t.Errorf("Publish took %v, want 5s: the policy's limit", d)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		start = time.Now()
		if err := bus.Publish(ctx, w.c, noted{N: 6}); err != nil || time.Since(start) != time.Second {
			t.Errorf("Publish took %v, %v; want 1s: its context's limit", time.Since(start), err)
		}
		if n := sub.Inspect().Dropped; n != 2 {
			t.Errorf("dropped %d, want 2", n)
		}
		close(s.gate)
		w.flush()
		s.want(t, 1, 2, 3, 4)
	})
}

func TestBoundsBlockDoesNotDelayHandlersOrThePump(t *testing.T) {
	inBubble(t, func(w *world) {
		s := held()
		w.subscribe(s.handle, bus.Queue(1, bus.Block(5*time.Second)), bus.Type("test.slow"))
		took := make(chan time.Duration, 1)
		w.subscribe(func(ctx context.Context, _ bus.Event[noted]) error {
			start := time.Now()
			for n := range 3 {
				_ = bus.Publish(ctx, w.c, noted{N: n + 1, Type: "test.slow"})
				synctest.Wait()
			}
			took <- time.Since(start)
			return nil
		}, bus.Type("test.go"))
		w.publish(noted{Type: "test.go"})
		if d := <-took; d != 0 {
			t.Errorf("publishing in a handler took %v, want 0", d)
		}
		live := &sink{}
		w.subscribe(live.handle, bus.Type("test.slow"))
		for n := range 20 { // recorded: it reads them from the journal when it can
			if _, err := w.j.Append(context.Background(), noted{N: 100 + n, Type: "test.slow"}); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		live.want(t, upTo(100, 119)...)
		close(s.gate)
		w.flush()
		s.want(t, append([]int{1, 2}, upTo(100, 119)...)...)
	})
}

func TestBoundsQueuesGrowOnlyAsNeeded(t *testing.T) {
	b := newBus(t, nil)
	c := b.Client("c")
	allocated := testing.Benchmark(func(tb *testing.B) {
		for tb.Loop() {
			s, err := bus.Subscribe(c, ignore[noted], bus.Queue(1<<20, bus.DropOldest))
			if err != nil {
				tb.Fatal(err)
			}
			s.Close()
			<-s.Done()
		}
	}).AllocedBytesPerOp()
	if allocated > 8<<10 {
		t.Errorf("a subscription with room for 1,048,576 events takes %d bytes before its first", allocated)
	}
}

func TestBoundsLiveSubscriptionsAreToldWhatRetentionTookAway(t *testing.T) {
	inBubble(t, func(w *world) {
		s := &sink{}
		var gaps []bus.Gap
		w.subscribe(s.handle, bus.OnGap(func(_ context.Context, g bus.Gap) { gaps = append(gaps, g) }))
		w.j.Fail(errors.New("away"))
		w.record(upTo(1, 5)...)
		synctest.Wait()
		w.j.RemoveUpTo(3)
		w.j.Fail(nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		s.want(t, 4, 5)
		if len(gaps) != 1 || gaps[0].Count != 3 || gaps[0].FirstSeq != 1 || gaps[0].LastSeq != 3 {
			t.Errorf("gaps %+v, want 3 events from 1 to 3", gaps)
		}
	})
}

func TestBoundsBlockWithoutAJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, nil)
		c := b.Client("c")
		s := held()
		if _, err := bus.Subscribe(c, s.handle, bus.Queue(1, bus.Block(time.Second))); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		for n := range 3 {
			_ = bus.Publish(t.Context(), c, noted{N: n})
			synctest.Wait()
		}
		if d := time.Since(start); d != time.Second {
			t.Errorf("three publishes took %v, want 1s: one handled, one queued, one waits", d)
		}
		close(s.gate)
		_ = b.Close(t.Context())
		s.want(t, 0, 1)
	})
}

func TestBoundsGapsStandWhereEventsAreMissing(t *testing.T) {
	const publishers, each = 8, 250
	for _, policy := range []bus.Policy{bus.DropOldest, bus.DropNewest} {
		for _, capacity := range []int{1, 2, 8} {
			t.Run(fmt.Sprintf("%v %d", policy, capacity), func(t *testing.T) {
				j := bustest.NewJournal()
				w := newWorld(t, j)
				defer w.close()
				var missing bus.Gap
				last, handled, told := uint64(0), uint64(0), uint64(0)
				sub := w.subscribe(func(_ context.Context, e bus.Event[noted]) error {
					if e.Seq != last+missing.Count+1 || missing.Count > 0 && (missing.FirstSeq != last+1 || missing.LastSeq != e.Seq-1) {
						t.Errorf("after %d: gap %+v, then %d", last, missing, e.Seq)
					}
					last, missing = e.Seq, bus.Gap{}
					handled++
					return nil
				}, bus.Queue(capacity, policy), bus.OnGap(func(_ context.Context, g bus.Gap) {
					missing = g
					told += g.Count
				}))
				var wg sync.WaitGroup
				for range publishers {
					wg.Go(func() { w.record(upTo(1, each)...) })
				}
				wg.Wait()
				w.flush()
				w.record(0) // which tells of those before it
				w.flush()
				if i := sub.Inspect(); handled+told != publishers*each+1 || i.Dropped != told || i.Delivered != handled {
					t.Errorf("handled %d, told of %d, of %d; counted as %d and %d", handled, told, publishers*each+1, i.Delivered, i.Dropped)
				}
			})
		}
	}
}

func TestBoundsBlockingSubscriptionsDelayAPublishTogether(t *testing.T) {
	inBubble(t, func(w *world) {
		var all []*sink
		for range 3 {
			s := held()
			all = append(all, s)
			w.subscribe(s.handle, bus.Queue(1, bus.Block(5*time.Second)))
		}
		w.publish(noted{N: 1})
		synctest.Wait()
		w.publish(noted{N: 2})
		start := time.Now()
		w.publish(noted{N: 3})
		if d := time.Since(start); d != 5*time.Second {
			t.Errorf("Publish took %v, want 5s: each of three full subscriptions waits at most that, at the same time", d)
		}
		for _, s := range all {
			close(s.gate)
		}
		w.flush()
	})
}
