package plugintest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/plugins"
	"go.uber.org/goleak"
)

// patience is how long anything may take.
const patience = 20 * time.Second

type suite struct {
	make   func() plugins.Plugin
	open   func(testing.TB) *bus.Bus
	config json.RawMessage
	feed   func(testing.TB, *bus.Bus)
	except []string
}

func newSuite(make func() plugins.Plugin, opts ...Option) *suite {
	s := &suite{make: make}
	for _, o := range opts {
		o(s)
	}
	return s
}

// bus returns a new bus.
func (s *suite) bus(t testing.TB) *bus.Bus {
	if s.open != nil {
		return s.open(t)
	}
	b := bus.New(bus.Options{Logger: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() {
		ctx, cancel := patiently()
		defer cancel()
		_ = b.Close(ctx)
	})
	return b
}

func patiently() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), patience)
}

// manager returns a manager with the plugin, which it calls Required, and others after it.
func (s *suite) manager(b *bus.Bus, p plugins.Plugin, config json.RawMessage, others ...plugins.Plugin) (*plugins.Manager, error) {
	o := plugins.Options{Bus: b, Logger: slog.New(slog.DiscardHandler)}
	if config != nil {
		o.Config = map[string]json.RawMessage{p.Name(): config}
	}
	m, err := plugins.NewManager(o)
	if err != nil {
		return nil, err
	}
	for _, p := range append([]plugins.Plugin{p}, others...) {
		if err := m.Add(p, plugins.Required()); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// running starts the plugin on a bus, lets it run while do does something, closes it, and says what went wrong.
func (s *suite) running(b *bus.Bus, p plugins.Plugin, do func() error) error {
	m, err := s.manager(b, p, s.config)
	if err != nil {
		return err
	}
	ctx, cancel := patiently()
	defer cancel()
	if err := m.Start(ctx); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	err = do()
	for _, status := range m.Status(ctx) {
		if status.Err != nil {
			err = errors.Join(err, fmt.Errorf("status: %w", status.Err))
		}
	}
	if closed := m.Close(ctx); closed != nil {
		err = errors.Join(err, fmt.Errorf("close: %w", closed))
	}
	return err
}

func nothing() error { return nil }

// without returns what do says, or the goroutines that it leaves behind.
func without(do func() error) error {
	before := goleak.IgnoreCurrent()
	if err := do(); err != nil {
		return err
	}
	if err := goleak.Find(before); err != nil {
		return fmt.Errorf("the plugin was closed and leaves goroutines behind: %w", err)
	}
	return nil
}

// saboteur is a plugin that fails.
type saboteur struct {
	plugins.Base
}

var errSabotage = errors.New("plugintest: a plugin that always fails")

func (saboteur) Name() string                                 { return "plugintest_saboteur" }
func (saboteur) Init(context.Context, *plugins.Runtime) error { return errSabotage }
