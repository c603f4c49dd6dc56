package bus_test

import (
	"context"
	"errors"
	"iter"
	"math"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/bustest"
)

func TestStreamIsWorkedOffByTheLoop(t *testing.T) {
	inBubble(t, func(w *world) {
		ctx, cancel := context.WithCancelCause(w.t.Context())
		defer cancel(nil)
		stream := bus.Stream[noted](ctx, w.c, bus.Name("loop"))
		w.publish(noted{N: 1}, noted{N: 2}) // before the loop
		w.flush()                           // waits for no loop that hasn't begun
		go func() {
			time.Sleep(time.Second)
			w.publish(noted{N: 3})
		}()
		reason := errors.New("enough")
		var got []int
		var last error
		for e, err := range stream {
			if last = err; err != nil {
				continue
			}
			got = append(got, e.Payload.N)
			if e.Payload.N == 3 {
				cancel(reason)
			}
		}
		if !slices.Equal(got, []int{1, 2, 3}) || last != reason {
			t.Errorf("got %v, then %v; want 1, 2, 3, then ctx's cause", got, last)
		}
		if n := len(w.b.Inspect().Subscriptions); n != 0 {
			t.Errorf("%d subscriptions are left", n)
		}
		for _, err := range stream {
			if err != reason {
				t.Errorf("the second loop: %v, want ctx's cause", err)
			}
		}
	})
}

func TestStreamBreakClosesTheSubscription(t *testing.T) {
	inBubble(t, func(w *world) {
		var inside *bus.Info
		for e, err := range bus.Stream[noted](w.t.Context(), w.c, bus.From(0), filled(w, 3)) {
			inside = &w.b.Inspect().Subscriptions[0]
			if err != nil || e.Payload.N != 1 {
				t.Errorf("got %d, %v", e.Payload.N, err)
			}
			break
		}
		if inside == nil || inside.Kind != "from" || inside.Payload != "bus_test.noted" {
			t.Errorf("inspection in the loop %+v", inside)
		}
		if n := len(w.b.Inspect().Subscriptions); n != 0 {
			t.Errorf("%d subscriptions are left", n)
		}
	})
}

// filled records n events before the option it returns is used.
func filled(w *world, n int) bus.Option {
	w.record(upTo(1, n)...)
	return bus.Where(func(bus.Header) bool { return true })
}

func TestStreamDurableAcknowledgesWhenTheLoopComesBack(t *testing.T) {
	leave := map[string]func(iter.Seq2[bus.Event[noted], error], func(int) bool){
		"break": func(s iter.Seq2[bus.Event[noted], error], see func(int) bool) {
			for e := range s {
				if !see(e.Payload.N) {
					break
				}
			}
		},
		"panic": func(s iter.Seq2[bus.Event[noted], error], see func(int) bool) {
			defer func() { _ = recover() }()
			for e := range s {
				if !see(e.Payload.N) {
					panic("in the loop")
				}
			}
		},
		"Goexit": func(s iter.Seq2[bus.Event[noted], error], see func(int) bool) {
			done := make(chan struct{})
			go func() {
				defer close(done)
				for e := range s {
					if !see(e.Payload.N) {
						runtime.Goexit()
					}
				}
			}()
			<-done
		},
		"Pull": func(s iter.Seq2[bus.Event[noted], error], see func(int) bool) {
			next, stop := iter.Pull2(s)
			defer stop()
			for e, _, ok := next(); ok && see(e.Payload.N); e, _, ok = next() { //nolint:revive // the body is see
			}
		},
	}
	for name, run := range leave {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(w *world) {
				s := &sink{}
				for _, until := range []int{3, 5} {
					stream := bus.Stream[noted](w.t.Context(), w.c, bus.Durable("d"), bus.From(0))
					if until == 3 {
						w.record(upTo(1, 9)...)
					}
					run(stream, func(n int) bool {
						s.add(n)
						return n != until
					})
					if at := w.cursor("d"); at != uint64(until-1) { //nolint:gosec // small
						t.Errorf("left at %d the cursor is at %d", until, at)
					}
				}
				s.want(t, 1, 2, 3, 3, 4, 5)
			})
		})
	}
}

func TestStreamShowsGapsAsErrors(t *testing.T) {
	inBubble(t, func(w *world) {
		ctx, cancel := context.WithCancel(w.t.Context())
		defer cancel()
		stream := bus.Stream[noted](ctx, w.c, bus.Queue(2, bus.DropOldest))
		w.record(upTo(1, 5)...)
		w.flush()
		var got []int
		for e, err := range stream {
			var gap *bus.GapError
			switch {
			case errors.As(err, &gap):
				got = append(got, -int(gap.Count))
				if gap.FirstSeq != 1 || gap.LastSeq != 3 || err.Error() != "bus: 3 events missed (numbers 1 to 3)" {
					t.Errorf("gap %+v: %v", gap, err)
				}
			case err == nil:
				if got = append(got, e.Payload.N); e.Payload.N == 5 {
					cancel()
				}
			}
		}
		if !slices.Equal(got, []int{-3, 4, 5}) {
			t.Errorf("got %v, want a gap of 3, then 4 and 5", got)
		}
	})
}

func TestStreamSlowsAPublisherThatBlocks(t *testing.T) {
	inBubble(t, func(w *world) {
		stream := bus.Stream[noted](w.t.Context(), w.c, bus.Queue(1, bus.Block(10*time.Second)))
		go func() {
			w.publish(manyNoted(4)...)
			w.publish(noted{N: math.MaxInt})
		}()
		start := time.Now()
		var got []int
		for e, err := range stream {
			if err != nil {
				t.Fatal(err)
			}
			if e.Payload.N == math.MaxInt {
				break
			}
			time.Sleep(time.Second)
			got = append(got, e.Payload.N)
		}
		if !slices.Equal(got, []int{0, 1, 2, 3}) || time.Since(start) != 4*time.Second {
			t.Errorf("got %v in %v, want 4 in 4s", got, time.Since(start))
		}
	})
}

func TestStreamEndsWithTheBus(t *testing.T) {
	tests := []struct {
		name string
		opts []bus.Option
		want []int
	}{
		{"live, drained", nil, []int{0, 1, 2}},
		{"durable, after the event at hand", []bus.Option{bus.Durable("d")}, []int{0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(w *world) {
				unread := bus.Stream[noted](w.t.Context(), w.c, bus.From(0))
				stream := bus.Stream[noted](w.t.Context(), w.c, tt.opts...)
				for n := range 3 {
					if _, err := w.j.Append(w.t.Context(), noted{N: n}); err != nil {
						t.Fatal(err)
					}
				}
				var got []int
				closed := make(chan error, 1)
				for e, err := range stream {
					if err != nil {
						if !errors.Is(err, bus.ErrClosed) {
							t.Errorf("last error %v, want ErrClosed", err)
						}
						break
					}
					if got = append(got, e.Payload.N); len(got) == 1 {
						synctest.Wait()
						go func() { closed <- w.b.Close(context.Background()) }()
						synctest.Wait()
					}
				}
				if err := <-closed; err != nil || !slices.Equal(got, tt.want) {
					t.Errorf("got %v, Close %v; want %v", got, err, tt.want)
				}
				for _, err := range unread {
					if !errors.Is(err, bus.ErrClosed) {
						t.Errorf("a stream nobody ranged over: %v, want ErrClosed", err)
					}
				}
			})
		})
	}
}

func TestStreamThatNobodyRangesOverEndsWithItsContext(t *testing.T) {
	inBubble(t, func(w *world) {
		ctx, cancel := context.WithCancel(w.t.Context())
		for _, o := range []bus.Option{bus.Name("live"), bus.Durable("d"), bus.From(0)} {
			bus.Stream[noted](ctx, w.c, o)
		}
		w.record(1, 2)
		w.publish(noted{})
		synctest.Wait()
		cancel()
		synctest.Wait()
		if n := len(w.b.Inspect().Subscriptions); n != 0 {
			t.Errorf("%d subscriptions are left", n)
		}
		if lines := w.log.lines("nobody has ranged over", "subscription=live", "left=3"); len(lines) != 1 {
			t.Errorf("%d lines say what was left, want 1", len(lines))
		}
	})
}

func TestStreamOfEventsThatDoNotDecode(t *testing.T) {
	bad := bus.Record{Header: bus.Header{ID: bus.NewID(time.Unix(1, 0)), Type: "test.noted", Schema: 1}, Data: []byte(`{"n":"x"}`)}
	for name, opts := range map[string][]bus.Option{"live": nil, "parks": {bus.Durable("p")}, "durable": {bus.Durable("d"), bus.OnFailure(bus.Halt)}} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(w *world) {
				stream := bus.Stream[noted](w.t.Context(), w.c, opts...)
				w.record(1)
				w.j.AppendRecords(bad)
				w.record(3)
				var got []int
				var decode *bus.DecodeError
				var halt *bus.HaltError
				for e, err := range stream {
					switch {
					case errors.As(err, &halt):
						got = append(got, -1000)
					case errors.As(err, &decode):
						got = append(got, -int(e.Seq))
					default:
						got = append(got, e.Payload.N)
					}
					if e.Payload.N == 3 {
						break
					}
				}
				want := []int{1, -2, 3}
				if name == "durable" {
					want = []int{1, -1000}
					if at := w.cursor("d"); at != 1 {
						t.Errorf("the cursor is at %d, want 1: before the culprit", at)
					}
				}
				if !slices.Equal(got, want) {
					t.Errorf("got %v, want %v", got, want)
				}
				w.flush() // what halted isn't in the way any more
			})
		})
	}
}

func TestStreamWhoseBodyHangsIsNamed(t *testing.T) {
	inBubble(t, func(w *world) {
		var s stalls
		stream := bus.Stream[noted](w.t.Context(), w.c, bus.Name("loop"), bus.OnSlow(time.Second, s.note))
		w.publish(noted{VM: "a"})
		for range stream {
			time.Sleep(time.Minute)
			break
		}
		synctest.Wait()
		s.want(t, "loop begins a 1s", "loop ends a 1m0s")
	})
}

func TestFacesRefuseWhatDoesNotGoWithThem(t *testing.T) {
	c := newBus(t, bustest.NewJournal()).Client("c")
	ctx := t.Context()
	first := func(stream iter.Seq2[bus.Event[noted], error]) error {
		for _, err := range stream {
			return err
		}
		return nil
	}
	faces := map[string]func(...bus.Option) error{
		"Stream": func(o ...bus.Option) error { return first(bus.Stream[noted](ctx, c, o...)) },
		"Await": func(o ...bus.Option) error {
			_, err := bus.Await[noted](ctx, c, nil, o...)()
			return err
		},
		"Channel": func(o ...bus.Option) error { _, err := bus.Channel[noted](ctx, c, o...); return err },
		"Once":    func(o ...bus.Option) error { _, err := bus.Once(c, ignore[noted], o...); return err },
	}
	onGap := bus.OnGap(func(context.Context, bus.Gap) {})
	for _, tt := range []struct {
		face string
		opt  bus.Option
	}{
		{"Stream", bus.Lanes(2)}, {"Stream", bus.Retry(2, 0)}, {"Stream", onGap},
		{"Await", bus.Lanes(2)}, {"Await", bus.Retry(2, 0)}, {"Await", onGap}, {"Await", bus.Durable("d")},
		{"Channel", bus.Lanes(2)}, {"Channel", bus.Retry(2, 0)}, {"Channel", bus.Durable("d")},
		{"Once", bus.Lanes(2)},
	} {
		var e *bus.OptionError
		if err := faces[tt.face](tt.opt); !errors.As(err, &e) || e.With != tt.face {
			t.Errorf("%s: %v, want an *OptionError that names it", tt.face, err)
		}
	}
	for name, face := range faces {
		if err := face(bus.Type("a..b")); !errors.As(err, new(*bus.PatternError)) {
			t.Errorf("%s with a wrong pattern: %v", name, err)
		}
		if err := face(nil); !errors.As(err, new(*bus.OptionError)) {
			t.Errorf("%s with a nil option: %v", name, err)
		}
	}
	if _, err := bus.Once[noted](c, nil); !errors.As(err, new(*bus.OptionError)) {
		t.Errorf("Once with a nil handler: %v", err)
	}
	if err := c.Close(ctx); err != nil {
		t.Fatal(err)
	}
	for name, face := range faces {
		if err := face(); !errors.Is(err, bus.ErrClosed) {
			t.Errorf("%s of a closed client: %v, want ErrClosed", name, err)
		}
	}
}

func BenchmarkStream(b *testing.B) {
	t := bus.New(bus.Options{})
	c := t.Client("c")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stream := bus.Stream[noted](ctx, c, bus.Queue(1024, bus.Block(10*time.Second)))
	b.ReportAllocs()
	go func() {
		for n := range b.N {
			_ = bus.Publish(ctx, c, noted{N: n})
		}
	}()
	n := 0
	for _, err := range stream {
		if err != nil {
			b.Fatal(err)
		}
		if n++; n == b.N {
			break
		}
	}
	if err := t.Close(ctx); err != nil {
		b.Fatal(err)
	}
}
