package eventlog

import (
	"fmt"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/plugins"
)

// Options of New. The zero value keeps everything. The server's configuration for "eventlog" goes over them, key by key.
type Options struct {
	Levels            []LevelRule      `json:"levels"`             // What level an event has, before DefaultLevels. Defaults to none.
	Retention         []KeepRule       `json:"retention"`          // How long events are kept; the first rule that fits decides, what none fits stays. Defaults to none.
	ArchivedRetention []KeepRule       `json:"archived_retention"` // The same for archived events. Defaults to none: they stay.
	SweepEvery        plugins.Duration `json:"sweep_every"`        // How often what the rules don't keep is removed, the first time that long after the start. Defaults to 10m.
	Linger            plugins.Duration `json:"linger"`             // How long it waits for more events to write together, at most 1s; below 0: not at all. Defaults to 50ms.
	Effort            int              `json:"effort"`             // How much a page may search in vain before it is Partial, in rows of the index. Defaults to 512.
}

// KeepRule says how long events of some types are kept.
type KeepRule struct {
	Type string           `json:"type"` // Pattern of event types, as bus.Type. Required.
	Keep plugins.Duration `json:"keep"` // From the event's time. Defaults to 0: for ever.
}

// keepRule is a KeepRule, compiled.
type keepRule struct {
	pattern bus.Pattern
	keep    time.Duration
}

// policy is what the options say, checked.
type policy struct {
	levels []levelRule
	keep   [2][]keepRule // of what is in the log, and of what is archived
	every  time.Duration
	linger time.Duration
}

func (o *Options) compile() (*policy, error) {
	if o.Linger == 0 {
		o.Linger = plugins.Duration(50 * time.Millisecond)
	}
	if o.SweepEvery == 0 {
		o.SweepEvery = plugins.Duration(10 * time.Minute)
	}
	p := &policy{every: time.Duration(o.SweepEvery), linger: max(0, time.Duration(o.Linger))}
	if p.every < time.Second {
		return nil, &OptionError{Option: "sweep_every", Reason: fmt.Sprintf("is %v, below 1s", p.every)}
	}
	if p.linger > time.Second {
		return nil, &OptionError{Option: "linger", Reason: fmt.Sprintf("is %v, above 1s", p.linger)}
	}
	if o.Effort == 0 {
		o.Effort = usualEffort
	}
	if o.Effort < 0 || o.Effort > maxEffort {
		return nil, &OptionError{Option: "effort", Reason: fmt.Sprintf("is %d, not in 1 to %d", o.Effort, maxEffort)}
	}
	own, err := compileLevels("levels", o.Levels)
	if err != nil {
		return nil, err
	}
	usual, err := compileLevels("DefaultLevels", DefaultLevels())
	if err != nil {
		return nil, err
	}
	p.levels = append(own, usual...)
	if p.keep[0], err = compileKeep("retention", o.Retention); err != nil {
		return nil, err
	}
	p.keep[1], err = compileKeep("archived_retention", o.ArchivedRetention)
	return p, err
}

func compileKeep(option string, rules []KeepRule) ([]keepRule, error) {
	compiled := make([]keepRule, len(rules))
	for i, r := range rules {
		pattern, err := bus.ParsePattern(r.Type)
		if err != nil {
			return nil, &OptionError{Option: fmt.Sprintf("%s[%d].type", option, i), Reason: err.Error()}
		}
		if keep := time.Duration(r.Keep); keep < 0 || keep > 0 && keep < time.Second {
			return nil, &OptionError{Option: fmt.Sprintf("%s[%d].keep", option, i), Reason: fmt.Sprintf("is %v, neither 0 (for ever) nor 1s or more", keep)}
		}
		compiled[i] = keepRule{pattern, time.Duration(r.Keep)}
	}
	return compiled, nil
}

// ruleOf returns the number of the rule that decides about a type; -1 if none does.
func ruleOf(rules []keepRule, eventType string) int {
	for i, r := range rules {
		if r.pattern.Match(eventType) {
			return i
		}
	}
	return -1
}

// keeps reports whether an event that isn't archived is kept.
func (p *policy) keeps(eventType string, at, now time.Time) bool {
	i := ruleOf(p.keep[0], eventType)
	return i < 0 || p.keep[0][i].keep == 0 || now.Sub(at) < p.keep[0][i].keep
}
