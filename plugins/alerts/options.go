package alerts

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/resources"
)

// Options of New. The zero value watches the built-in kinds by those of DefaultRules that do without an engine. The server's configuration for "alerts" goes over them, key by key.
type Options struct {
	Rules    []Rule            `json:"-"` // Defaults to DefaultRules, less those about kinds that there aren't. Empty, but not nil: none.
	Engine   *resources.Engine `json:"-"` // Whose kinds are watched; they must be registered before the plugin starts. Rules of type capacity and host_down need it. Defaults to none.
	Machines []*fsm.Machine    `json:"-"` // Of watched kinds, beside or instead of the engine's, or of the built-in ones without an engine. Defaults to none.

	History    plugins.Duration `json:"history"`     // How long alerts that are cleared are kept. Defaults to 2160h (90 days).
	HistoryMax int64            `json:"history_max"` // How many of them at most. Defaults to 100,000.

	Stuck       Stuck       `json:"stuck"`        // Goes over the rule called "stuck".
	FailureRate FailureRate `json:"failure_rate"` // Goes over the rule called "failure_rate".
	Unclaimed   Unclaimed   `json:"unclaimed"`    // Goes over the rule called "unclaimed".
}

// Stuck goes over the rule called "stuck". Limits are the engine's: resources.Limit changes them.
type Stuck struct {
	Disabled bool   `json:"disabled"` // Raises nothing; what is active is still cleared. Defaults to the rule's.
	Severity string `json:"severity"` // Defaults to the rule's.
}

// FailureRate goes over the rule called "failure_rate". Each field defaults to the rule's.
type FailureRate struct {
	Disabled     bool             `json:"disabled"`
	Window       plugins.Duration `json:"window"`        // How far it looks back, in steps of a sixtieth.
	MinFailures  int64            `json:"min_failures"`  // Fewer raise nothing.
	RaisePercent int64            `json:"raise_percent"` // From this share of failures on it's raised.
	ClearPercent int64            `json:"clear_percent"` // Below this share it's cleared.
	Severity     string           `json:"severity"`
}

// Unclaimed goes over the rule called "unclaimed". How long a position waits, and when it is warned of, are the journal's: journal.Retention.
type Unclaimed struct {
	Disabled bool   `json:"disabled"` // Raises nothing; what is active is still cleared. Defaults to the rule's.
	Severity string `json:"severity"` // Defaults to the rule's.
}

// OptionError: options or configuration are wrong. Init returns it, or a *RulesError.
type OptionError struct {
	Option string // as in the configuration: failure_rate.window
	Reason string
	Known  []string // what is allowed, if that can be listed
}

func (e *OptionError) Error() string {
	s := fmt.Sprintf("alerts: option %s %s", e.Option, e.Reason)
	if e.Known != nil {
		s += fmt.Sprintf(" (allowed: %s)", strings.Join(e.Known, ", "))
	}
	return s
}

// world returns the kinds that are watched.
func (o *Options) world() (*world, error) {
	var infos []*resources.Info
	if o.Engine != nil {
		infos = Kinds(o.Engine)
	} else {
		var err error
		if infos, err = builtIn(); err != nil {
			return nil, err
		}
	}
	w := worldOf(infos)
	for _, m := range o.Machines {
		if m == nil {
			return nil, &OptionError{Option: "Machines", Reason: "has one that is nil"}
		}
		k := w.kinds[m.Kind()]
		k.machine = m
		w.kinds[m.Kind()] = k
	}
	return w, nil
}

// rules reads the configuration over the rules, completes them and finds what is wrong with them.
func (o *Options) rules(w *world, configure func(any) error) ([]Rule, error) {
	rules := slices.Clone(o.Rules)
	if o.Rules == nil {
		rules = w.defaultRules(o.Engine != nil)
	}
	given := o.overrides()
	o.fill(rules)
	before := o.overrides()
	if err := configure(o); err != nil {
		return nil, err
	}
	given.note(before, o.overrides())
	if err := o.check(rules, given); err != nil {
		return nil, err
	}
	o.override(rules)
	c := checker{world: w}
	c.check(rules)
	return rules, c.err()
}

// overrides is what goes over the three rules.
type overrides struct {
	stuck  Stuck
	rate   FailureRate
	claims Unclaimed
}

func (o *Options) overrides() overrides { return overrides{o.Stuck, o.FailureRate, o.Unclaimed} }

// note adds what the configuration has changed.
func (v *overrides) note(before, after overrides) {
	if before.stuck != after.stuck {
		v.stuck = after.stuck
	}
	if before.rate != after.rate {
		v.rate = after.rate
	}
	if before.claims != after.claims {
		v.claims = after.claims
	}
}

// named returns the rule that has both a name and the type of that name.
func named(rules []Rule, name string) *Rule {
	for n := range rules {
		if rules[n].Name == name && rules[n].Type == name {
			return &rules[n]
		}
	}
	return nil
}

// fill gives the options that say nothing what the rules say, before the configuration, whose zeros are meant.
func (o *Options) fill(rules []Rule) {
	orDefault(&o.History, plugins.Duration(90*24*time.Hour))
	orDefault(&o.HistoryMax, 100_000)
	complete := func(name string) Rule {
		r := Rule{Type: name}
		if found := named(rules, name); found != nil {
			r = *found
		}
		r.complete()
		return r
	}
	stuck, rate, claims := complete(StuckRule), complete(FailureRateRule), complete(UnclaimedRule)
	o.Stuck.Disabled = o.Stuck.Disabled || stuck.Disabled
	orDefault(&o.Stuck.Severity, stuck.Severity)
	o.Unclaimed.Disabled = o.Unclaimed.Disabled || claims.Disabled
	orDefault(&o.Unclaimed.Severity, claims.Severity)
	f := &o.FailureRate
	f.Disabled = f.Disabled || rate.Disabled
	orDefault(&f.Severity, rate.Severity)
	orDefault(&f.Window, rate.Window)
	orDefault(&f.MinFailures, rate.MinFailures)
	orDefault(&f.RaisePercent, rate.RaisePercent)
	if found := named(rules, FailureRateRule); found != nil {
		orDefault(&f.ClearPercent, found.ClearPercent)
	}
}

// override puts the options into the rules.
func (o *Options) override(rules []Rule) {
	if r := named(rules, StuckRule); r != nil {
		r.Disabled, r.Severity = o.Stuck.Disabled, o.Stuck.Severity
	}
	if r := named(rules, UnclaimedRule); r != nil {
		r.Disabled, r.Severity = o.Unclaimed.Disabled, o.Unclaimed.Severity
	}
	if r, f := named(rules, FailureRateRule), o.FailureRate; r != nil {
		r.Disabled, r.Severity, r.Window, r.MinFailures = f.Disabled, f.Severity, f.Window, f.MinFailures
		r.RaisePercent, r.ClearPercent = f.RaisePercent, f.ClearPercent
	}
}

// check refuses options that are out of range, and those that would go over a rule that isn't there.
func (o *Options) check(rules []Rule, given overrides) error {
	f := &o.FailureRate
	orDefault(&f.ClearPercent, min(25, f.RaisePercent))
	for _, c := range []struct {
		holds          bool
		option, reason string
	}{
		{time.Duration(f.Window) >= time.Second, "failure_rate.window", "is below 1s"},
		{f.MinFailures > 0, "failure_rate.min_failures", "is not above 0"},
		{f.RaisePercent > 0 && f.RaisePercent <= 100, "failure_rate.raise_percent", "is not in 1 to 100"},
		{f.ClearPercent > 0 && f.ClearPercent <= f.RaisePercent, "failure_rate.clear_percent", "is not in 1 to raise_percent"},
		{time.Duration(o.History) >= time.Hour, "history", "is below 1h"},
		{o.HistoryMax > 0, "history_max", "is not above 0"},
		{given.stuck == Stuck{} || named(rules, StuckRule) != nil, "stuck", "goes over a rule that isn't there"},
		{given.rate == FailureRate{} || named(rules, FailureRateRule) != nil, "failure_rate", "goes over a rule that isn't there"},
		{given.claims == Unclaimed{} || named(rules, UnclaimedRule) != nil, "unclaimed", "goes over a rule that isn't there"},
	} {
		if !c.holds {
			return &OptionError{Option: c.option, Reason: c.reason}
		}
	}
	for option, severity := range map[string]string{
		"stuck.severity": o.Stuck.Severity, "failure_rate.severity": f.Severity, "unclaimed.severity": o.Unclaimed.Severity,
	} {
		if !slices.Contains(severities, severity) {
			return &OptionError{Option: option, Reason: fmt.Sprintf("is %q", severity), Known: severities}
		}
	}
	return nil
}

func orDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

func sortedKeys[K ~string, V any](m map[K]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, string(k))
	}
	slices.Sort(keys)
	return keys
}
