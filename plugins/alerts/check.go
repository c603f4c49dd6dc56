package alerts

import (
	"cmp"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/plugins"
)

// allTypes lists the types of rules.
var allTypes = []string{CapacityRule, DisagreementRule, EventRule, FailureRateRule, FlappingRule, HostDownRule, OrphanRule, ParkedRule, StuckRule, UnclaimedRule, ZombieRule}

// Fields that every type has, and those of each.
var (
	commonFields = []string{"name", "type", "severity", "disabled", "renotify"}
	fieldsOf     = map[string][]string{
		StuckRule:        {"kinds", "states", "group"},
		FailureRateRule:  {"kinds", "states", "triggers", "window", "min_failures", "raise_percent", "clear_percent"},
		UnclaimedRule:    {},
		ParkedRule:       {},
		FlappingRule:     {"kinds", "states", "window", "above", "clear_at", "group"},
		CapacityRule:     {"used", "total", "by", "raise_percent", "clear_percent"},
		HostDownRule:     {"kinds", "states", "for", "group"},
		ZombieRule:       {"kinds", "states", "triggers", "window", "above", "group"},
		DisagreementRule: {"kinds", "states", "group"},
		OrphanRule:       {"kinds", "group"},
		EventRule:        {"events", "kinds", "window", "above", "clear_at", "group"},
	}
)

// severityOf is the severity that a type has by default, if it isn't Warning.
var severityOf = map[string]string{FailureRateRule: Critical, HostDownRule: Critical, ParkedRule: Critical, ZombieRule: Critical}

const (
	maxAbove    = 1000
	maxRules    = 500
	minInterval = time.Second
	minRenotify = time.Minute
	maxInterval = 100 * 365 * 24 * time.Hour // times are nanoseconds in 64 bits, which end in 2262
)

// checker collects what is wrong with rules.
type checker struct {
	*world
	faults []Fault
}

func (c *checker) fault(r *Rule, field, reason string, allowed ...string) {
	line := 0
	if r.lines != nil {
		line = r.lines[""]
		for key := field; key != ""; {
			if n := r.lines[key]; n > 0 {
				line = n
				break
			}
			i := strings.LastIndexAny(key, ".[")
			key = key[:max(i, 0)]
		}
	}
	c.faults = append(c.faults, Fault{Line: line, Rule: r.Name, Field: field, Reason: reason, Allowed: allowed})
}

func (c *checker) err() error {
	if len(c.faults) == 0 {
		return nil
	}
	return &RulesError{c.faults}
}

// check completes rules with their defaults, and finds all that is wrong with them.
func (c *checker) check(rules []Rule) {
	if len(rules) > maxRules {
		c.faults = append(c.faults, Fault{Reason: fmt.Sprintf("there are %d; at most %d are allowed", len(rules), maxRules)})
		return
	}
	taken := make(map[string]bool)
	for n := range rules {
		r := &rules[n]
		c.name(r, n, taken)
		fields, ok := fieldsOf[r.Type]
		if !ok {
			c.fault(r, "type", fmt.Sprintf("%q is no type of rule", r.Type), allTypes...)
			continue
		}
		c.foreign(r, fields)
		r.complete()
		if !slices.Contains(severities, r.Severity) {
			c.fault(r, "severity", fmt.Sprintf("is %q", r.Severity), severities...)
		}
		if d := time.Duration(r.Renotify); (d != 0 || r.has("renotify")) && (d < minRenotify || d > maxInterval) {
			c.fault(r, "renotify", fmt.Sprintf("is %v: must be 1m or more, up to %v; left out: never", d, maxInterval))
		}
		c.group(r)
		c.typed(r)
	}
}

var validName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

func (c *checker) name(r *Rule, n int, taken map[string]bool) {
	switch {
	case r.Name == "":
		c.fault(r, "name", fmt.Sprintf("of rule %d is missing", n+1))
	case !validName.MatchString(r.Name):
		c.fault(r, "name", "doesn't match "+validName.String())
	case taken[r.Name]:
		c.fault(r, "name", "is that of another rule")
	}
	taken[r.Name] = true
}

// foreign finds fields that the type of the rule doesn't have.
func (c *checker) foreign(r *Rule, fields []string) {
	v := reflect.ValueOf(r).Elem()
	for n := range v.NumField() {
		key := jsonKey(v.Type().Field(n))
		if key == "" || slices.Contains(commonFields, key) || slices.Contains(fields, key) {
			continue
		}
		if !v.Field(n).IsZero() || r.has(key) {
			allowed := slices.Sorted(slices.Values(append(slices.Clone(fields), commonFields...)))
			c.fault(r, key, fmt.Sprintf("is nothing that a rule of type %s has", r.Type), allowed...)
		}
	}
}

func jsonKey(f reflect.StructField) string {
	key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return key
}

// complete fills in the defaults of the rule's type.
func (r *Rule) complete() {
	fill(r, "severity", &r.Severity, cmp.Or(severityOf[r.Type], Warning))
	switch r.Type {
	case FailureRateRule:
		fill(r, "window", &r.Window, plugins.Duration(5*time.Minute))
		fill(r, "min_failures", &r.MinFailures, 5)
		fill(r, "raise_percent", &r.RaisePercent, 50)
		fill(r, "clear_percent", &r.ClearPercent, min(25, r.RaisePercent))
	case CapacityRule:
		fill(r, "raise_percent", &r.RaisePercent, 75)
		fill(r, "clear_percent", &r.ClearPercent, min(70, r.RaisePercent))
	case FlappingRule:
		fill(r, "window", &r.Window, plugins.Duration(10*time.Minute))
		fill(r, "above", &r.Above, 5)
		fill(r, "clear_at", &r.ClearAt, r.Above/2)
	case EventRule:
		fill(r, "window", &r.Window, plugins.Duration(10*time.Minute))
		fill(r, "clear_at", &r.ClearAt, r.Above/2)
	case ZombieRule:
		fill(r, "window", &r.Window, plugins.Duration(time.Hour))
	case HostDownRule:
		fill(r, "for", &r.For, plugins.Duration(5*time.Minute))
		if len(r.Kinds) == 0 {
			r.Kinds = []string{"host"}
		}
		if len(r.States) == 0 {
			r.States = states("down", "alert")
		}
	}
}

// fill sets a field that wasn't given. A zero that YAML gives is meant.
func fill[T comparable](r *Rule, key string, v *T, d T) {
	if !r.has(key) {
		orDefault(v, d)
	}
}

func (c *checker) group(r *Rule) {
	if !slices.Contains(fieldsOf[r.Type], "group") {
		return
	}
	if r.Group == nil {
		r.Group = &Group{}
	} else {
		g := *r.Group // the caller's stays as it is
		r.Group = &g
	}
	g := r.Group
	fill(r, "group.above", &g.Above, 20)
	fill(r, "group.within", &g.Within, plugins.Duration(10*time.Minute))
	fill(r, "group.below", &g.Below, g.Above/4)
	if g.Above < 2 || g.Above > maxAbove {
		c.fault(r, "group.above", fmt.Sprintf("is %d: must be 2 to %d", g.Above, maxAbove))
	}
	if g.Below < 0 || g.Below >= g.Above {
		c.fault(r, "group.below", fmt.Sprintf("is %d: must be 0 or more, and less than above", g.Below))
	}
	c.interval(r, "group.within", g.Within)
	for _, field := range g.By {
		var known []string
		for _, name := range c.about(r) {
			known = append(known, c.kinds[name].texts()...)
		}
		slices.Sort(known)
		if known = slices.Compact(known); !slices.Contains(known, field) {
			c.fault(r, "group.by", fmt.Sprintf("%q is no field of text of %s", field, strings.Join(c.about(r), ", ")), known...)
		}
	}
}

// about lists the kinds that the rule is about.
func (w *world) about(r *Rule) []string {
	if len(r.Kinds) > 0 {
		return r.Kinds
	}
	return w.names()
}

func texts[T ~string](list []T) []string {
	all := make([]string, len(list))
	for n, v := range list {
		all[n] = string(v)
	}
	return all
}
