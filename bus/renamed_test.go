package bus_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// remark is what noted has become in a later version of the program: another Go type, the same JSON.
type remark struct {
	Number int    `json:"n"`
	Name   string `json:"type,omitempty"`
	Of     string `json:"tenant,omitempty"`
	VM     string `json:"vm,omitempty"`
}

func (r remark) EventType() string { return "test.noted" }

// later opens another version of the program on the journal; it knows no noted.
func (w *world) later(register func(b *bus.Bus) error) {
	w.t.Helper()
	w.close()
	w.log = &logBuffer{}
	w.b = bus.New(bus.Options{Journal: w.j, Source: "later", Logger: slog.New(slog.NewTextHandler(w.log, nil))})
	if err := register(w.b); err != nil {
		w.t.Fatal(err)
	}
	w.c = w.b.Client("client")
}

func remarks(got *sink) func(context.Context, bus.Event[remark]) error {
	return func(_ context.Context, e bus.Event[remark]) error {
		got.add(e.Payload.Number)
		return nil
	}
}

func TestRenamedGoTypeReadsWhatIsStored(t *testing.T) {
	inBubble(t, func(w *world) {
		first := &sink{}
		w.subscribe(first.handle, bus.Durable("d"))
		w.record(1, 2)
		w.flush()
		w.later(func(b *bus.Bus) error { return bus.Register[noted](b, "test.>", 1) })
		w.record(3)
		w.later(func(b *bus.Bus) error { return bus.Register[remark](b, "test.>", 1) })
		durable, from, batch := &sink{}, &sink{}, &sink{}
		_, err1 := bus.Subscribe(w.c, remarks(durable), bus.Durable("d"))
		_, err2 := bus.Subscribe(w.c, remarks(from), bus.From(0))
		_, err3 := bus.SubscribeBatch(w.c, "b", func(ctx context.Context, b bus.Batch[remark]) error {
			for _, e := range b.Events {
				batch.add(e.Payload.Number)
			}
			return w.j.SetCursor(ctx, "b", b.To)
		}, bus.From(0))
		if err := errors.Join(err1, err2, err3); err != nil {
			t.Fatal(err)
		}
		w.flush()
		if _, err := w.j.Append(context.Background(), remark{Number: 4}); err != nil {
			t.Fatal(err)
		}
		w.flush()
		first.want(t, 1, 2)
		durable.want(t, 3, 4)
		from.want(t, 1, 2, 3, 4)
		batch.want(t, 1, 2, 3, 4)
		w.wantParked()
	})
}

// other is what is left when noted has been removed.
type other struct{}

func (other) EventType() string { return "other.made" }

func TestEventsOfARemovedTypeAreParkedAndReported(t *testing.T) {
	inBubble(t, func(w *world) {
		w.recordOf("a", 1)
		w.later(func(b *bus.Bus) error { return bus.Register[other](b, "other.>", 1) })
		got := 0
		handle := func(context.Context, bus.Event[bus.Payload]) error { got++; return nil }
		if _, err := bus.Subscribe(w.c, handle, bus.Durable("d"), bus.From(0), bus.Type("test.noted"), bus.Retry(2, time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		w.flush()
		if all := w.wantParked(1); len(all) == 1 && !strings.Contains(all[0].Reason, "test.noted") {
			t.Errorf("parked because of %q, want it to name the type", all[0].Reason)
		}
		if got != 0 {
			t.Errorf("the handler got %d events that it can't read", got)
		}
		if got := w.log.lines("event parked", "test.noted"); len(got) != 1 {
			t.Errorf("logged %q, want one line that names the type", got)
		}
		w.later(func(b *bus.Bus) error { return bus.Register[remark](b, "test.>", 1) })
		again := &sink{}
		if _, err := bus.Subscribe(w.c, remarks(again), bus.Durable("d")); err != nil {
			t.Fatal(err)
		}
		if r := w.replay("", ""); r.Done != 1 || r.Err != nil {
			t.Errorf("with the type back, the replay came to %+v", r)
		}
		again.want(t, 1)
	})
}
