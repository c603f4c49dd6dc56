package alerts

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/plugins"
)

// typed checks what the type of the rule has of its own.
func (c *checker) typed(r *Rule) {
	kinds := c.checkKinds(r)
	c.names(r, "states", texts(r.States), c.states(kinds), "state", kinds)
	c.names(r, "triggers", texts(r.Triggers), c.triggers(kinds), "trigger", kinds)
	switch r.Type {
	case StuckRule:
		c.transitional(r, "can't be stuck in")
	case FailureRateRule:
		c.transitional(r, "runs no operation in")
		c.window(r)
		if r.MinFailures < 1 {
			c.fault(r, "min_failures", "is not above 0")
		}
		c.percents(r)
		c.begins(r)
	case FlappingRule, EventRule, ZombieRule:
		c.window(r)
		if r.Above < 0 || r.Above > maxAbove {
			c.fault(r, "above", fmt.Sprintf("is %d: must be 0 to %d", r.Above, maxAbove))
		} else if r.ClearAt < 0 || r.ClearAt > r.Above {
			c.fault(r, "clear_at", fmt.Sprintf("is %d: must be 0 to above, which is %d", r.ClearAt, r.Above))
		}
		c.events(r)
	case HostDownRule:
		c.interval(r, "for", r.For)
	case CapacityRule:
		c.percents(r)
		c.sum(r, "used", r.Used)
		c.sum(r, "total", r.Total)
		c.by(r)
	}
}

// checkKinds returns the rule's kinds that there are.
func (c *checker) checkKinds(r *Rule) (known []string) {
	for _, k := range r.Kinds {
		if _, ok := c.kinds[k]; !ok {
			c.fault(r, "kinds", fmt.Sprintf("%q is no kind", k), c.world.names()...)
			continue
		}
		known = append(known, k)
	}
	return known
}

func (c *checker) names(r *Rule, field string, given, allowed []string, what string, kinds []string) {
	of := "any kind"
	if len(kinds) > 0 {
		of = strings.Join(kinds, " or ")
	}
	for _, name := range given {
		if !slices.Contains(allowed, name) {
			c.fault(r, field, fmt.Sprintf("%q is no %s of %s", name, what, of), allowed...)
		}
	}
}

// transitional refuses states that no kind is on its way in.
func (c *checker) transitional(r *Rule, what string) {
	for _, s := range r.States {
		known, fits := false, false
		for _, name := range c.about(r) {
			k, ok := c.kinds[name]
			if !ok {
				continue
			}
			class, has := k.machine.Class(s)
			known, fits = known || has, fits || has && class == fsm.Transitional
		}
		if known && !fits {
			c.fault(r, "states", fmt.Sprintf("a resource %s %q, which isn't transitional", what, s))
		}
	}
}

// begins refuses triggers that begin no operation.
func (c *checker) begins(r *Rule) {
	for _, t := range r.Triggers {
		known, fits := false, false
		for _, name := range c.about(r) {
			if k, ok := c.kinds[name]; ok {
				known = known || k.machine.Knows(t)
				fits = fits || len(operationsOf(k.machine, t)) > 0
			}
		}
		if known && !fits {
			c.fault(r, "triggers", fmt.Sprintf("%q begins no operation", t))
		}
	}
}

// operationsOf lists the transitional states that a trigger leads to.
func operationsOf(m *fsm.Machine, t fsm.Trigger) (found []fsm.State) {
	for _, e := range m.Spec().Edges {
		if class, _ := m.Class(e.To); e.On == t && class == fsm.Transitional && !slices.Contains(e.From, e.To) {
			found = append(found, e.To)
		}
	}
	return found
}

func (c *checker) window(r *Rule) { c.interval(r, "window", r.Window) }

func (c *checker) interval(r *Rule, field string, given plugins.Duration) {
	if d := time.Duration(given); d < minInterval || d > maxInterval {
		c.fault(r, field, fmt.Sprintf("is %v: must be 1s or more, up to %v", d, maxInterval))
	}
}

func (c *checker) percents(r *Rule) {
	if r.RaisePercent < 1 || r.RaisePercent > 100 {
		c.fault(r, "raise_percent", fmt.Sprintf("is %d: not in 1 to 100", r.RaisePercent))
	}
	if r.ClearPercent < 1 || r.ClearPercent > r.RaisePercent {
		c.fault(r, "clear_percent", fmt.Sprintf("is %d: not in 1 to raise_percent", r.ClearPercent))
	}
}

// events refuses patterns that could match what rules themselves cause.
func (c *checker) events(r *Rule) {
	if r.Type != EventRule {
		return
	}
	if len(r.Events) == 0 {
		c.fault(r, "events", "is missing: patterns of event types, such as action.*.*.failed")
	}
	for _, pattern := range r.Events {
		if _, err := bus.ParsePattern(pattern); err != nil {
			c.fault(r, "events", err.Error())
			continue
		}
		if first, _, _ := strings.Cut(pattern, "."); first == "alert" || first == "*" || first == ">" {
			c.fault(r, "events", fmt.Sprintf("%q could match alert.>: no rule is about alerts themselves; begin with a kind, action, status or usage", pattern))
		}
	}
}

// sum checks one side of a capacity.
func (c *checker) sum(r *Rule, side string, s *Sum) {
	switch {
	case s == nil:
		c.fault(r, side, "is missing: kind, field and states, or for total an amount")
		return
	case s.Amount != 0 || r.has(side+".amount"):
		c.amount(r, side, s)
		return
	case s.Kind == "":
		c.fault(r, side+".kind", "is missing", c.world.names()...)
		return
	}
	k, ok := c.kinds[s.Kind]
	if !ok {
		c.fault(r, side+".kind", fmt.Sprintf("%q is no kind", s.Kind), c.world.names()...)
		return
	}
	if numbers := k.numbers(); s.Field != "" && !slices.Contains(numbers, s.Field) {
		c.fault(r, side+".field", fmt.Sprintf("%q is no field of %s that is a whole number", s.Field, s.Kind), numbers...)
	}
	c.names(r, side+".states", texts(s.States), c.states([]string{s.Kind}), "state", []string{s.Kind})
}

func (c *checker) amount(r *Rule, side string, s *Sum) {
	switch {
	case side == "used":
		c.fault(r, "used.amount", "is for total only: what is used is a sum over resources")
	case s.Kind != "" || s.Field != "" || s.States != nil:
		c.fault(r, "total", "has an amount and a kind, field or states; one of them is enough")
	case s.Amount < 1 || s.Amount > maxAmount:
		c.fault(r, "total.amount", fmt.Sprintf("is %d: must be 1 to %d", s.Amount, int64(maxAmount)))
	}
}

func (c *checker) by(r *Rule) {
	if r.By == "" {
		return
	}
	for _, s := range []*Sum{r.Used, r.Total} {
		if s == nil || s.Kind == "" {
			continue
		}
		if k, ok := c.kinds[s.Kind]; ok && !slices.Contains(k.texts(), r.By) {
			c.fault(r, "by", fmt.Sprintf("%q is no field of text of %s", r.By, s.Kind), k.texts()...)
		}
	}
}
