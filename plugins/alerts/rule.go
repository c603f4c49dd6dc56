package alerts

import (
	"fmt"
	"strings"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/plugins"
)

// Types of rules. Those of the first three are also the names of the rules that have always been there.
const (
	StuckRule       = "stuck"        // a resource is in a transitional state beyond its limit
	FailureRateRule = "failure_rate" // operations of a kind fail
	UnclaimedRule   = "unclaimed"    // nobody runs a durable subscription
	ParkedRule      = "parked"       // a durable subscription has set events aside, or has halted
	FlappingRule    = "flapping"     // a resource changes its state to and fro
	CapacityRule    = "capacity"     // a sum over resources comes near another
	HostDownRule    = "host_down"    // a host is away for long
	ZombieRule      = "zombie"       // a resource is reported to live that shouldn't
	EventRule       = "event"        // events of a pattern come

	DisagreementRule = "disagreement" // a resource's own state and what a provider observes of it disagree
	OrphanRule       = "orphan"       // a provider reports a resource that isn't there
)

// Severities.
const (
	Informational = "info"
	Warning       = "warning"
	Critical      = "critical"
)

var severities = []string{Informational, Warning, Critical}

// Rule says what is wrong when. Fields that its type doesn't have must be left empty: an empty field means the type's default. ParseRules reads rules from YAML, whose keys are the JSON names.
type Rule struct {
	Name     string `json:"name"`               // What its alerts are called: alert.<name>.raised. Required, unique, [a-z][a-z0-9_]*.
	Type     string `json:"type"`               // StuckRule, … Required.
	Severity string `json:"severity,omitempty"` // Informational, Warning or Critical. Defaults to Warning; failure_rate, host_down, parked and zombie: Critical.
	Disabled bool   `json:"disabled,omitempty"` // Raises nothing; what is active is still cleared, and the books are kept. Defaults to false.

	// What it's about. Empty: all kinds that it can be about (host_down: host); all states (host_down: down, alert; flapping: those that aren't transitional); all triggers
	// (zombie: all that begin with report_). Of a failure rate the triggers are those that began the operations, the states those in which they ran.
	Kinds    []string      `json:"kinds,omitempty"`
	States   []fsm.State   `json:"states,omitempty"`
	Triggers []fsm.Trigger `json:"triggers,omitempty"`
	Events   []string      `json:"events,omitempty"` // event: patterns of types, none of which may match an alert. Required.

	For    plugins.Duration `json:"for,omitzero"`    // host_down: how long. Defaults to 5m.
	Window plugins.Duration `json:"window,omitzero"` // How far it looks back: failure_rate 5m, flapping 10m, zombie 1h, event 10m.

	Above   int64 `json:"above,omitempty"`    // flapping, zombie, event: raised by more than so many within the window. At most 1,000. Defaults to 5, 0, 0.
	ClearAt int64 `json:"clear_at,omitempty"` // flapping, event: cleared by so many, or fewer. Defaults to half of above.

	MinFailures  int64 `json:"min_failures,omitempty"`  // failure_rate: fewer raise nothing. Defaults to 5.
	RaisePercent int64 `json:"raise_percent,omitempty"` // failure_rate, capacity: raised from this share on. Defaults to 50, 75.
	ClearPercent int64 `json:"clear_percent,omitempty"` // failure_rate: cleared below this share, capacity: at or below. Defaults to 25, 70, or raise_percent if that is less.

	Used  *Sum   `json:"used,omitempty"`  // capacity: what is taken. Required.
	Total *Sum   `json:"total,omitempty"` // capacity: of what there is. Required.
	By    string `json:"by,omitempty"`    // capacity: a field that both kinds have; a share for each of its values. Defaults to one for all.

	Renotify plugins.Duration `json:"renotify,omitzero"` // Tells again after each such time, until somebody acknowledges it or it's cleared; at least 1m. Defaults to never.
	Group    *Group           `json:"group,omitempty"`   // Many alerts of the rule at once; of stuck, flapping, host_down, zombie, event, disagreement and orphan. Defaults to Group{}.

	lines map[string]int // where it was written, by key; "" the rule
}

// Sum is a number over resources: the sum of a field, or their count.
type Sum struct {
	Kind   string      `json:"kind,omitempty"`   // Required, unless Amount is given.
	Field  string      `json:"field,omitempty"`  // A whole number: cpus. Defaults to counting resources.
	States []fsm.State `json:"states,omitempty"` // Those that count. Defaults to all that aren't final.
	Amount int64       `json:"amount,omitempty"` // total: a fixed number instead.
}

// Group says when alerts of one rule and kind are told as one: a group, with a count. Its members are listed, but not told one by one.
type Group struct {
	Disabled bool             `json:"disabled,omitempty"` // Each is told. Defaults to false.
	Above    int64            `json:"above,omitempty"`    // More than so many active alerts with a common cause, raised within Within, become a group; twice as many if they have several. Defaults to 20.
	Within   plugins.Duration `json:"within,omitzero"`    // Defaults to 10m.
	By       []string         `json:"by,omitempty"`       // Fields of the resource: the first that isn't empty is the common cause. Defaults to host_id and zone_id, if the kind has them.
	Below    int64            `json:"below,omitempty"`    // The group ends when no more are left; these are told. Defaults to a quarter of Above.
}

// has reports whether YAML gave the key.
func (r *Rule) has(key string) bool { return r.lines[key] > 0 }

// Fault is one thing wrong with a rule.
type Fault struct {
	Line    int    // in the YAML; 0: the rule is Go's
	Rule    string // its name, if it has one
	Field   string // used.field; "": the whole rule
	Reason  string
	Allowed []string // if that can be listed
}

func (f Fault) String() string {
	var b strings.Builder
	if f.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", f.Line)
	}
	if f.Rule != "" {
		fmt.Fprintf(&b, "rule %q: ", f.Rule)
	}
	if f.Field != "" {
		b.WriteString(f.Field + " ")
	}
	b.WriteString(f.Reason)
	if f.Allowed != nil {
		fmt.Fprintf(&b, " (allowed: %s)", strings.Join(f.Allowed, ", "))
	}
	return b.String()
}

// RulesError lists all that is wrong with rules. ParseRules and Init return it.
type RulesError struct{ Faults []Fault }

func (e *RulesError) Error() string {
	all := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		all[i] = f.String()
	}
	noun := "faults"
	if len(all) == 1 {
		noun = "fault"
	}
	return fmt.Sprintf("alerts: %d %s in the rules: %s", len(all), noun, strings.Join(all, "; "))
}
