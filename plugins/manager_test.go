package plugins_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
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

func TestRequiredThatFailsBetweenInitAndSubscribe(t *testing.T) {
	closed := make(chan struct{})
	m := manager(t, plugins.Options{})
	needed := &guest{name: "needed", close: func(context.Context) error { close(closed); return nil }, init: func(_ context.Context, rt *plugins.Runtime) error {
		rt.Go("worker", func(context.Context) error { return errors.New("no luck") })
		return nil
	}}
	next := &guest{name: "next", init: func(context.Context, *plugins.Runtime) error { <-closed; return nil }}
	if err := errors.Join(m.Add(needed, plugins.Required()), m.Add(next)); err != nil {
		t.Fatal(err)
	}
	if err := m.Start(t.Context()); err == nil || err.Error() != "plugins: needed: run: goroutine worker: no luck" {
		t.Errorf("start: %v", err)
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
	if err := m.Add(&guest{name: "nilopt"}, nil); err == nil {
		t.Error("a nil option was taken")
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

func TestAHaltedSubscriptionShows(t *testing.T) {
	b := liveBus(t)
	m := manager(t, plugins.Options{Bus: b}, &guest{name: "a", subscribe: func(c *bus.Client) error {
		_, err := bus.Subscribe(c, func(context.Context, bus.Event[Greeting]) error { return errors.New("no luck") }, bus.OnFailure(bus.Halt), bus.Name("door"))
		return err
	}}, &guest{name: "b"})
	start(t, m)
	if err := statusOf(t, m, "a").Err; err != nil {
		t.Errorf("before: %v", err)
	}
	if err := bus.Publish(t.Context(), b.Client("test"), Greeting{"Ada"}); err != nil {
		t.Fatal(err)
	}
	_ = b.Flush(t.Context()) // names the halted one too
	s := statusOf(t, m, "a")
	if s.Err == nil || !s.Running || !strings.Contains(s.Err.Error(), "plugins: a: run: subscription door halted: ") || !strings.Contains(s.Err.Error(), "no luck") {
		t.Errorf("after: %+v", s)
	}
	if err := statusOf(t, m, "b").Err; err != nil {
		t.Errorf("the other: %v", err)
	}
}
