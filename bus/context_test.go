package bus_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/bustest"
)

func TestWriterMarksNest(t *testing.T) {
	a, b := new(int), new(int)
	ctx := bus.EnterWriter(bus.EnterWriter(t.Context(), a), b)
	if !bus.InWriter(ctx, a) || !bus.InWriter(ctx, b) || bus.InWriter(ctx, new(int)) || bus.InWriter(t.Context(), a) {
		t.Error("a context belongs to the members it was marked for, and no others")
	}
}

func TestCorrelationOfContexts(t *testing.T) {
	if c, cause := bus.Correlation(t.Context()); c != "" || cause != "" {
		t.Errorf("plain context: %q, %q", c, cause)
	}
	if _, ok := bus.Cause(t.Context()); ok {
		t.Error("plain context has a cause")
	}
	h := bus.Header{ID: bus.ID{1}, Type: "a.b", CorrelationID: "c-1"}
	ctx := bus.ContextWithCause(t.Context(), h)
	if c, cause := bus.Correlation(ctx); c != "c-1" || cause != h.ID.String() {
		t.Errorf("with a cause: %q, %q", c, cause)
	}
	ctx = bus.ContextWithCorrelation(ctx, "c-2")
	if c, cause := bus.Correlation(ctx); c != "c-2" || cause != h.ID.String() {
		t.Errorf("with a correlation inside: %q, %q", c, cause)
	}
	if got, ok := bus.Cause(ctx); !ok || got != h {
		t.Errorf("Cause = %+v, %v", got, ok)
	}
}

// A handler may hand its context to goroutines that outlive it: they still know the cause, and nothing of the events that follow.
func TestHandlerContextOutlivesTheHandler(t *testing.T) {
	inBubble(t, func(w *world) {
		var kept []context.Context
		var ids []string
		w.subscribe(func(ctx context.Context, e bus.Event[noted]) error {
			kept, ids = append(kept, ctx), append(ids, e.ID.String())
			return nil
		})
		w.publish(manyNoted(100)...)
		w.flush()
		for i, ctx := range kept {
			correlation, cause := bus.Correlation(ctx)
			if h, ok := bus.Cause(ctx); !ok || h.ID.String() != ids[i] || cause != ids[i] || correlation != ids[i] {
				t.Fatalf("context of event %s: cause %s, %s, correlation %s", ids[i], h.ID, cause, correlation)
			}
			if ctx.Err() != nil {
				t.Fatalf("the context ended with its handler: %v", ctx.Err())
			}
		}
		w.close()
		synctest.Wait()
		if kept[0].Err() == nil {
			t.Error("the context outlives the bus")
		}
	})
}

func TestHandlerContextIsReadConcurrently(t *testing.T) {
	b := newBus(t, nil)
	c := b.Client("c")
	var wg sync.WaitGroup
	_, err := bus.Subscribe(c, func(ctx context.Context, e bus.Event[noted]) error {
		wg.Go(func() {
			for range 20 {
				if h, ok := bus.Cause(ctx); !ok || h.ID != e.ID {
					t.Errorf("Cause = %v, want %v", h.ID, e.ID)
				}
			}
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	bustest.Inject(t, b, manyNoted(500)...)
	bustest.Settle(t, b)
	wg.Wait()
}
