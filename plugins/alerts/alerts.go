package alerts

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"net/http"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/resources"
	"gorm.io/gorm"
)

// Name of the plugin, and of its position in the journal.
const Name = "alerts"

// Plugin watches changes. Its methods may be called concurrently once it has started.
type Plugin struct {
	options  Options
	runtime  *plugins.Runtime
	machines map[string]*fsm.Machine
	stuck    *stuck
	failures *failureRate // nil: disabled
	alarm    *alarm
}

// New returns the plugin. Init returns what is wrong with the options or the configuration (*OptionError, *plugins.ConfigError).
func New(o Options) *Plugin {
	limits := make(map[string]map[fsm.State]plugins.Duration, len(o.Stuck.Limits))
	for kind, states := range o.Stuck.Limits {
		limits[kind] = maps.Clone(states)
	}
	o.Stuck.Limits = limits // the configuration goes over it
	return &Plugin{options: o, alarm: newAlarm()}
}

// Name returns "alerts".
func (p *Plugin) Name() string { return Name }

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations returns the SQL of the plugin's tables.
func (p *Plugin) Migrations() fs.FS {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil // never: the folder is embedded
	}
	return files
}

// Init reads the configuration, registers the payload type and the route GET /v1/alerts.
func (p *Plugin) Init(_ context.Context, rt *plugins.Runtime) error {
	p.runtime = rt
	p.options.setDefaults() // before the configuration, whose zeros are meant
	if err := rt.Config(&p.options); err != nil {
		return err
	}
	if err := p.makeRules(); err != nil {
		return err
	}
	if err := bus.Register[Notice](rt.Bus(), "alert.>", 1); err != nil {
		return err
	}
	return rt.Handle("GET /v1/alerts", http.HandlerFunc(p.serve))
}

func (p *Plugin) makeRules() (err error) {
	o := &p.options
	orDefault(&o.FailureRate.ClearPercent, min(25, o.FailureRate.RaisePercent))
	if err := o.check(); err != nil {
		return err
	}
	if p.machines, err = o.machines(); err != nil {
		return err
	}
	limits, err := o.Stuck.limits(p.machines)
	if err != nil {
		return err
	}
	p.stuck = &stuck{limits, o.Stuck.Severity}
	if !o.FailureRate.Disabled {
		p.failures = newFailureRate(o.FailureRate, p.machines)
	}
	return nil
}

// Subscribe reads the journal from its beginning, so that resources that were stuck before the plugin came are found too.
func (p *Plugin) Subscribe(c *bus.Client) error {
	options := []bus.Option{bus.From(0)}
	for _, kind := range sortedKeys(p.machines) {
		options = append(options, bus.Type(kind+".>"))
	}
	if _, err := journal.Subscribe(c, Name, p.observe, options...); err != nil {
		return err
	}
	p.runtime.Go("watch", p.watch)
	return nil
}

// Close has nothing to free.
func (p *Plugin) Close(context.Context) error { return nil }

// observe shows a batch of changes to the rules, in the transaction that moves the position in the journal.
func (p *Plugin) observe(_ context.Context, tx *journal.Tx, batch []bus.Event[resources.AnyChanged]) error {
	if len(batch) == 0 {
		return nil
	}
	seen, err := position(tx.DB())
	if err != nil {
		return err
	}
	now := p.runtime.Now()
	t := make(tally)
	for _, e := range batch {
		if e.Seq <= seen {
			continue // a replay
		}
		if err := p.show(tx, e); err != nil {
			return fmt.Errorf("alerts: %s: %w", e.Subject(), err)
		}
		if p.failures != nil {
			p.failures.count(t, e.Payload.What(), now)
		}
	}
	if p.failures != nil {
		if err := p.failures.save(tx, t, now); err != nil {
			return err
		}
	}
	if len(t) > 0 {
		p.alarm.set(now.UnixNano())
	}
	return setPosition(tx.DB(), max(seen, batch[len(batch)-1].Seq))
}

// show shows a change to the rule stuck. One that is disabled raises nothing, but keeps its books, for the day when it's enabled again, and clears what it raised before.
func (p *Plugin) show(tx *journal.Tx, e bus.Event[resources.AnyChanged]) error {
	due, err := p.stuck.observe(tx, e)
	if due != 0 && !p.options.Stuck.Disabled {
		p.alarm.set(due)
	}
	return err
}

// position is the newest change that the rules have seen. It never goes back, unlike the subscription's, which an operator may rewind.
func position(db *gorm.DB) (seq uint64, err error) {
	err = db.Raw("SELECT COALESCE(MAX(seq), 0) FROM alerts_position WHERE name = ?", Name).Scan(&seq).Error
	return seq, err
}

func setPosition(db *gorm.DB, seq uint64) error {
	return db.Exec("INSERT INTO alerts_position (name, seq) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET seq = excluded.seq", Name, seq).Error
}

var (
	_ plugins.Plugin   = (*Plugin)(nil)
	_ plugins.Migrator = (*Plugin)(nil)
)
