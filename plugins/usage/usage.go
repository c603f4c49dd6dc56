package usage

import (
	"context"
	"embed"
	"io/fs"
	"net/http"
	"sync"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/resources"
)

// Name of the plugin, and of its position in the journal.
const Name = "usage"

// Options of New. The zero value meters the built-in kinds.
type Options struct {
	Meters   []Meter        // What is metered. Defaults to DefaultMeters().
	Machines []*fsm.Machine // Of the metered kinds, beside or instead of the built-in ones. Defaults to none.
	// Engine has the live resources that Reconcile compares the ledger with; its store is in the plugin's database. Defaults to none: it compares with the journal alone.
	Engine *resources.Engine
}

// Plugin is the usage ledger. Its methods may be called concurrently once it has started.
type Plugin struct {
	options Options
	table   *table
	runtime *plugins.Runtime

	reconciling sync.Mutex
}

// New returns the plugin. Init returns what is wrong with the options (*OptionError).
func New(o Options) *Plugin {
	if o.Meters == nil {
		o.Meters = DefaultMeters()
	}
	return &Plugin{options: o}
}

// Name returns "usage".
func (p *Plugin) Name() string { return Name }

//go:embed migrations/*/*.sql
var migrations embed.FS

// Migrations returns the SQL of the ledger's tables.
func (p *Plugin) Migrations() fs.FS {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil // never: the folder is embedded
	}
	return files
}

// Init checks the options, registers the payload types and the routes below /v1/usage.
func (p *Plugin) Init(_ context.Context, rt *plugins.Runtime) error {
	t, err := newTable(p.options.Meters, append(builtin(), p.options.Machines...))
	if err != nil {
		return err
	}
	p.table, p.runtime = t, rt
	if err := bus.Register[Metered](rt.Bus(), "usage.>", 1); err != nil {
		return err
	}
	if err := bus.Register[Corrected](rt.Bus(), "usage.*.*.corrected", 1); err != nil {
		return err
	}
	for route, serve := range map[string]http.HandlerFunc{
		"GET /v1/usage": p.serve, "GET /v1/usage/corrections": p.serveCorrections, "POST /v1/usage/corrections": p.serveCorrect,
		"GET /v1/usage/reconcile": p.serveReconcile,
	} {
		if err := rt.Handle(route, serve); err != nil {
			return err
		}
	}
	return nil
}

// Subscribe reads the journal from its beginning, so that a ledger that is added to an old server bills what the journal still holds.
func (p *Plugin) Subscribe(c *bus.Client) error {
	options := []bus.Option{bus.From(0)}
	for _, kind := range p.table.metered() {
		options = append(options, bus.Type(kind+".>"))
	}
	_, err := journal.Subscribe(c, Name, p.record, options...)
	return err
}

// Close has nothing to free.
func (p *Plugin) Close(context.Context) error { return nil }

// record writes a batch of changes into the ledger, in the transaction that moves the position in the journal.
func (p *Plugin) record(_ context.Context, tx *journal.Tx, batch []bus.Event[resources.AnyChanged]) error {
	if len(batch) == 0 {
		return nil
	}
	l := newLedger(p.table)
	if err := l.load(tx.DB(), batch); err != nil {
		return err
	}
	for _, e := range batch {
		if err := l.apply(e.Header, e.Payload); err != nil {
			return err
		}
	}
	return l.save(tx)
}

var (
	_ plugins.Plugin   = (*Plugin)(nil)
	_ plugins.Migrator = (*Plugin)(nil)
)
