package plugins_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/plugins"
)

func TestOrder(t *testing.T) {
	d := new(diary)
	m := manager(t, plugins.Options{}, &guest{name: "a", diary: d}, &guest{name: "b", diary: d})
	start(t, m)
	if err := m.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{"init a", "init b", "subscribe a", "subscribe b", "close b", "close a"}
	if got := d.read(); !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
}

func TestCloseComesAfterAllThatRan(t *testing.T) {
	d := new(diary)
	subscribed := make(chan *bus.Subscription, 1)
	g := &guest{name: "a", diary: d}
	g.init = func(_ context.Context, rt *plugins.Runtime) error {
		rt.Go("worker", func(ctx context.Context) error {
			<-ctx.Done()
			d.note("worker ended")
			return ctx.Err()
		})
		return nil
	}
	g.subscribe = func(c *bus.Client) error {
		sub, err := bus.Subscribe(c, func(context.Context, bus.Event[any]) error { return nil })
		subscribed <- sub
		return err
	}
	sub := (*bus.Subscription)(nil)
	g.close = func(context.Context) error {
		select {
		case <-sub.Done():
			d.note("subscription ended")
		default:
		}
		return nil
	}
	m := manager(t, plugins.Options{}, g)
	start(t, m)
	sub = <-subscribed
	if err := m.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{"init a", "subscribe a", "worker ended", "close a", "subscription ended"}
	if got := d.read(); !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
}

// ways in which foreign code can fail.
var ways = []struct {
	name string
	fail func() error
	want string
}{
	{"error", func() error { return errors.New("no luck") }, "no luck"},
	{"panic", func() error { panic("boom") }, "panic: boom"},
	{"goexit", func() error { runtime.Goexit(); return nil }, "panic: runtime.Goexit"},
}

func TestIsolation(t *testing.T) {
	for _, way := range ways {
		for _, phase := range []string{plugins.PhaseMigrate, plugins.PhaseInit, plugins.PhaseSubscribe, plugins.PhaseRun} {
			t.Run(phase+" "+way.name, func(t *testing.T) {
				d := new(diary)
				bad := &migrating{guest: guest{name: "bad", diary: d}, files: func() fs.FS { return nil }}
				closed := make(chan struct{})
				bad.close = func(context.Context) error { close(closed); return nil }
				switch phase {
				case plugins.PhaseMigrate:
					bad.files = func() fs.FS {
						if err := way.fail(); err != nil {
							panic(err)
						}
						return nil
					}
				case plugins.PhaseInit:
					bad.init = func(context.Context, *plugins.Runtime) error { return way.fail() }
				case plugins.PhaseSubscribe:
					bad.subscribe = func(*bus.Client) error { return way.fail() }
				case plugins.PhaseRun:
					bad.init = func(_ context.Context, rt *plugins.Runtime) error {
						rt.Go("worker", func(context.Context) error { return way.fail() })
						return nil
					}
				}
				m := manager(t, plugins.Options{}, bad, &guest{name: "good", diary: d})
				start(t, m)
				if phase != plugins.PhaseMigrate {
					<-closed
				}
				if s := statusOf(t, m, "good"); !s.Running || s.Err != nil {
					t.Errorf("good: %+v", s)
				}
				s := statusOf(t, m, "bad")
				failure, ok := errors.AsType[*plugins.PluginError](s.Err)
				if s.Running || !ok || failure.Phase != phase || failure.Plugin != "bad" || !strings.Contains(s.Err.Error(), way.want) {
					t.Errorf("bad: running %v, error %v; want phase %s, %q", s.Running, s.Err, phase, way.want)
				}
				if err := m.Close(t.Context()); err != nil {
					t.Errorf("close: %v", err)
				}
				if n := strings.Count(strings.Join(d.read(), "\n"), "close bad"); n > 1 || n == 0 && phase != plugins.PhaseMigrate {
					t.Errorf("Close of bad was called %d times", n)
				}
			})
		}
	}
}

func TestDisabledPluginIsCutOff(t *testing.T) {
	fail := make(chan struct{})
	var sub *bus.Subscription
	others := make(chan error, 1)
	bad := &guest{name: "bad"}
	bad.init = func(_ context.Context, rt *plugins.Runtime) error {
		rt.Go("culprit", func(context.Context) error { <-fail; return errors.New("no luck") })
		rt.Go("bystander", func(ctx context.Context) error { <-ctx.Done(); others <- ctx.Err(); return nil })
		return nil
	}
	bad.subscribe = func(c *bus.Client) (err error) {
		sub, err = bus.Subscribe(c, func(context.Context, bus.Event[any]) error { return nil })
		return err
	}
	closed := make(chan struct{})
	bad.close = func(context.Context) error { close(closed); return nil }
	m := manager(t, plugins.Options{}, bad)
	start(t, m)
	close(fail)
	<-closed
	<-sub.Done()
	if err := <-others; !errors.Is(err, context.Canceled) {
		t.Errorf("the other goroutine's context ended with %v", err)
	}
	if err := statusOf(t, m, "bad").Err; err == nil || !strings.Contains(err.Error(), "goroutine culprit: no luck") {
		t.Errorf("status: %v", err)
	}
}

func TestRequiredFailsTheStart(t *testing.T) {
	d := new(diary)
	m := manager(t, plugins.Options{}, &guest{name: "first", diary: d})
	cause := errors.New("no luck")
	err := m.Add(&guest{name: "needed", diary: d, init: func(context.Context, *plugins.Runtime) error { return cause }}, plugins.Required())
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Add(&guest{name: "last", diary: d}); err != nil {
		t.Fatal(err)
	}
	err = m.Start(t.Context())
	failure, ok := errors.AsType[*plugins.PluginError](err)
	if !ok || failure.Plugin != "needed" || !errors.Is(err, cause) {
		t.Errorf("start: %v", err)
	}
	want := []string{"init first", "init needed", "close needed", "close first"}
	if got := d.read(); !slices.Equal(got, want) {
		t.Errorf("happened %v, want %v", got, want)
	}
	if err := m.Close(t.Context()); err != nil {
		t.Errorf("close afterwards: %v", err)
	}
}

func TestCloseEndsAStart(t *testing.T) {
	begun := make(chan struct{})
	m := manager(t, plugins.Options{}, &guest{name: "slow", init: func(ctx context.Context, _ *plugins.Runtime) error {
		close(begun)
		<-ctx.Done()
		return ctx.Err()
	}})
	started := make(chan error, 1)
	go func() { started <- m.Start(context.Background()) }()
	<-begun
	if err := m.Close(t.Context()); err != nil {
		t.Errorf("close: %v", err)
	}
	<-started
	if s := statusOf(t, m, "slow"); s.Running {
		t.Error("the plugin runs")
	}
}

func TestDeadlinesNameWhoDidNotEnd(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(release chan struct{}) *guest
		want string
	}{
		{"method", func(release chan struct{}) *guest {
			return &guest{name: "bad", close: func(context.Context) error { <-release; return nil }}
		}, "Close"},
		{"goroutine", func(release chan struct{}) *guest {
			return &guest{name: "bad", init: func(_ context.Context, rt *plugins.Runtime) error {
				rt.Go("worker", func(context.Context) error { <-release; return nil })
				return nil
			}}
		}, "worker"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				var left time.Duration
				good := &guest{name: "good", close: func(ctx context.Context) error {
					deadline, _ := ctx.Deadline()
					left = time.Until(deadline)
					return nil
				}}
				b := bus.New(bus.Options{Logger: quiet()})
				m, err := plugins.NewManager(plugins.Options{Bus: b, Logger: quiet()})
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range []plugins.Plugin{good, c.make(release)} {
					if err := m.Add(p); err != nil {
						t.Fatal(err)
					}
				}
				start(t, m)
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				err = m.Close(ctx)
				unfinished, ok := errors.AsType[*plugins.UnfinishedError](err)
				if !ok || !slices.Equal(unfinished.Left, []string{c.want}) || !strings.Contains(err.Error(), "plugins: bad: close: ") || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("close: %v", err)
				}
				if left < 3*time.Second {
					t.Errorf("the other plugin had %v left to close", left)
				}
				close(release)
				closeBus(t, b)
			})
		})
	}
}

func TestInitThatIgnoresItsContextIsLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		d := new(diary)
		b := bus.New(bus.Options{Logger: quiet()})
		m, err := plugins.NewManager(plugins.Options{Bus: b, Logger: quiet()})
		if err != nil {
			t.Fatal(err)
		}
		hanging := &guest{name: "bad", diary: d, init: func(context.Context, *plugins.Runtime) error { <-release; return nil }}
		if err := m.Add(hanging, plugins.Required()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err = m.Start(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "plugins: bad: init: still running: Init") {
			t.Errorf("start: %v", err)
		}
		if got := d.read(); !slices.Equal(got, []string{"init bad", "close bad"}) {
			t.Errorf("happened %v", got)
		}
		close(release)
		closeBus(t, b)
	})
}

func TestAddRefuses(t *testing.T) {
	m := manager(t, plugins.Options{}, &guest{name: "there"})
	for _, name := range []string{"", "Usage", "9lives", "a-b", "a.b", "ä", strings.Repeat("a", 33), "there"} {
		err := m.Add(&guest{name: name})
		if e, ok := errors.AsType[*plugins.NameError](err); !ok || e.Name != name {
			t.Errorf("name %q: %v", name, err)
		}
	}
	if err := m.Add(nil); err == nil {
		t.Error("nil was added")
	}
	if _, ok := errors.AsType[*plugins.PanicError](m.Add((*guest)(nil))); !ok {
		t.Error("a plugin whose Name panics was added")
	}
	start(t, m)
	if err := m.Add(&guest{name: "late"}); !errors.Is(err, plugins.ErrStarted) {
		t.Errorf("after Start: %v", err)
	}
	if err := m.Start(t.Context()); !errors.Is(err, plugins.ErrStarted) {
		t.Errorf("second Start: %v", err)
	}
	if err := m.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := m.Add(&guest{name: "later"}); !errors.Is(err, plugins.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if _, err := plugins.NewManager(plugins.Options{}); err == nil {
		t.Error("a manager without a bus was made")
	}
}

func TestMigrationsAreAppliedBeforeInit(t *testing.T) {
	good := fstest.MapFS{"00001_a.sql": {Data: []byte("-- +goose Up\nCREATE TABLE mine_things (id BIGINT PRIMARY KEY);\n")}}
	bad := fstest.MapFS{"00001_a.sql": {Data: []byte("-- +goose Up\nCREATE TABEL oops;\n")}}
	count := func(rt *plugins.Runtime) (n int64, err error) {
		err = rt.Read().Raw("SELECT COUNT(*) FROM mine_things").Scan(&n).Error
		return n, err
	}
	mine := &migrating{guest: guest{name: "mine"}, files: func() fs.FS { return good }}
	mine.init = func(_ context.Context, rt *plugins.Runtime) error { _, err := count(rt); return err }
	wrong := &migrating{guest: guest{name: "wrong"}, files: func() fs.FS { return bad }}
	m := manager(t, plugins.Options{Bus: durableBus(t)}, mine, wrong)
	start(t, m)
	if s := statusOf(t, m, "mine"); !s.Running || s.Err != nil {
		t.Errorf("mine: %+v", s)
	}
	failure, ok := errors.AsType[*plugins.PluginError](statusOf(t, m, "wrong").Err)
	if !ok || failure.Phase != plugins.PhaseMigrate {
		t.Errorf("wrong: %v", failure)
	}
}

func TestConfigurationForAPluginThatIsNotThere(t *testing.T) {
	m := manager(t, plugins.Options{Config: map[string]json.RawMessage{"usgae": nil}}, &guest{name: "usage"}, &guest{name: "alerts"})
	err := m.Start(t.Context())
	e, ok := errors.AsType[*plugins.UnknownPluginError](err)
	if !ok || e.Name != "usgae" || !slices.Equal(e.Known, []string{"usage", "alerts"}) {
		t.Errorf("start: %v", err)
	}
}

func TestHealth(t *testing.T) {
	for _, c := range []struct {
		name   string
		health func(context.Context) error
		want   string
	}{
		{"well", func(context.Context) error { return nil }, ""},
		{"ill", func(context.Context) error { return errors.New("a cold") }, "plugins: a: health: a cold"},
		{"panics", func(context.Context) error { panic("boom") }, "plugins: a: health: panic: boom"},
		{"hangs", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, "plugins: a: health: context deadline exceeded"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := manager(t, plugins.Options{}, &guest{name: "a", health: c.health})
			start(t, m)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			s := m.Status(ctx)[0]
			if !s.Running {
				t.Error("the answer disabled the plugin")
			}
			if got := s.Err; got == nil && c.want != "" || got != nil && got.Error() != c.want {
				t.Errorf("health %v, want %q", got, c.want)
			}
		})
	}
}

func TestCloseWithoutTimeStillCloses(t *testing.T) {
	for range 20 { // a select between two ready channels takes either
		d := new(diary)
		m := manager(t, plugins.Options{}, &guest{name: "a", diary: d})
		start(t, m)
		over, cancel := context.WithCancel(t.Context())
		cancel()
		_ = m.Close(over) // may say that it had no time
		if got := d.read(); !slices.Contains(got, "close a") {
			t.Fatalf("happened %v", got)
		}
	}
}
