package plugintest

import (
	"context"
	"encoding/json"
	"errors"
	"expvar"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// counter is a plugin with a table, a configuration, a route and a goroutine, whose parts a test can replace by worse ones.
type counter struct {
	name      func() string
	config    func(*plugins.Runtime) error
	init      func(*plugins.Runtime) error
	handle    func(*journal.Tx, bus.Event[said]) error
	close     func() error
	migration string
}

type said struct {
	Word string `json:"word"`
}

func (said) EventType() string { return "test.said" }

func newCounter() *counter {
	return &counter{
		name: func() string { return "counter" },
		config: func(rt *plugins.Runtime) error {
			var c struct {
				Words int `json:"words"`
			}
			return rt.Config(&c)
		},
		init: func(rt *plugins.Runtime) error {
			rt.Go("idle", func(ctx context.Context) error { <-ctx.Done(); return nil })
			return nil
		},
		handle: func(tx *journal.Tx, e bus.Event[said]) error {
			return tx.DB().Exec("INSERT INTO counter_words (seq, word) VALUES (?, ?) ON CONFLICT DO NOTHING", e.Seq, e.Payload.Word).Error
		},
		close:     func() error { return nil },
		migration: "CREATE TABLE counter_words (seq BIGINT PRIMARY KEY, word TEXT, n BIGINT DEFAULT 0);",
	}
}

func (c *counter) Name() string { return c.name() }

func (c *counter) Migrations() fs.FS {
	return fstest.MapFS{"00001_words.sql": {Data: []byte("-- +goose Up\n" + c.migration + "\n")}}
}

func (c *counter) Init(_ context.Context, rt *plugins.Runtime) error {
	if err := c.config(rt); err != nil {
		return err
	}
	return errors.Join(bus.Register[said](rt.Bus(), "test.>", 1), c.init(rt))
}

func (c *counter) Subscribe(client *bus.Client) error {
	_, err := journal.Subscribe(client, "counter", func(_ context.Context, tx *journal.Tx, batch []bus.Event[said]) error {
		for _, e := range batch {
			if err := c.handle(tx, e); err != nil {
				return err
			}
		}
		return nil
	}, bus.From(0))
	return err
}

func (c *counter) Close(context.Context) error { return c.close() }

// open returns a bus with a journal in a new database.
func open(t testing.TB) *bus.Bus {
	log := slog.New(slog.DiscardHandler)
	store, err := sqlite.Open(filepath.Join(t.TempDir(), "test.db"), sqlite.Options{Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	b := bus.New(bus.Options{Journal: store.Journal(), Logger: log})
	t.Cleanup(func() { _ = b.Close(context.Background()); _ = store.Close(context.Background()) })
	return b
}

func feed(t testing.TB, b *bus.Bus) {
	j := b.Journal().(*journal.Journal)
	for _, word := range []string{"to", "be", "or", "not", "to", "be"} {
		if err := j.Do(t.Context(), func(tx *journal.Tx) error { _, err := tx.Append(said{word}); return err }); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAGoodPluginPasses(t *testing.T) {
	Run(t, func() plugins.Plugin { return newCounter() }, Database(open), Config(`{"words": 3}`), Feed(feed))
}

type quiet struct{ plugins.Base }

func (quiet) Name() string { return "quiet" }

func TestAPluginWithoutADatabasePasses(t *testing.T) {
	Run(t, func() plugins.Plugin { return quiet{} })
}

func TestEachFaultIsFound(t *testing.T) {
	ended := make(chan struct{})
	defer close(ended)
	instances := 0
	for _, c := range []struct {
		name  string
		check string
		spoil func(*counter)
		opts  []Option
		want  string
	}{
		{"no name", "name", func(c *counter) { c.name = func() string { return "Counter!" } }, nil, "doesn't match"},
		{"changing name", "name", func(c *counter) {
			instances++
			n := string(rune('a' + instances))
			c.name = func() string { return n }
		}, nil, "the next"},
		{"fails to start", "start and close", func(c *counter) { c.init = func(*plugins.Runtime) error { return errors.New("no luck") } }, nil, "no luck"},
		{"fails to close", "start and close", func(c *counter) { c.close = func() error { return errors.New("no luck") } }, nil, "close: "},
		{"second close panics", "start and close", func(c *counter) {
			done := make(chan struct{})
			c.close = func() error { close(done); return nil }
		}, nil, "a second Close panics"},
		{"leaks", "start and close", func(c *counter) {
			c.init = func(*plugins.Runtime) error { go func() { <-ended }(); return nil }
		}, nil, "leaves goroutines behind"},
		{"needs Subscribe to close", "another fails", func(c *counter) { c.close = func() error { panic("nil pointer") } }, nil, "nil pointer"},
		{"takes any configuration", "unknown configuration", func(c *counter) {
			c.config = func(rt *plugins.Runtime) error {
				var any map[string]json.RawMessage
				return rt.Config(&any)
			}
		}, nil, "is accepted"},
		{"a global", "two at once", func(c *counter) {
			c.init = func(*plugins.Runtime) error { expvar.NewInt("plugintest_global"); return nil }
		}, nil, "plugintest_global"},
		{"a table made by hand", "restart", func(c *counter) {
			c.init = func(rt *plugins.Runtime) error {
				return rt.Write(context.Background(), func(tx *journal.Tx) error {
					return tx.DB().Exec("CREATE TABLE counter_by_hand (id BIGINT PRIMARY KEY)").Error
				})
			}
		}, nil, "second run: start: plugins: counter: init"},
		{"counts twice", "replay", func(c *counter) {
			c.handle = func(tx *journal.Tx, e bus.Event[said]) error {
				return tx.DB().Exec("INSERT INTO counter_words (seq, word, n) VALUES (?, ?, 1) ON CONFLICT (seq) DO UPDATE SET n = n + 1", e.Seq, e.Payload.Word).Error
			}
		}, []Option{Feed(feed)}, "changes table counter_words"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSuite(func() plugins.Plugin {
				p := newCounter()
				c.spoil(p)
				return p
			}, append(c.opts, Database(open))...)
			for _, check := range checks {
				if check.name != c.check {
					continue
				}
				if err := check.run(s, t); err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("found %v, want %q", err, c.want)
				}
				return
			}
			t.Errorf("no check %q", c.check)
		})
	}
}

func TestExceptLeavesTablesOut(t *testing.T) {
	s := newSuite(func() plugins.Plugin {
		p := newCounter()
		p.handle = func(tx *journal.Tx, e bus.Event[said]) error {
			return tx.DB().Exec("INSERT INTO counter_words (seq, word) VALUES (?, ?)", time.Now().UnixNano(), e.Payload.Word).Error
		}
		return p
	}, Database(open), Feed(feed), Except("counter_words"))
	if err := s.replay(t); err != nil {
		t.Error(err)
	}
}
