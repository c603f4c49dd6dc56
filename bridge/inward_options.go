package bridge

import (
	"cmp"
	"expvar"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// InwardOptions of NewInward.
type InwardOptions struct {
	Name     string        // Names the plugin "inward_<name>", and with it its lease and routes. Defaults to "nats".
	Types    []string      // Patterns of what is taken, "vm.>", "alert.>", or ">" for all; what else comes is passed over for good. Required.
	Tenants  []string      // Whose events are taken; "" is those without a tenant. Defaults to all tenants.
	Inlet    Inlet         // Where they come from. Stream defaults to "cloudbus", Subjects to cloudbus.>, Durable to a name of this database's own.
	Remember time.Duration // How long repeats are known by their id; what the stream stored longer ago than that before the newest that came was taken then. Defaults to 7 days.
}

const (
	inwardPrefix     = "inward_"
	maxInwardName    = 25 // a plugin's name has 32 bytes at most
	defaultRemember  = 7 * 24 * time.Hour
	leastRemember    = time.Minute
	refusedKept      = 1000
	refusedBytesKept = 64 << 10
)

func (o InwardOptions) withDefaults() (InwardOptions, error) {
	o.Name = cmp.Or(o.Name, defaultName)
	o.Inlet.Stream = cmp.Or(o.Inlet.Stream, Root)
	if len(o.Inlet.Subjects) == 0 {
		o.Inlet.Subjects = []string{Root + ".>"}
	}
	o.Remember = cmp.Or(o.Remember, defaultRemember)
	switch {
	case !validName.MatchString(o.Name) || len(o.Name) > maxInwardName:
		return o, &OptionError{Option: "Name", Value: o.Name, Reason: "must be a-z, 0-9 and _, begin with a letter, and have at most 25 of them"}
	case len(o.Types) == 0:
		return o, &OptionError{Option: "Types", Reason: `is required: what comes in is as good as what happens here, to bills and alerts too; ">" takes all`}
	case o.Remember < leastRemember:
		return o, &OptionError{Option: "Remember", Value: o.Remember, Reason: "must be at least 1m"}
	}
	for _, pattern := range o.Types {
		if _, err := bus.ParsePattern(pattern); err != nil {
			return o, &OptionError{Option: "Types", Value: pattern, Reason: "must be a pattern such as vm.> or *.created"}
		}
	}
	probe := o.Inlet
	probe.Durable = cmp.Or(probe.Durable, defaultName)
	if _, err := probe.WithDefaults(); err != nil {
		return o, err
	}
	return o, nil
}

// admits says whether the options ask for an event.
func (o InwardOptions) admits(h *bus.Header) bool {
	if len(o.Tenants) > 0 && !oneOf(o.Tenants)(*h) {
		return false
	}
	for _, text := range o.Types {
		if pattern, err := bus.ParsePattern(text); err == nil && pattern.Match(h.Type) {
			return true
		}
	}
	return false
}

// inwardCounts are what came in, by what became of it.
type inwardCounts struct {
	received expvar.Int // recorded here
	repeated expvar.Int // known by their id
	old      expvar.Int // stored longer ago than ids are known
	own      expvar.Int // of the servers on this database
	passed   expvar.Int // not asked for
	refused  expvar.Int // no events
}

func (c *inwardCounts) publish(m *expvar.Map) {
	m.Set("received", &c.received)
	m.Set("repeated", &c.repeated)
	m.Set("old", &c.old)
	m.Set("own", &c.own)
	m.Set("passed", &c.passed)
	m.Set("refused", &c.refused)
}

// tally is what one transaction adds to the counts when it has been committed.
type tally struct{ received, repeated, old, own, passed, refused int64 }

func (c *inwardCounts) add(t tally) {
	c.received.Add(t.received)
	c.repeated.Add(t.repeated)
	c.old.Add(t.old)
	c.own.Add(t.own)
	c.passed.Add(t.passed)
	c.refused.Add(t.refused)
}
