package alerts

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"time"

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
	claims   *unclaimed
	alarm    *alarm
}

// New returns the plugin. Init returns what is wrong with the options or the configuration (*OptionError, *plugins.ConfigError).
func New(o Options) *Plugin {
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
	p.stuck = &stuck{o.Stuck, p.machines}
	p.claims = &unclaimed{Unclaimed: o.Unclaimed}
	if !o.FailureRate.Disabled {
		p.failures = newFailureRate(o.FailureRate, p.machines)
	}
	return nil
}

// Subscribe reads the journal from its beginning, so that what happened before the plugin came is found too.
func (p *Plugin) Subscribe(c *bus.Client) error {
	if !p.options.Stuck.Disabled {
		ctx, cancel := context.WithTimeout(context.Background(), writeTime)
		defer cancel()
		if err := p.runtime.Write(ctx, p.stuck.unmute); err != nil {
			return err
		}
	}
	options := []bus.Option{bus.From(0)}
	for _, kind := range sortedKeys(p.machines) {
		options = append(options, bus.Type(kind+".>"))
	}
	if _, err := journal.Subscribe(c, Name, p.observe, options...); err != nil {
		return err
	}
	p.claims.rest(p.runtime.Now()) // not at once: the server's subscriptions are to be back before anybody asks who claims what
	p.runtime.Go("watch", p.watch)
	return nil
}

// Close has nothing to free.
func (p *Plugin) Close(context.Context) error { return nil }

// writeTime is how long starting waits for the writer.
const writeTime = 30 * time.Second

// observe shows a batch of changes and reports to the rules, in the transaction that moves the position in the journal.
func (p *Plugin) observe(_ context.Context, tx *journal.Tx, batch []bus.Event[bus.Addressed]) error {
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
		if c, ok := e.Payload.(resources.AnyChanged); ok && p.failures != nil {
			p.failures.count(t, c.What(), now)
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

// show shows an event to the rule stuck. One that is disabled raises nothing, but keeps its books, for the day when it's enabled again, and clears what it raised before.
func (p *Plugin) show(tx *journal.Tx, e bus.Event[bus.Addressed]) error {
	switch news := e.Payload.(type) {
	case resources.Stuck:
		return p.stuck.reported(tx, news, e.Time)
	case resources.AnyChanged:
		return p.stuck.changed(tx, news.What())
	}
	return nil
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
