package eventlog

import (
	"context"
	"embed"
	"io/fs"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/plugins"
)

// Name of the plugin, and of its position in the journal.
const Name = "eventlog"

// Plugin is the event log. Its methods may be called concurrently once it has started.
type Plugin struct {
	options    Options
	policy     *policy
	statements *statements
	runtime    *plugins.Runtime
}

// New returns the plugin. Init returns what is wrong with the options or the configuration (*OptionError, *plugins.ConfigError).
func New(o Options) *Plugin { return &Plugin{options: o} }

// Name returns "eventlog".
func (p *Plugin) Name() string { return Name }

//go:embed migrations
var migrations embed.FS

// Migrations returns the SQL of the log's tables.
func (p *Plugin) Migrations() fs.FS {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil // never: the folder is embedded
	}
	return files
}

// Init reads the configuration and registers the routes.
func (p *Plugin) Init(_ context.Context, rt *plugins.Runtime) error {
	if err := rt.Config(&p.options); err != nil {
		return err
	}
	policy, err := p.options.compile()
	if err != nil {
		return err
	}
	p.policy = policy
	if j := rt.Journal(); j != nil { // else Subscribe says so
		p.statements = newStatements(j.DB().Name())
	}
	p.runtime = rt
	return p.handle()
}

// Subscribe reads the journal from its beginning, so that a log that is added to an old server has what the journal still holds.
func (p *Plugin) Subscribe(c *bus.Client) error {
	if _, err := journal.Subscribe(c, Name, p.record, bus.From(0), bus.Linger(p.policy.linger)); err != nil {
		return err
	}
	if p.policy.removes() {
		p.runtime.Go("sweep", p.sweep)
	}
	return nil
}

// Close has nothing to free.
func (p *Plugin) Close(context.Context) error { return nil }

var (
	_ plugins.Plugin   = (*Plugin)(nil)
	_ plugins.Migrator = (*Plugin)(nil)
)
