package bus_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// ledger commits batches as a journal would: effects and cursor together.
type ledger struct {
	w   *world
	bad map[int]error // by number

	mu      sync.Mutex
	effects []int
	calls   [][]int
}

func (l *ledger) commit(_ context.Context, b bus.Batch[noted]) error {
	var numbers []int
	var err error
	for _, e := range b.Events {
		numbers = append(numbers, e.Payload.N)
		if bad := l.bad[e.Payload.N]; bad != nil {
			err = bad
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls = append(l.calls, numbers)
	if err != nil && !errors.Is(err, bus.Stop) {
		return err
	}
	l.effects = append(l.effects, numbers...)
	if serr := l.w.j.SetCursor(context.Background(), "ledger", b.To); serr != nil {
		return serr
	}
	return err
}

func (l *ledger) subscribe(opts ...bus.Option) *bus.Subscription {
	l.w.t.Helper()
	s, err := bus.SubscribeBatch(l.w.c, "ledger", l.commit, opts...)
	if err != nil {
		l.w.t.Fatal(err)
	}
	return s
}

func TestExactlyOnceABatchIsHalvedUntilTheCulpritIsAlone(t *testing.T) {
	inBubble(t, func(w *world) {
		broken := errors.New("broken")
		l := &ledger{w: w, bad: map[int]error{11: broken}}
		w.subscribe(ignore[noted], bus.Durable("ledger")) // begins at 0
		w.restart()
		w.record(upTo(1, 16)...)
		l.w = w
		sub := l.subscribe(bus.Retry(3, time.Second))
		<-sub.Done()
		var halt *bus.HaltError
		if err := sub.Err(); !errors.As(err, &halt) || !errors.Is(err, broken) || halt.Event.Seq != 11 || halt.Tries != 3 {
			t.Errorf("Err = %v, want a *HaltError at 11 after 3 tries", err)
		}
		if !slices.Equal(l.effects, upTo(1, 10)) || w.cursor("ledger") != 10 {
			t.Errorf("effects %v, cursor %d; want 1 to 10, 10", l.effects, w.cursor("ledger"))
		}
		if n := sub.Inspect().Delivered; n != 10 {
			t.Errorf("delivered %d, want 10", n)
		}
		l.bad = nil
		sub.Close()
		sub = l.subscribe()
		w.flush()
		if !slices.Equal(l.effects, upTo(1, 16)) {
			t.Errorf("effects after the repair %v, want 1 to 16, each once", l.effects)
		}
		sub.Close()
	})
}

func TestExactlyOnceRetriesAndPanics(t *testing.T) {
	inBubble(t, func(w *world) {
		fails := 3
		var got []int
		sub, err := bus.SubscribeBatch(w.c, "b", func(_ context.Context, b bus.Batch[noted]) error {
			if fails--; fails >= 0 {
				panic("not yet")
			}
			for _, e := range b.Events {
				got = append(got, e.Payload.N)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		w.record(1)
		start := time.Now()
		w.flush()
		if d := time.Since(start); d != 700*time.Millisecond || !slices.Equal(got, []int{1}) {
			t.Errorf("handled %v after %v, want 1 after pauses of 100, 200 and 400 ms", got, d)
		}
		if i := sub.Inspect(); i.Failed != 3 || i.Retried != 3 {
			t.Errorf("failed %d, retried %d; want 3, 3", i.Failed, i.Retried)
		}
		if len(w.log.lines("not yet", "stack=")) == 0 {
			t.Error("the panic's stack isn't logged")
		}
	})
}

func TestExactlyOnceRefusedEventsMoveTheCursorToo(t *testing.T) {
	inBubble(t, func(w *world) {
		l := &ledger{w: w}
		l.subscribe(bus.Type("test.wanted"))
		w.record(1, 2, 3)
		w.flush()
		if len(l.effects) != 0 || w.cursor("ledger") != 3 {
			t.Errorf("effects %v, cursor %d; want none, 3", l.effects, w.cursor("ledger"))
		}
	})
}

func TestExactlyOnceStopCommitsAndEnds(t *testing.T) {
	inBubble(t, func(w *world) {
		l := &ledger{w: w, bad: map[int]error{2: bus.Stop}}
		sub := l.subscribe()
		for n := range 3 {
			w.record(n + 1)
			synctest.Wait()
		}
		<-sub.Done()
		if !slices.Equal(l.effects, []int{1, 2}) || sub.Err() != nil {
			t.Errorf("effects %v, %v; want 1 and 2", l.effects, sub.Err())
		}
	})
}

func TestExactlyOnceCauseIsThatOfABatchOfOne(t *testing.T) {
	inBubble(t, func(w *world) {
		var one, two []bool
		gate := make(chan struct{})
		_, err := bus.SubscribeBatch(w.c, "b", func(ctx context.Context, b bus.Batch[noted]) error {
			<-gate
			_, ok := bus.Cause(ctx)
			if len(b.Events) == 1 {
				one = append(one, ok)
				return nil
			}
			two = append(two, ok)
			for _, e := range b.Events {
				ctx := bus.ContextWithCause(ctx, e.Header)
				if h, ok := bus.Cause(ctx); !ok || h != e.Header {
					t.Errorf("ContextWithCause: %v", h)
				}
				if err := w.b.Flush(ctx); !errors.Is(err, bus.ErrInHandler) {
					t.Errorf("Flush: %v, want ErrInHandler", err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		w.record(1)
		synctest.Wait()
		w.record(2, 3)
		synctest.Wait() // both have been shown
		close(gate)
		w.flush()
		if !slices.Equal(one, []bool{true}) || !slices.Equal(two, []bool{false}) {
			t.Errorf("Cause in batches of one %v, of two %v; want true, false", one, two)
		}
	})
}

func TestCausesAreAllEventsOfABatch(t *testing.T) {
	inBubble(t, func(w *world) {
		if causes := bus.Causes(t.Context()); causes != nil {
			t.Errorf("outside of handlers: %v", causes)
		}
		w.subscribe(func(ctx context.Context, e bus.Event[noted]) error {
			if causes := bus.Causes(ctx); len(causes) != 1 || causes[0] != e.Header {
				t.Errorf("of one event: %v", causes)
			}
			return nil
		})
		sizes := 0
		_, err := bus.SubscribeBatch(w.c, "ledger", func(ctx context.Context, b bus.Batch[noted]) error {
			causes := bus.Causes(ctx)
			for i, e := range b.Events {
				if len(causes) != len(b.Events) || causes[i] != e.Header {
					t.Errorf("of %d events: %v", len(b.Events), causes)
				}
			}
			if sizes = max(sizes, len(b.Events)); len(b.Events) > 0 {
				if inner := bus.Causes(bus.ContextWithCause(ctx, b.Events[0].Header)); len(inner) != 1 || inner[0] != b.Events[0].Header {
					t.Errorf("of one of the batch: %v", inner)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		w.record(upTo(1, 40)...)
		w.flush()
		if sizes < 2 {
			t.Errorf("the largest batch had %d", sizes)
		}
	})
}

func TestExactlyOnceGoexitIsATryLikeOthers(t *testing.T) {
	inBubble(t, func(w *world) {
		exits := 3
		l := &ledger{w: w}
		_, err := bus.SubscribeBatch(w.c, "ledger", func(ctx context.Context, b bus.Batch[noted]) error {
			if exits--; exits >= 0 {
				runtime.Goexit()
			}
			return l.commit(ctx, b)
		})
		if err != nil {
			t.Fatal(err)
		}
		w.record(1, 2)
		w.flush()
		if !slices.Equal(l.effects, []int{1, 2}) {
			t.Errorf("effects %v, want 1 and 2", l.effects)
		}
		bad, err := bus.SubscribeBatch(w.c, "bad", func(context.Context, bus.Batch[noted]) error {
			runtime.Goexit()
			return nil
		}, bus.From(0), bus.Retry(2, 0))
		if err != nil {
			t.Fatal(err)
		}
		<-bad.Done()
		var halt *bus.HaltError
		if err := bad.Err(); !errors.As(err, &halt) || halt.Tries != 2 {
			t.Errorf("Err = %v, want a *HaltError after 2 tries", err)
		}
	})
}

func TestExactlyOnceLingerSharesABatchAndLosesNothing(t *testing.T) {
	inBubble(t, func(w *world) {
		l := &ledger{w: w}
		sub := l.subscribe(bus.Linger(100*time.Millisecond), bus.From(0))
		calls := func(want ...[]int) {
			t.Helper()
			synctest.Wait()
			l.mu.Lock()
			defer l.mu.Unlock()
			if !slices.EqualFunc(l.calls, want, slices.Equal) {
				t.Errorf("batches %v, want %v", l.calls, want)
			}
		}
		w.record(1)
		time.Sleep(50 * time.Millisecond)
		w.record(2)
		calls()
		time.Sleep(50 * time.Millisecond)
		calls([]int{1, 2})
		w.record(3)
		w.flush()
		calls([]int{1, 2}, []int{3})
		w.record(4)
		sub.Close() // while it waits
		<-sub.Done()
		calls([]int{1, 2}, []int{3})
		w.record(upTo(5, 300)...)
		synctest.Wait()
		l.subscribe(bus.Linger(time.Second))
		calls([]int{1, 2}, []int{3}, upTo(4, 259)) // a full batch doesn't wait
		w.flush()
		if !slices.Equal(l.effects, upTo(1, 300)) {
			t.Errorf("effects %v, want 1 to 300, each once", l.effects)
		}
	})
}
