package plugins_test

import (
	"context"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// diary notes in which order things happened.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) note(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, line)
}

func (d *diary) read() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.lines...)
}

// guest is a plugin made of functions; what is nil does nothing.
type guest struct {
	name      string
	diary     *diary
	init      func(context.Context, *plugins.Runtime) error
	subscribe func(*bus.Client) error
	close     func(context.Context) error
	health    func(context.Context) error
	drain     func(context.Context) error
}

func (g *guest) Name() string { return g.name }

func (g *guest) Init(ctx context.Context, rt *plugins.Runtime) error {
	g.note("init")
	if g.init == nil {
		return nil
	}
	return g.init(ctx, rt)
}

func (g *guest) Subscribe(c *bus.Client) error {
	g.note("subscribe")
	if g.subscribe == nil {
		return nil
	}
	return g.subscribe(c)
}

func (g *guest) Close(ctx context.Context) error {
	g.note("close")
	if g.close == nil {
		return nil
	}
	return g.close(ctx)
}

func (g *guest) Health(ctx context.Context) error {
	if g.health == nil {
		return nil
	}
	return g.health(ctx)
}

func (g *guest) Drain(ctx context.Context) error {
	if g.drain == nil {
		return nil
	}
	g.note("drain")
	return g.drain(ctx)
}

func (g *guest) note(what string) {
	if g.diary != nil {
		g.diary.note(what + " " + g.name)
	}
}

// migrating is a guest with tables.
type migrating struct {
	guest
	files func() fs.FS
}

func (m *migrating) Migrations() fs.FS { return m.files() }

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// liveBus is a bus without a journal.
func liveBus(t *testing.T) *bus.Bus {
	t.Helper()
	b := bus.New(bus.Options{Logger: quiet()})
	t.Cleanup(func() { closeBus(t, b) })
	return b
}

// durableBus is a bus with a journal in a new database.
func durableBus(t *testing.T) *bus.Bus {
	t.Helper()
	store, err := sqlite.Open(filepath.Join(t.TempDir(), "test.db"), sqlite.Options{Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	b := bus.New(bus.Options{Logger: quiet(), Journal: store.Journal()})
	t.Cleanup(func() {
		closeBus(t, b)
		if err := store.Close(context.Background()); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return b
}

func closeBus(t *testing.T, b *bus.Bus) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := b.Close(ctx); err != nil {
		t.Errorf("close the bus: %v", err)
	}
}

func manager(t *testing.T, o plugins.Options, guests ...plugins.Plugin) *plugins.Manager {
	t.Helper()
	if o.Bus == nil {
		o.Bus = liveBus(t)
	}
	if o.Logger == nil {
		o.Logger = quiet()
	}
	m, err := plugins.NewManager(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range guests {
		if err := m.Add(g); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = m.Close(ctx) // tests that care have closed it before
	})
	return m
}

func start(t *testing.T, m *plugins.Manager) {
	t.Helper()
	if err := m.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// statusOf returns the status of one plugin.
func statusOf(t *testing.T, m *plugins.Manager, name string) plugins.Status {
	t.Helper()
	for _, s := range m.Status(t.Context()) {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no status of %s", name)
	return plugins.Status{}
}

func oneTable() fs.FS {
	return fstest.MapFS{"00001_a.sql": {Data: []byte("-- +goose Up\nCREATE TABLE mine_things (id BIGINT PRIMARY KEY);\n")}}
}
