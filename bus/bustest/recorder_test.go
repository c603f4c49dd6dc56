package bustest_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/bustest"
)

type lit struct {
	Lamp string `json:"lamp"`
	On   bool   `json:"on"`
}

func (l lit) EventType() string                  { return fmt.Sprintf("lamp.%v", l.On) }
func (l lit) Address() (tenant, kind, id string) { return "home", "lamp", l.Lamp }

func newBus(t *testing.T) *bus.Bus {
	t.Helper()
	b := bus.New(bus.Options{})
	t.Cleanup(func() {
		if err := b.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return b
}

func TestRecorderTellsWhatPassed(t *testing.T) {
	b := newBus(t)
	r := bustest.Record[lit](t, b)
	bustest.Inject(t, b, lit{"a", true}, lit{"b", true}, lit{"a", false})
	r.Want(bustest.Resource[lit]("lamp", "a"), bustest.Type[lit]("*.false"))
	r.WantExactly(
		bustest.Payload(lit{"a", true}),
		bustest.All(bustest.Type[lit]("lamp.>"), bustest.Not(bustest.Resource[lit]("lamp", "a"))),
		bustest.That("off", func(e bus.Event[lit]) bool { return !e.Payload.On }),
	)
	r.WantNone(bustest.Resource[lit]("lamp", "c"))
	r.Reset()
	r.WantNone()
}

// failing is a testing.TB that keeps what it is told.
type failing struct {
	testing.TB
	said string
}

func (f *failing) Helper()        {}
func (f *failing) Name() string   { return "failing" }
func (f *failing) Cleanup(func()) {}
func (f *failing) Fatalf(format string, args ...any) {
	f.said = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func TestRecorderFailurePrintsTheTimeline(t *testing.T) {
	tests := []struct {
		name string
		ask  func(*bustest.Recorder[lit])
		says string
	}{
		{"sub-sequence out of order", func(r *bustest.Recorder[lit]) {
			r.Want(bustest.Type[lit]("lamp.false"), bustest.Type[lit]("lamp.true"))
		}, "no event matches type lamp.true (1 of 2"},
		{"one too many", func(r *bustest.Recorder[lit]) { r.WantExactly(bustest.Type[lit]("lamp.true")) }, "event 2 wasn't wanted"},
		{"another one", func(r *bustest.Recorder[lit]) { r.WantExactly(bustest.Type[lit]("lamp.false")) }, "event 1 doesn't match type lamp.false"},
		{"one missing", func(r *bustest.Recorder[lit]) {
			r.WantExactly(bustest.Type[lit](">"), bustest.Type[lit](">"), bustest.Type[lit](">"))
		}, "2 events passed, want 3"},
		{"unwanted", func(r *bustest.Recorder[lit]) { r.WantNone(bustest.Resource[lit]("lamp", "a")) }, "event 1 matches resource lamp/a"},
		{"any", func(r *bustest.Recorder[lit]) { r.WantNone() }, "event 1 passed, want none"},
		{"wrong pattern", func(r *bustest.Recorder[lit]) { r.Want(bustest.Type[lit]("a..b")) }, "empty token"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBus(t)
			f := &failing{}
			r := bustest.Record[lit](f, b)
			bustest.Inject(t, b, lit{"a", true}, lit{"a", false})
			done := make(chan struct{})
			go func() {
				defer close(done)
				tt.ask(r)
			}()
			<-done
			for _, want := range []string{tt.says, "lamp.true", "lamp/a"} {
				if !strings.Contains(f.said, want) {
					t.Errorf("failure doesn't say %q:\n%s", want, f.said)
				}
			}
		})
	}
}

func TestSettleWaitsForWhatHandlersPublish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t)
		c := b.Client("chain")
		_, err := bus.Subscribe(c, func(ctx context.Context, e bus.Event[lit]) error {
			time.Sleep(time.Minute)
			if len(e.Payload.Lamp) > 3 {
				return nil
			}
			return bus.Publish(ctx, c, lit{e.Payload.Lamp + "x", true})
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := bus.Publish(t.Context(), c, lit{"x", true}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		for range 4 {
			if err := b.Flush(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if n := b.Inspect().Subscriptions[0].Delivered; n != 4 {
			t.Errorf("delivered %d, want 4", n)
		}
	})
}

func TestDurableHandlerWithoutADatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := bustest.NewJournal()
		b := bus.New(bus.Options{Journal: j})
		if err := bus.Register[lit](b, "lamp.>", 1); err != nil {
			t.Fatal(err)
		}
		r := bustest.Record[lit](t, b, bus.Durable("lamps"))
		if _, err := j.Append(t.Context(), lit{"a", true}, lit{"b", false}); err != nil {
			t.Fatal(err)
		}
		r.WantExactly(bustest.Payload(lit{"a", true}), bustest.Payload(lit{"b", false}))
		j.Fail(errors.New("disk on fire"))
		if err := b.Flush(t.Context()); err == nil {
			t.Error("Flush of a failing journal: no error")
		}
		j.Fail(nil)
		if err := b.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
