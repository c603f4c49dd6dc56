package bus_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

func TestPublishFromAHandlerWithEveryQueueFull(t *testing.T) {
	for _, p := range []bus.Policy{bus.DropOldest, bus.DropNewest, bus.Coalesce, bus.Block(10 * time.Second)} {
		t.Run(p.String(), func(t *testing.T) {
			inBubble(t, func(w *world) {
				var once sync.Once
				took := make(chan time.Duration, 1)
				w.subscribe(func(ctx context.Context, _ bus.Event[noted]) error {
					once.Do(func() {
						start := time.Now()
						for n := range 50 {
							if err := bus.Publish(ctx, w.c, noted{N: n, VM: string(rune('a' + n%26))}); err != nil {
								t.Errorf("Publish: %v", err)
							}
						}
						s, err := bus.Subscribe(w.c, ignore[noted], bus.Queue(1, p))
						if err != nil {
							t.Errorf("Subscribe: %v", err)
						}
						_ = bus.Publish(ctx, w.c, noted{})
						s.Close()
						took <- time.Since(start)
					})
					return nil
				}, bus.Queue(1, p))
				w.publish(noted{})
				if d := <-took; d != 0 {
					t.Errorf("took %v, want 0: nobody waits", d)
				}
				w.flush()
			})
		})
	}
}

// Every policy at once, each with a handler that hangs: nobody but a publisher outside of handlers waits, and he for Block alone.
func TestPublishAndSubscribeInAHandlerWhileAllOthersHang(t *testing.T) {
	inBubble(t, func(w *world) {
		gate := make(chan struct{})
		hang := func(context.Context, bus.Event[noted]) error { <-gate; return nil }
		options := [][]bus.Option{
			{bus.Queue(1, bus.DropOldest)}, {bus.Queue(1, bus.DropNewest)}, {bus.Queue(1, bus.Coalesce)}, {bus.Queue(1, bus.Block(10*time.Second))},
			{bus.Queue(1, bus.DropOldest), bus.Lanes(2)}, {bus.From(0), bus.Queue(1, bus.Policy{})}, {bus.Durable("d"), bus.Queue(1, bus.Policy{})},
		}
		for _, o := range options {
			w.subscribe(hang, o...)
		}
		w.record(upTo(1, 5)...)
		synctest.Wait()
		took := make(chan time.Duration, 1)
		w.subscribe(func(ctx context.Context, _ bus.Event[noted]) error {
			start := time.Now()
			for n := range 10 {
				if err := bus.Publish(ctx, w.c, noted{N: n}); err != nil {
					t.Errorf("Publish: %v", err)
				}
				if _, err := w.j.Append(ctx, noted{N: n}); err != nil {
					t.Errorf("Append: %v", err)
				}
			}
			for _, o := range options[:len(options)-1] { // the durable name is taken
				s, err := bus.Subscribe(w.c, hang, o...)
				if err != nil {
					t.Errorf("Subscribe: %v", err)
					continue
				}
				s.Close()
			}
			took <- time.Since(start)
			return bus.Stop
		}, bus.Type("test.go"))
		if _, err := w.j.Append(w.t.Context(), noted{Type: "test.go"}); err != nil {
			t.Fatal(err)
		}
		if d := <-took; d != 0 {
			t.Errorf("took %v, want 0: nobody waits", d)
		}
		close(gate)
		w.flush()
	})
}

func TestPublishDoesNotWaitForASubscriberThatWantsThePublishersLock(t *testing.T) {
	inBubble(t, func(w *world) {
		var mu sync.Mutex
		s := &sink{}
		w.subscribe(func(ctx context.Context, e bus.Event[noted]) error {
			mu.Lock()
			defer mu.Unlock()
			return s.handle(ctx, e)
		})
		mu.Lock()
		w.publish(noted{N: 1}, noted{N: 2})
		mu.Unlock()
		w.flush()
		s.want(t, 1, 2)
	})
}

// tick is a payload whose methods want a pointer.
type tick struct{ N int }

func (t *tick) EventType() string { return "clock.tick" }

func TestPublishTakesTheDynamicType(t *testing.T) {
	inBubble(t, func(w *world) {
		concrete, iface, all := &sink{}, &sink{}, 0
		w.subscribe(concrete.handle)
		_, err := bus.Subscribe(w.c, func(_ context.Context, e bus.Event[bus.Addressed]) error {
			iface.add(e.Payload.(noted).N)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = bus.Subscribe(w.c, func(_ context.Context, e bus.Event[any]) error {
			all++
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		ticks := 0
		_, err = bus.Subscribe(w.c, func(_ context.Context, e bus.Event[*tick]) error {
			ticks += e.Payload.N
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx := context.Background()
		for _, err := range []error{
			bus.Publish(ctx, w.c, noted{N: 1}),
			bus.Publish(ctx, w.c, &noted{N: 2}),
			bus.Publish[bus.Payload](ctx, w.c, noted{N: 3}),
			bus.Publish[bus.Payload](ctx, w.c, &noted{N: 4}),
			bus.Publish(ctx, w.c, &tick{N: 10}),
			bus.Publish[bus.Payload](ctx, w.c, &tick{N: 20}),
			bus.Publish[bus.Payload](ctx, w.c, machine{}), // nobody has named this type
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		w.flush()
		concrete.want(t, 1, 2, 3, 4)
		iface.want(t, 1, 2, 3, 4)
		if all != 7 || ticks != 30 {
			t.Errorf("any got %d events, ticks sum up to %d; want 7, 30", all, ticks)
		}
	})
}

func TestPublishRefusesWhatDoesNotFit(t *testing.T) {
	b := newBus(t, nil)
	c := b.Client("c")
	ctx := context.Background()
	stamp := func(s bus.Stamp) error { return bus.Publish(ctx, c, noted{}, s) }
	var nilNoted *noted
	var nilTick *tick
	header := func(err error) bool { return errors.As(err, new(*bus.HeaderError)) }
	payload := func(err error) bool { return errors.As(err, new(*bus.PayloadError)) }
	tests := []struct {
		name string
		err  error
		is   func(error) bool
		says string
	}{
		{"nil", bus.Publish[bus.Payload](ctx, c, nil), payload, "nil"},
		{"nil pointer", bus.Publish(ctx, c, nilNoted), payload, "nil pointer"},
		{"nil pointer of a type with methods on pointers", bus.Publish(ctx, c, nilTick), payload, "nil pointer"},
		{"nil pointer in an interface", bus.Publish[bus.Payload](ctx, c, nilTick), payload, "nil pointer"},
		{"empty type", bus.Publish(ctx, c, anyType("")), header, "empty"},
		{"no character", stamp(func(h *bus.Header) { h.Tenant = "a\ufffe" }), header, "non-character"},
		{"empty token", bus.Publish(ctx, c, noted{Type: "a..b"}), header, "empty token"},
		{"leading dot", bus.Publish(ctx, c, noted{Type: ".a"}), header, "empty token"},
		{"upper case", bus.Publish(ctx, c, noted{Type: "a.B"}), header, `token "B"`},
		{"wildcard", bus.Publish(ctx, c, noted{Type: "a.*"}), header, "a-z 0-9 _ -"},
		{"control character in a type", bus.Publish(ctx, c, noted{Type: "a\n"}), header, "Type"},
		{"type too long", bus.Publish(ctx, c, noted{Type: strings.Repeat("a", 2000)}), header, "longer"},
		{"control character in a tenant", bus.Publish(ctx, c, noted{Tenant: "a\x00"}), header, "Tenant"},
		{"C1 control character", bus.Publish(ctx, c, noted{Tenant: "a\u0085"}), header, "Tenant"},
		{"no UTF-8 in an id", bus.Publish(ctx, c, noted{VM: "a\xff"}), header, "ResourceID"},
		{"control character in an actor", stamp(bus.WithActor("a\tb")), header, "Actor"},
		{"control character in a correlation", stamp(bus.WithCorrelation("\x7f")), header, "CorrelationID"},
		{"year 10,000", stamp(bus.WithTime(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC))), header, "Time"},
		{"kind that is none", stamp(func(h *bus.Header) { h.Kind = "a b" }), header, "Kind"},
		{"panicking payload", bus.Publish(ctx, c, anyType("panic")), payload, "panicked"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.err == nil || !tt.is(tt.err) || !strings.Contains(tt.err.Error(), tt.says) {
				t.Errorf("Publish: %v; want another type of error, or one that says %q", tt.err, tt.says)
			}
		})
	}
	if err := bus.Publish(ctx, c, noted{Tenant: "Ærøskøbing", VM: "a b/c"}); err != nil {
		t.Errorf("letters of all languages are fine, but: %v", err)
	}
}

func TestPublishWithNothing(t *testing.T) {
	c := newBus(t, nil).Client("c")
	var nobody *bus.Client
	wrong := func(err error) bool { return errors.As(err, new(*bus.OptionError)) }
	if err := bus.Publish(t.Context(), nobody, noted{}); !wrong(err) {
		t.Errorf("nil client: %v", err)
	}
	if _, err := bus.Subscribe(nobody, ignore[noted]); !wrong(err) {
		t.Errorf("nil client: %v", err)
	}
	if err := bus.Publish(t.Context(), c, noted{}, nil); !wrong(err) {
		t.Errorf("nil stamp: %v", err)
	}
	s := held()
	if _, err := bus.Subscribe(c, s.handle, bus.Queue(1, bus.Block(time.Millisecond))); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := bus.Publish(nil, c, noted{}); err != nil { //nolint:staticcheck // a nil context is what it's about
			t.Errorf("nil context: %v", err)
		}
	}
	close(s.gate)
}

type anyType string

func (a anyType) EventType() string {
	if a == "panic" {
		panic("no type")
	}
	return string(a)
}

func TestPublishAfterCloseIsErrClosed(t *testing.T) {
	b := newBus(t, nil)
	c, other := b.Client("c"), b.Client("other")
	if err := c.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := bus.Publish(t.Context(), c, noted{}); !errors.Is(err, bus.ErrClosed) {
		t.Errorf("closed client: %v", err)
	}
	if _, err := bus.Subscribe(c, ignore[noted]); !errors.Is(err, bus.ErrClosed) {
		t.Errorf("closed client: %v", err)
	}
	if err := bus.Publish(t.Context(), other, noted{}); err != nil {
		t.Errorf("another client: %v", err)
	}
	if err := b.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := bus.Publish(t.Context(), other, noted{}); !errors.Is(err, bus.ErrClosed) {
		t.Errorf("closed bus: %v", err)
	}
	if _, err := bus.Subscribe(other, ignore[noted]); !errors.Is(err, bus.ErrClosed) {
		t.Errorf("closed bus: %v", err)
	}
	if err := b.Flush(t.Context()); !errors.Is(err, bus.ErrClosed) {
		t.Errorf("closed bus: %v", err)
	}
}

func TestPublishStampsTheHeaderOnce(t *testing.T) {
	inBubble(t, func(w *world) {
		var got []bus.Header
		w.subscribe(func(_ context.Context, e bus.Event[noted]) error {
			got = append(got, e.Header)
			return nil
		})
		local := time.Now().In(time.FixedZone("X", 3600))
		err := bus.Publish(context.Background(), w.c, noted{Tenant: "acme", VM: "42"},
			bus.WithTime(local), bus.WithActor("user:1"), bus.WithVersion(math.MaxUint64), func(h *bus.Header) { h.Seq = 7 })
		if err != nil {
			t.Fatal(err)
		}
		w.publish(noted{})
		w.flush()
		h := got[0]
		if h.ID.IsZero() || h.ID == got[1].ID {
			t.Errorf("ids %v, %v", h.ID, got[1].ID)
		}
		h.ID = bus.ID{}
		want := bus.Header{
			Type: "test.noted", Schema: 1, Source: "test", Kind: "vm", ResourceID: "42", Tenant: "acme",
			Time: local.UTC(), Actor: "user:1", Version: math.MaxUint64,
		}
		if h != want {
			t.Errorf("header\n got %+v\nwant %+v", h, want)
		}
	})
}

func TestPublishInsideAHandlerInheritsCorrelationAndNamesItsCause(t *testing.T) {
	inBubble(t, func(w *world) {
		got := make(map[string]bus.Header)
		w.subscribe(func(ctx context.Context, e bus.Event[noted]) error {
			got[e.Type] = e.Header
			switch cause, ok := bus.Cause(ctx); {
			case !ok || cause != e.Header:
				t.Errorf("Cause = %+v, %v; want the event's header", cause, ok)
			case e.Type == "test.a":
				return bus.Publish(ctx, w.c, noted{Type: "test.b"})
			case e.Type == "test.b":
				_, err := w.j.Append(ctx, noted{Type: "test.c"})
				return err
			case e.Type == "test.c":
				return bus.Publish(bus.ContextWithCorrelation(ctx, "mine"), w.c, noted{Type: "test.d"}, bus.WithActor("me"))
			}
			return nil
		})
		ctx := bus.ContextWithCorrelation(context.Background(), "req-1")
		if err := bus.Publish(ctx, w.c, noted{Type: "test.a"}, func(h *bus.Header) { h.TraceParent = "00-ab-cd-01" }); err != nil {
			t.Fatal(err)
		}
		for range 4 {
			w.flush()
			synctest.Wait()
		}
		for _, tt := range []struct{ typ, correlation, cause string }{
			{"test.a", "req-1", ""}, {"test.b", "req-1", "test.a"}, {"test.c", "req-1", "test.b"}, {"test.d", "mine", "test.c"},
		} {
			h := got[tt.typ]
			if h.CorrelationID != tt.correlation || h.CausationID != got[tt.cause].ID.String() || h.TraceParent != "00-ab-cd-01" {
				t.Errorf("%s: correlation %q, cause %q, trace %q; want %q, %q", tt.typ, h.CorrelationID, h.CausationID, h.TraceParent, tt.correlation, got[tt.cause].ID)
			}
		}
	})
}

// An event without a correlation passes on its own ID; a recorded one is its own correlation, so that a search finds the whole tree.
func TestPublishCorrelatesWithTheFirstEvent(t *testing.T) {
	inBubble(t, func(w *world) {
		var first, second bus.Header
		w.subscribe(func(ctx context.Context, e bus.Event[noted]) error {
			if e.Payload.N == 1 {
				first = e.Header
				return bus.Publish(ctx, w.c, noted{N: 2})
			}
			second = e.Header
			return nil
		})
		w.publish(noted{N: 1})
		w.flush()
		w.flush()
		if second.CorrelationID != first.ID.String() || first.ID.IsZero() {
			t.Errorf("correlation %q, want %q", second.CorrelationID, first.ID)
		}
		r, err := w.b.Prepare(context.Background(), noted{})
		if err != nil || r.CorrelationID != r.ID.String() {
			t.Errorf("recorded: correlation %q, id %q, %v", r.CorrelationID, r.ID, err)
		}
	})
}

func TestPublishWherePanicStaysInItsSubscription(t *testing.T) {
	inBubble(t, func(w *world) {
		bad := w.subscribe(ignore[noted], bus.Where(func(bus.Header) bool { panic("where") }), bus.Name("bad"))
		s := &sink{}
		w.subscribe(s.handle)
		w.publish(noted{N: 1})
		w.record(2)
		w.flush()
		s.want(t, 1, 2)
		if i := bad.Inspect(); i.Failed != 2 || i.Delivered != 0 {
			t.Errorf("failed %d, delivered %d; want 2, 0", i.Failed, i.Delivered)
		}
		if len(w.log.lines("bad", "where")) == 0 {
			t.Error("nothing was logged")
		}
	})
}

func TestPublishFilterOnAFieldThatTheEventLacksNeverMatches(t *testing.T) {
	inBubble(t, func(w *world) {
		s := &sink{}
		for _, o := range []bus.Option{bus.Tenant("acme"), bus.Resource("vm", ""), bus.Resource("vm", "42")} {
			w.subscribe(s.handle, o)
			w.subscribe(s.handle, o, bus.From(0))
			if _, err := bus.Subscribe(w.c, func(_ context.Context, e bus.Event[any]) error { s.add(-1); return nil }, o); err != nil {
				t.Fatal(err)
			}
		}
		lacking := []noted{{N: 1}, {N: 2, Type: "test.vm"}, {N: 3, Tenant: "acme2"}}
		w.publish(lacking...)
		for _, p := range lacking {
			if _, err := w.j.Append(w.t.Context(), p); err != nil {
				t.Fatal(err)
			}
		}
		if err := bus.Publish(w.t.Context(), w.c, anyType("test.bare")); err != nil { // has no address at all
			t.Fatal(err)
		}
		w.flush()
		s.want(t)
	})
}

func TestPublishFilters(t *testing.T) {
	inBubble(t, func(w *world) {
		acme42, acme, vms, vm42, typed, where := &sink{}, &sink{}, &sink{}, &sink{}, &sink{}, &sink{}
		w.subscribe(acme42.handle, bus.Tenant("acme"), bus.Resource("vm", "42"))
		w.subscribe(acme.handle, bus.Tenant("acme"))
		w.subscribe(vms.handle, bus.Resource("vm", ""))
		w.subscribe(vm42.handle, bus.Resource("vm", "42"))
		w.subscribe(typed.handle, bus.Type("test.state.*"), bus.Type("test.removed"))
		w.subscribe(where.handle, bus.Where(func(h bus.Header) bool { return h.Seq > 0 }), bus.Where(func(h bus.Header) bool { return h.Tenant == "" }))
		events := []noted{
			{N: 1, Tenant: "acme", VM: "42"},
			{N: 2, Tenant: "acme", VM: "43", Type: "test.state.running"},
			{N: 3, Tenant: "other", VM: "42", Type: "test.removed"},
			{N: 4, Tenant: "acme", Type: "test.state.a.b"},
			{N: 5},
		}
		for _, e := range events {
			if _, err := w.j.Append(context.Background(), e); err != nil {
				t.Fatal(err)
			}
		}
		w.flush()
		w.publish(events...)
		w.flush()
		acme42.want(t, 1, 1)
		acme.want(t, 1, 2, 4, 1, 2, 4)
		vms.want(t, 1, 2, 3, 1, 2, 3)
		vm42.want(t, 1, 3, 1, 3)
		typed.want(t, 2, 3, 2, 3)
		where.want(t, 5)
	})
}
