package cascade

import (
	"context"
	"errors"
	"expvar"
	"fmt"
	"slices"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/resources"
)

// Name of the plugin, and of its position in the journal.
const Name = "cascade"

const (
	lanes    = 4 // events that are handled at a time, of different resources
	maxDepth = 64
)

// Plugin applies rules. Its methods may be called concurrently once it has started.
type Plugin struct {
	engine  *resources.Engine
	options Options
	runtime *plugins.Runtime
	rules   []*rule
	sub     *bus.Subscription
	counts  map[string]*expvar.Int

	closing context.Context // ends when the plugin begins to close
	stop    context.CancelFunc
}

// New returns the plugin. Init returns what is wrong with the rules (*OptionError, *plugins.ConfigError); kinds are registered before.
func New(engine *resources.Engine, o Options) *Plugin {
	p := &Plugin{engine: engine, options: o, counts: map[string]*expvar.Int{}}
	p.closing, p.stop = context.WithCancel(context.Background())
	return p
}

// Name returns "cascade".
func (p *Plugin) Name() string { return Name }

// Init reads the configuration and checks the rules.
func (p *Plugin) Init(ctx context.Context, rt *plugins.Runtime) error {
	p.runtime = rt
	if err := rt.Config(&p.options); err != nil {
		return err
	}
	if p.engine == nil {
		return &OptionError{Option: "engine", Reason: "is nil: New wants the one whose resources the rules are for"}
	}
	if rt.Journal() == nil {
		return fmt.Errorf("cascade: chains of causes are looked up in the journal: %w", plugins.ErrNoDatabase)
	}
	if err := p.checkNumbers(); err != nil {
		return err
	}
	if err := p.compile(ctx); err != nil {
		return err
	}
	for _, what := range []string{"fired", "already", "refused", "over", "late", "waiting", "looped", "failed"} {
		p.counts[what] = new(expvar.Int)
		rt.Metrics().Set(what, p.counts[what])
	}
	return p.checkGuard()
}

func (p *Plugin) checkNumbers() error {
	o := &p.options
	if o.Depth == 0 {
		o.Depth = 16
	}
	if o.Tries == 0 {
		o.Tries = 8
	}
	if o.Pause == 0 {
		o.Pause = plugins.Duration(100 * time.Millisecond)
	}
	switch {
	case o.Depth < 1 || o.Depth > maxDepth:
		return &OptionError{Option: "depth", Reason: fmt.Sprintf("is %d, not in 1 to %d", o.Depth, maxDepth)}
	case o.Tries < 1:
		return &OptionError{Option: "tries", Reason: fmt.Sprintf("is %d, below 1", o.Tries)}
	case o.Pause < 0:
		return &OptionError{Option: "pause", Reason: "is below 0s"}
	}
	return nil
}

// checkGuard gives the guard the rules that are configured, and checks those it has.
func (p *Plugin) checkGuard() error {
	g := p.options.Guard
	switch {
	case g == nil && p.options.Forbid != nil:
		return &OptionError{Option: "forbid", Reason: "has rules, but the server has no guard that could apply them (Options.Guard)"}
	case g == nil:
		return nil
	case p.options.Forbid != nil:
		if err := g.use(p.options.Forbid); err != nil {
			return err
		}
	}
	return g.Check(p.engine)
}

func (p *Plugin) compile(ctx context.Context) error {
	taken := map[string]bool{}
	lists := []struct {
		name  string
		rules []Rule
	}{{"rules", p.options.Rules}, {"extra", p.options.Extra}}
	if p.options.Rules == nil {
		lists[0].rules = registered(p.engine, DefaultRules())
	}
	for _, list := range lists {
		for i, r := range list.rules {
			if err := checkName(list.name, i, r.Name, taken); err != nil {
				return err
			}
			compiled, err := compiler{p.engine, list.name}.compile(ctx, r)
			if err != nil {
				return err
			}
			p.rules = append(p.rules, compiled)
		}
	}
	for _, name := range p.options.Disable {
		known := func(r *rule) bool { return r.Name == name }
		isDefault := p.options.Rules == nil && slices.ContainsFunc(DefaultRules(), func(r Rule) bool { return r.Name == name })
		if !isDefault && !slices.ContainsFunc(p.rules, known) {
			return &OptionError{Option: "disable", Reason: fmt.Sprintf("%q is no rule", name), Known: p.names()}
		}
		p.rules = slices.DeleteFunc(p.rules, known)
	}
	return nil
}

func (p *Plugin) names() []string {
	names := make([]string, len(p.rules))
	for i, r := range p.rules {
		names[i] = r.Name
	}
	return names
}

// registered leaves out the default rules about kinds that this engine doesn't have.
func registered(e *resources.Engine, all []Rule) []Rule {
	kinds := e.Kinds()
	return slices.DeleteFunc(all, func(r Rule) bool {
		source := r.When[:slices.Index([]byte(r.When), '.')]
		return !slices.Contains(kinds, source) || !slices.Contains(kinds, r.Find+r.Create)
	})
}

// Subscribe follows the events of the rules' kinds.
func (p *Plugin) Subscribe(c *bus.Client) (err error) {
	options := []bus.Option{
		bus.Durable(Name), bus.Lanes(lanes), bus.Retry(p.options.Tries, time.Duration(p.options.Pause)),
	}
	types := map[string]bool{}
	for _, r := range p.rules {
		types[r.When] = true
		if kind := r.target.Name(); r.lasts() || r.Then != "" {
			types[kind+".created"], types[kind+".updated"], types[kind+".state.*"] = true, true, true
		}
	}
	if len(types) == 0 {
		return nil
	}
	for t := range types {
		options = append(options, bus.Type(t))
	}
	p.sub, err = bus.Subscribe(c, p.handle, options...)
	return err
}

// Drain has handlers that are at work stop after what they are firing; what is left is done after the next start.
func (p *Plugin) Drain(context.Context) error {
	p.stop()
	return nil
}

// Close has nothing to free.
func (p *Plugin) Close(context.Context) error {
	p.stop()
	return nil
}

// Health tells of a subscription that has halted, and of events that are parked: their consequences wait until somebody has them replayed.
func (p *Plugin) Health(ctx context.Context) error {
	if p.sub == nil {
		return nil
	}
	if err := p.sub.Err(); err != nil {
		return fmt.Errorf("cascade: no consequence is drawn any more: %w", err)
	}
	parked, err := p.runtime.Bus().ParkedResources(ctx, Name)
	if err != nil {
		return fmt.Errorf("cascade: %w", err)
	}
	if len(parked) > 0 {
		return fmt.Errorf("cascade: events of %d resources are parked, the first of %s/%s: their consequences wait for a replay",
			len(parked), parked[0].Kind, parked[0].ResourceID)
	}
	return nil
}

func (p *Plugin) count(what string, n int64) { p.counts[what].Add(n) }

// errClosing: the handler has to come to an end, and the event is handled after the next start.
var errClosing = errors.New("cascade: the plugin is being closed")

var (
	_ plugins.Plugin   = (*Plugin)(nil)
	_ plugins.Healther = (*Plugin)(nil)
	_ plugins.Drainer  = (*Plugin)(nil)
)
