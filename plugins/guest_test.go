package plugins_test

import (
	"context"
	"errors"
	"io/fs"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/plugins"
)

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

func TestDrainTellsHandlersThatWait(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			d := new(diary)
			waiting, told := make(chan struct{}), make(chan struct{})
			p := &guest{name: "waiter", diary: d}
			p.subscribe = func(c *bus.Client) error {
				_, err := bus.Subscribe(c, func(context.Context, bus.Event[Greeting]) error {
					close(waiting)
					<-told
					d.note("handler ends")
					return nil
				})
				return err
			}
			p.drain = func(context.Context) error { close(told); return way.fail() }
			b := liveBus(t)
			m := manager(t, plugins.Options{Bus: b}, p)
			start(t, m)
			if err := bus.Publish(t.Context(), b.Client("test"), Greeting{}); err != nil {
				t.Fatal(err)
			}
			<-waiting
			// However Drain ends, what follows it comes.
			if err := m.Close(t.Context()); err == nil || !strings.Contains(err.Error(), way.want) {
				t.Errorf("close: %v, want %q", err, way.want)
			}
			want := []string{"init waiter", "subscribe waiter", "drain waiter", "handler ends", "close waiter"}
			if got := d.read(); !slices.Equal(got, want) {
				t.Errorf("order %v, want %v", got, want)
			}
		})
	}
}

func TestDrainIsNotCalledWithoutSubscribe(t *testing.T) {
	d := new(diary)
	p := &guest{name: "unlucky", diary: d, drain: func(context.Context) error { return nil }}
	p.init = func(context.Context, *plugins.Runtime) error { return errors.New("no luck") }
	m := manager(t, plugins.Options{}, p)
	start(t, m)
	if want := []string{"init unlucky", "close unlucky"}; !slices.Equal(d.read(), want) {
		t.Errorf("order %v, want %v", d.read(), want)
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
