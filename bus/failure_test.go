package bus_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

func TestFailureHitsThatSubscriptionAlone(t *testing.T) {
	failures := map[string]func() error{
		"error":           func() error { return errors.New("boom") },
		"panic":           func() error { panic("boom") },
		"panic of nil":    func() error { panic(nil) },
		"nil dereference": func() error { var p *noted; return errors.New(fmt.Sprint("boom", p.N)) },
		"goexit":          func() error { runtime.Goexit(); return nil },
	}
	for name, fail := range failures {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(w *world) {
				good, after := &sink{}, &sink{}
				w.subscribe(good.handle)
				bad := w.subscribe(func(ctx context.Context, e bus.Event[noted]) error {
					if e.Payload.N == 1 {
						return fail()
					}
					return after.handle(ctx, e)
				}, bus.Name("bad"))
				w.publish(noted{N: 1}, noted{N: 2})
				w.flush()
				good.want(t, 1, 2)
				after.want(t, 2)
				if i := bad.Inspect(); i.Failed != 1 || i.Err == nil || i.State != "running" {
					t.Errorf("failed %d, %v, %s; want 1, an error, running", i.Failed, i.Err, i.State)
				}
				if lines := w.log.lines("handler failed", "bad"); len(lines) != 1 {
					t.Errorf("%d log lines, want 1", len(lines))
				}
			})
		})
	}
}

func TestFailurePanicIsLoggedWithItsStack(t *testing.T) {
	inBubble(t, func(w *world) {
		cause := errors.New("cause")
		sub := w.subscribe(func(context.Context, bus.Event[noted]) error { panic(cause) })
		w.publish(noted{})
		w.flush()
		var p *bus.PanicError
		if err := sub.Inspect().Err; !errors.As(err, &p) || !errors.Is(err, cause) || len(p.Stack) == 0 {
			t.Errorf("last failure %v, want a *PanicError with a stack around the cause", err)
		}
		if len(w.log.lines("stack=", "failure_test.go")) == 0 {
			t.Error("no stack in the log")
		}
	})
}

// A nil pointer returned as an error is none that can be asked: its methods panic.
func TestFailureOfAnErrorThatPanicsItself(t *testing.T) {
	missing := error((*fs.PathError)(nil))
	for name, handle := range map[string]func() error{
		"returned":      func() error { return missing },
		"wrapped":       func() error { return fmt.Errorf("open: %w", missing) },
		"panicked with": func() error { panic(missing) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(w *world) {
				s := &sink{}
				sub := w.subscribe(func(ctx context.Context, e bus.Event[noted]) error {
					_ = s.handle(ctx, e)
					return handle()
				})
				w.publish(noted{N: 1}, noted{N: 2})
				w.flush()
				s.want(t, 1, 2)
				var p *bus.PanicError
				if i := sub.Inspect(); i.Failed != 2 || !errors.As(i.Err, &p) {
					t.Errorf("failed %d times, %v; want 2, *PanicError", i.Failed, i.Err)
				}
				calls := 0
				batch, err := bus.SubscribeBatch(w.c, "batch", func(context.Context, bus.Batch[noted]) error {
					calls++
					return handle()
				}, bus.Retry(2, 0))
				if err != nil {
					t.Fatal(err)
				}
				w.record(3)
				<-batch.Done()
				if !errors.As(batch.Err(), &p) || calls != 2 {
					t.Errorf("batch: called %d times, %v; want 2, *PanicError", calls, batch.Err())
				}
			})
		})
	}
}

func TestFailurePanicInOnGapAndAround(t *testing.T) {
	inBubble(t, func(w *world) {
		s := held()
		sub := w.subscribe(s.handle, bus.Queue(1, bus.DropOldest), bus.OnGap(func(context.Context, bus.Gap) { panic("gap") }))
		w.publish(noted{N: 1})
		synctest.Wait()
		w.publish(noted{N: 2}, noted{N: 3})
		close(s.gate)
		w.flush()
		s.want(t, 1, 3)
		if sub.Inspect().Failed != 1 {
			t.Error("the panic in OnGap isn't counted")
		}
	})
}

func TestFailureRetriesWithDoublingPauses(t *testing.T) {
	tests := []struct {
		name  string
		opts  []bus.Option
		tries int
		took  time.Duration
		halts bool
	}{
		{"live", nil, 1, 0, false},
		{"live with Retry", []bus.Option{bus.Retry(4, time.Second)}, 4, 7 * time.Second, false},
		{"live that halts", []bus.Option{bus.OnFailure(bus.Halt)}, 1, 0, true},
		{"durable", []bus.Option{bus.Durable("d")}, 8, 12700 * time.Millisecond, false},
		{"durable up to 30 s", []bus.Option{bus.Durable("d"), bus.Retry(5, 10*time.Second)}, 5, 90 * time.Second, false},
		{"durable that halts", []bus.Option{bus.Durable("d"), bus.OnFailure(bus.Halt)}, 8, 12700 * time.Millisecond, true},
		{"without pauses", []bus.Option{bus.Durable("d"), bus.Retry(3, 0)}, 3, 0, false},
		{"from", []bus.Option{bus.From(0), bus.Retry(2, time.Second)}, 2, time.Second, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(w *world) {
				broken := errors.New("broken")
				tries := 0
				sub := w.subscribe(func(_ context.Context, e bus.Event[noted]) error {
					if e.Payload.N == 1 {
						tries++
						return broken
					}
					return nil
				}, tt.opts...)
				start := time.Now()
				w.record(1, 2)
				ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
				defer cancel()
				err := w.b.Flush(ctx)
				if d := time.Since(start); tries != tt.tries || d != tt.took {
					t.Errorf("%d tries in %v, want %d in %v", tries, d, tt.tries, tt.took)
				}
				if i := sub.Inspect(); i.Failed != uint64(tt.tries) || i.Retried != uint64(tt.tries-1) {
					t.Errorf("failed %d, retried %d", i.Failed, i.Retried)
				}
				var halt *bus.HaltError
				if halted := errors.As(err, &halt); halted != tt.halts || halted && (halt.Event.Seq != 1 || !errors.Is(err, broken)) {
					t.Errorf("Flush: %v; want halted %v", err, tt.halts)
				}
			})
		})
	}
}

func TestFailureRetryEndsPromptlyOnClose(t *testing.T) {
	inBubble(t, func(w *world) {
		sub := w.subscribe(func(context.Context, bus.Event[noted]) error { return errors.New("broken") }, bus.Durable("d"), bus.Retry(100, time.Hour))
		w.record(1)
		synctest.Wait()
		start := time.Now()
		if err := w.b.Close(context.Background()); err != nil || time.Since(start) != 0 {
			t.Errorf("Close: %v after %v, want nil at once", err, time.Since(start))
		}
		<-sub.Done()
		if at := w.cursor("d"); at != 0 {
			t.Errorf("cursor is at %d, want 0", at)
		}
	})
}

func TestFailureGoexitIsATryLikeOthers(t *testing.T) {
	inBubble(t, func(w *world) {
		s, tries := &sink{}, 0
		w.subscribe(func(ctx context.Context, e bus.Event[noted]) error {
			if e.Payload.N == 2 {
				if tries++; tries < 4 {
					runtime.Goexit()
				}
			}
			return s.handle(ctx, e)
		}, bus.Durable("d"))
		w.record(1, 2, 3)
		w.flush()
		s.want(t, 1, 2, 3)
		if tries != 4 {
			t.Errorf("%d tries, want 4", tries)
		}
	})
}

func TestUnhandledEventsCanBeObserved(t *testing.T) {
	inBubble(t, func(w *world) {
		w.close()
		var unhandled []string
		w.b = bus.New(bus.Options{Journal: w.j, OnUnhandled: func(h bus.Header) {
			unhandled = append(unhandled, fmt.Sprintf("%s/%d", h.Type, h.Seq))
			panic("the observer's own fault")
		}})
		if err := bus.Register[noted](w.b, "test.>", 1); err != nil {
			t.Fatal(err)
		}
		w.c = w.b.Client("c")
		w.subscribe(ignore[noted], bus.Type("test.live"))
		w.subscribe(ignore[noted], bus.Type("test.durable"), bus.Durable("d"))
		if _, err := bus.Subscribe(w.c, ignore[any]); err != nil {
			t.Fatal(err)
		}
		if _, err := bus.Subscribe(w.c, ignore[bus.Raw]); err != nil {
			t.Fatal(err)
		}
		w.publish(noted{Type: "test.live"}, noted{Type: "test.nobody"})
		for _, typ := range []string{"test.live", "test.durable", "test.nobody"} {
			if _, err := w.j.Append(context.Background(), noted{Type: typ}); err != nil {
				t.Fatal(err)
			}
		}
		w.flush()
		if got := fmt.Sprint(unhandled); got != "[test.nobody/0 test.nobody/3]" {
			t.Errorf("unhandled %v, want test.nobody twice", got)
		}
	})
}

// moody panics when it is encoded or decoded, if it is told to.
type moody struct{ Mood string }

func (moody) EventType() string { return "moody.spoke" }

func (m moody) MarshalJSON() ([]byte, error) {
	if m.Mood == "marshal" {
		panic("can't speak")
	}
	return json.Marshal(m.Mood)
}

func (m *moody) UnmarshalJSON(data []byte) error {
	if strings.Contains(string(data), "unmarshal") {
		panic("can't listen")
	}
	return json.Unmarshal(data, &m.Mood)
}

// The payload's methods run on the publisher's goroutine and on the bus's own.
func TestFailurePanicInThePayloadsOwnMethods(t *testing.T) {
	inBubble(t, func(w *world) {
		if err := bus.Register[moody](w.b, "moody.>", 1); err != nil {
			t.Fatal(err)
		}
		var moods []string
		typed, err := bus.Subscribe(w.c, func(_ context.Context, e bus.Event[moody]) error {
			moods = append(moods, e.Payload.Mood)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		raw, err := bus.Subscribe(w.c, ignore[bus.Raw])
		if err != nil {
			t.Fatal(err)
		}
		if err := bus.Publish(w.t.Context(), w.c, moody{"marshal"}); err != nil { // fails for Raw alone
			t.Errorf("Publish: %v", err)
		}
		if _, err := w.j.Append(w.t.Context(), moody{"marshal"}); !errors.As(err, new(*bus.PanicError)) || !errors.As(err, new(*bus.PayloadError)) {
			t.Errorf("Append: %v, want a *PayloadError around a *PanicError", err)
		}
		w.j.AppendRecords(bus.Record{Header: bus.Header{Type: "moody.spoke", Schema: 1}, Data: []byte(`"unmarshal"`)})
		w.flush()
		if err := bus.Publish(w.t.Context(), w.c, moody{"fine"}); err != nil {
			t.Errorf("Publish: %v", err)
		}
		w.flush()
		if i := typed.Inspect(); !slices.Equal(moods, []string{"marshal", "fine"}) || i.Failed != 1 || !errors.As(i.Err, new(*bus.DecodeError)) {
			t.Errorf("moods %q, failed %d: %v", moods, i.Failed, i.Err)
		}
		if i := raw.Inspect(); i.Delivered != 2 || i.Failed != 1 || !errors.As(i.Err, new(*bus.PanicError)) {
			t.Errorf("raw: delivered %d, failed %d: %v; want 2, 1", i.Delivered, i.Failed, i.Err)
		}
	})
}
