package alerts

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/plugins"
)

// Name of the plugin, and of its position in the journal.
const Name = "alerts"

// Plugin watches changes. Its methods may be called concurrently once it has started.
type Plugin struct {
	options Options
	runtime *plugins.Runtime
	world   *world
	rules   []Rule // complete; never changed once it has started

	reported      []*reported
	stuck         []*stuck
	rates         []*failureRate
	trackers      []*tracker
	stays         []*stays
	capacities    []*capacity
	subscriptions []*overSubscriptions
	followed      []follow // the books that capacities and stays need

	alarm    *alarm
	lookAt   atomic.Int64 // when durable subscriptions are looked at, in nanoseconds since 1970
	forgetAt atomic.Int64 // when the history is shortened
	failure  atomic.Pointer[error]
}

// New returns the plugin. Init returns what is wrong with the rules (*RulesError), the options (*OptionError) or the configuration (*plugins.ConfigError).
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

// Init reads the configuration, registers the payload types and the routes below /v1/alerts.
func (p *Plugin) Init(_ context.Context, rt *plugins.Runtime) (err error) {
	p.runtime = rt
	if p.world, err = p.options.world(); err != nil {
		return err
	}
	if p.rules, err = p.options.rules(p.world, rt.Config); err != nil {
		return err
	}
	if err := p.makeRules(); err != nil {
		return err
	}
	errs := []error{bus.Register[Notice](rt.Bus(), "alert.>", 1)}
	for kind := range p.world.kinds {
		errs = append(errs, registerReports(rt.Bus(), kind))
	}
	for pattern, serve := range map[string]http.HandlerFunc{
		"GET /v1/alerts": p.serveList, "GET /v1/alerts/{id}": p.serveOne, "POST /v1/alerts/{id}/acknowledge": p.serveAcknowledge, "GET /v1/alerts/rules": p.serveRules,
	} {
		errs = append(errs, rt.Handle(pattern, serve))
	}
	return errors.Join(errs...)
}

func (p *Plugin) makeRules() error {
	for n := range p.rules {
		r := &p.rules[n]
		switch r.Type {
		case StuckRule:
			p.stuck = append(p.stuck, &stuck{r, p.world})
		case FailureRateRule:
			p.rates = append(p.rates, newFailureRate(r, p.world))
		case FlappingRule, ZombieRule, EventRule:
			p.trackers = append(p.trackers, &tracker{r, p.world})
		case DisagreementRule, OrphanRule:
			p.reported = append(p.reported, &reported{r})
		case UnclaimedRule:
			p.subscriptions = append(p.subscriptions, &overSubscriptions{r, p.unclaimed})
		case ParkedRule:
			p.subscriptions = append(p.subscriptions, &overSubscriptions{r, p.parked})
		case HostDownRule:
			for _, k := range r.Kinds {
				p.stays = append(p.stays, &stays{r, k})
				p.followed = append(p.followed, p.stays[len(p.stays)-1])
			}
		case CapacityRule:
			c := &capacity{Rule: r, used: p.sum(*r.Used, r.By)}
			if r.Total.Amount == 0 {
				c.total = p.sum(*r.Total, r.By)
			}
			p.capacities = append(p.capacities, c)
		}
		if (r.Type == HostDownRule || r.Type == CapacityRule) && p.options.Engine == nil {
			return &OptionError{Option: "Engine", Reason: fmt.Sprintf("is missing, which the rule %q of type %s needs", r.Name, r.Type)}
		}
	}
	return nil
}

// sum returns the books of a sum, which rules share.
func (p *Plugin) sum(s Sum, by string) *sum {
	made := newSum(s, by, p.world.kinds[s.Kind])
	for _, f := range p.followed {
		if have, ok := f.(*sum); ok && have.name == made.name {
			return have
		}
	}
	p.followed = append(p.followed, made)
	return made
}

// rule returns the rule of a name; nil if there is none.
func (p *Plugin) rule(name string) *Rule {
	for n := range p.rules {
		if p.rules[n].Name == name {
			return &p.rules[n]
		}
	}
	return nil
}

// Subscribe reads the journal from its beginning, so that what happened before the plugin came is found too.
func (p *Plugin) Subscribe(c *bus.Client) error {
	ctx, cancel := context.WithTimeout(context.Background(), writeTime)
	defer cancel()
	if p.runtime.Journal() != nil {
		if err := p.begin(ctx); err != nil {
			return err
		}
	}
	options := []bus.Option{bus.From(0)}
	for _, kind := range p.world.names() {
		options = append(options, bus.Type(kind+".>"))
		for _, t := range reports(kind) {
			options = append(options, bus.Type(t))
		}
	}
	if _, err := journal.Subscribe(c, Name, p.observe, options...); err != nil {
		return err
	}
	if err := p.subscribeEvents(ctx, c); err != nil {
		return err
	}
	p.restSubscriptions(p.runtime.Now()) // not at once: the server's subscriptions are to be back before anybody asks who claims what
	p.runtime.Go("watch", p.watch)
	return nil
}

// write runs a session of its own.
func (p *Plugin) write(ctx context.Context, do func(*session) error) error {
	var wakeAt int64
	err := p.runtime.Write(ctx, func(tx *journal.Tx) error {
		s, err := p.session(tx, p.runtime.Now())
		if err != nil {
			return err
		}
		err = do(s)
		wakeAt = s.wakeAt
		return err
	})
	if wakeAt != 0 {
		p.alarm.set(wakeAt)
	}
	return err
}

// Close has nothing to free.
func (p *Plugin) Close(context.Context) error { return nil }

// Health is what keeps the clock from being looked at, nil if nothing does.
func (p *Plugin) Health(context.Context) error {
	if err := p.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// writeTime is how long starting waits for the writer.
const writeTime = 30 * time.Second

var (
	_ plugins.Plugin   = (*Plugin)(nil)
	_ plugins.Migrator = (*Plugin)(nil)
	_ plugins.Healther = (*Plugin)(nil)
	_ bus.Addressed    = Notice{}
	_ error            = (*RulesError)(nil)
)
