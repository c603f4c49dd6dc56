package plugins

import (
	"context"
	"encoding/json"
	"expvar"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"gorm.io/gorm"
)

type Plugin interface {
	Name() string
	Init(ctx context.Context, rt *Runtime) error
	Subscribe(c *bus.Client) error
	Close(ctx context.Context) error
}

// Base is embedded by plugins that don't need all of it.
type Base struct{}

func (Base) Init(context.Context, *Runtime) error { return nil }
func (Base) Subscribe(*bus.Client) error          { return nil }
func (Base) Close(context.Context) error          { return nil }

type (
	Healther interface {
		Health(ctx context.Context) error
	}
	Migrator interface{ Migrations() fs.FS } // like a kind's
)

// Runtime is what a plugin is given.
type Runtime struct{}

func (r *Runtime) Name() string                                                { panic("unwritten") }
func (r *Runtime) Logger() *slog.Logger                                        { panic("unwritten") }
func (r *Runtime) Now() time.Time                                              { panic("unwritten") }
func (r *Runtime) Bus() *bus.Bus                                               { panic("unwritten") }
func (r *Runtime) Read() *gorm.DB                                              { panic("unwritten") }
func (r *Runtime) Write(ctx context.Context, fn func(*journal.Tx) error) error { panic("unwritten") }
func (r *Runtime) Journal() *journal.Journal                                   { panic("unwritten") }
func (r *Runtime) Handle(pattern string, h http.Handler) error                 { panic("unwritten") } // "GET /v1/usage"; taken: an error
func (r *Runtime) Metrics() *expvar.Map                                        { panic("unwritten") } // this plugin's own
func (r *Runtime) Config(into any) error                                       { panic("unwritten") } // strict: unknown keys are an error that names the allowed ones
func (r *Runtime) Go(name string, fn func(ctx context.Context) error)          { panic("unwritten") } // tracked, recovered, cancelled at Close

type Options struct {
	Bus    *bus.Bus // Required.
	Logger *slog.Logger
	Now    func() time.Time
	Mux    *http.ServeMux             // Defaults to one of its own (Manager.Handler).
	Config map[string]json.RawMessage // by plugin name; a name that no plugin has is an error at Start
}

type Manager struct{}

func NewManager(o Options) (*Manager, error)             { panic("unwritten") }
func (m *Manager) Add(p Plugin, opts ...AddOption) error { panic("unwritten") }
func (m *Manager) Start(ctx context.Context) error       { panic("unwritten") }
func (m *Manager) Close(ctx context.Context) error       { panic("unwritten") }
func (m *Manager) Handler() http.Handler                 { panic("unwritten") }
func (m *Manager) Status(ctx context.Context) []Status   { panic("unwritten") }

type AddOption func(*guest)
type guest struct{}

// Required makes a failing start-up of this plugin fatal.
func Required() AddOption { panic("unwritten") }

type Status struct {
	Name     string
	Required bool
	Running  bool
	Err      error // why it isn't running, or what Health says
}
