package bustest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
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
	b := bus.New(bus.Options{Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
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
		{"nothing wanted", func(r *bustest.Recorder[lit]) { r.WantExactly() }, "wanted: nothing"},
		{"zero matcher", func(r *bustest.Recorder[lit]) { r.Want(bustest.Not(bustest.Any[lit]()), bustest.Matcher[lit]{}) }, "not any event"},
		{"another actor", func(r *bustest.Recorder[lit]) {
			r.Want(bustest.Either(bustest.Actor[lit]("me"), bustest.Tenant[lit]("work"), bustest.CausedBy[lit](bus.Header{Type: "x"}), bustest.Matcher[lit]{}))
		}, "actor me or tenant work or caused by x"},
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

func TestRecorderShowsWhatWasMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, j := bustest.New(t)
		if err := bus.Register[lit](b, "lamp.>", 1); err != nil {
			t.Fatal(err)
		}
		f := &failing{}
		r := bustest.Record[lit](f, b)
		j.Fail(errors.New("away"))
		bustest.InjectRecorded(t, j, lit{"a", true}, lit{"b", true}, lit{"c", true})
		synctest.Wait()
		j.RemoveUpTo(2) // before the bus has read them
		j.Fail(nil)
		time.Sleep(time.Minute)
		for name, ask := range map[string]func(){
			"WantNone":    func() { r.WantNone(bustest.Type[lit]("other")) },
			"WantExactly": func() { r.WantExactly(bustest.Any[lit]()) },
		} {
			done := make(chan struct{})
			go func() {
				defer close(done)
				ask()
			}()
			<-done
			if !strings.Contains(f.said, "2 events missed (numbers 1 to 2)\n    1 ") {
				t.Errorf("%s: the timeline doesn't show the gap:\n%s", name, f.said)
			}
			f.said = ""
		}
		r.Want(bustest.Payload(lit{"c", true}))
		r.Reset()
		r.WantExactly()
		r.Subscription().Close()
	})
}

func TestWaitIsForWhatComesFromOutside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := bustest.New(t)
		f := &failing{}
		r := bustest.Record[lit](f, b)
		bustest.Inject(t, b, lit{"a", true})
		time.AfterFunc(time.Second, func() { bustest.Inject(t, b, lit{"b", true}) })
		start := time.Now()
		if e := r.Wait(bustest.Payload(lit{"b", true})); e.Payload.Lamp != "b" || time.Since(start) != time.Second {
			t.Errorf("waited %v for %+v", time.Since(start), e)
		}
		r.Wait(bustest.Payload(lit{"a", true})) // is there already
		done := make(chan struct{})
		go func() {
			defer close(done)
			r.Wait(bustest.Resource[lit]("lamp", "c"))
		}()
		<-done
		if !strings.Contains(f.said, "no event matches resource lamp/c within 10s") || !strings.Contains(f.said, "lamp/b") || time.Since(start) != 11*time.Second {
			t.Errorf("after %v: %s", time.Since(start), f.said)
		}
		r.Subscription().Close()
	})
}

func TestHealthySaysWhoHasFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bus.New(bus.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
		t.Cleanup(func() { _ = b.Close(context.Background()) })
		_, err := bus.Subscribe(b.Client("c"), func(_ context.Context, e bus.Event[lit]) error {
			if !e.Payload.On {
				return errors.New("dark")
			}
			return nil
		}, bus.Name("reader"))
		if err != nil {
			t.Fatal(err)
		}
		bustest.Inject(t, b, lit{"a", true})
		bustest.Healthy(t, b)
		bustest.Inject(t, b, lit{"a", false})
		f := &failing{}
		done := make(chan struct{})
		go func() {
			defer close(done)
			bustest.Healthy(f, b)
		}()
		<-done
		for _, want := range []string{`"reader"`, "recorder_test.go:", "failed 1 times", "dark"} {
			if !strings.Contains(f.said, want) {
				t.Errorf("it doesn't say %q: %s", want, f.said)
			}
		}
	})
}

func TestSettleWithinWaitsAsLongAsItIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := bustest.New(t)
		if _, err := bus.Subscribe(b.Client("c"), func(context.Context, bus.Event[lit]) error { time.Sleep(time.Hour); return nil }); err != nil {
			t.Fatal(err)
		}
		bustest.Inject(t, b, lit{"a", true}, lit{"b", true})
		start := time.Now()
		bustest.SettleWithin(t, b, 3*time.Hour)
		if d := time.Since(start); d != 2*time.Hour {
			t.Errorf("settled after %v, want 2h", d)
		}
	})
}
