package bridge

import (
	"regexp"

	"github.com/cloudbus-go/cloudbus/bus"
)

// Options of a bridge. The zero value sends all recorded events of all tenants.
type Options struct {
	Name    string   // Names the plugin "bridge_<name>", which is also its place in the journal. Defaults to "nats".
	Types   []string // Patterns of what is sent: "vm.>". Defaults to all types.
	Tenants []string // Whose events are sent; "" is those without a tenant. Defaults to all tenants.
	Lanes   int      // How many messages can be under way at once, each about another resource; at most 4,096. Defaults to 64.
	Backlog bool     // Whether a bridge that starts for the first time sends what was recorded before. Defaults to no.
}

const (
	defaultName  = "nats"
	defaultLanes = 64
	maxLanes     = 4096
)

var validName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,32}$`)

func (o Options) withDefaults() (Options, error) {
	if o.Name == "" {
		o.Name = defaultName
	}
	if o.Lanes == 0 {
		o.Lanes = defaultLanes
	}
	if !validName.MatchString(o.Name) {
		return o, &OptionError{Option: "Name", Value: o.Name, Reason: "must be a-z, 0-9 and _, begin with a letter, and have at most 33 of them"}
	}
	if o.Lanes < 1 || o.Lanes > maxLanes {
		return o, &OptionError{Option: "Lanes", Value: o.Lanes, Reason: "must be 1 to 4096"}
	}
	for _, pattern := range o.Types {
		if _, err := SubjectPattern(pattern); err != nil {
			return o, &OptionError{Option: "Types", Value: pattern, Reason: "must be a pattern such as vm.> or *.created"}
		}
	}
	return o, nil
}

// subscription returns the options of the bridge's reader of the journal.
func (o Options) subscription() []bus.Option {
	opts := []bus.Option{
		bus.Durable(pluginPrefix + o.Name), bus.Lanes(o.Lanes),
		bus.Retry(rejectedTries, rejectedPause), bus.OnFailure(bus.Halt),
	}
	for _, pattern := range o.Types {
		opts = append(opts, bus.Type(pattern))
	}
	if len(o.Tenants) > 0 {
		opts = append(opts, bus.Where(oneOf(o.Tenants)))
	}
	if o.Backlog {
		opts = append(opts, bus.From(0))
	}
	return opts
}

func oneOf(tenants []string) func(bus.Header) bool {
	sent := make(map[string]bool, len(tenants))
	for _, tenant := range tenants {
		sent[tenant] = true
	}
	return func(h bus.Header) bool { return sent[h.Tenant] }
}
