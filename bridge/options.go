package bridge

import (
	"regexp"
	"strings"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/resources"
)

// Options of a bridge. The zero value sends all recorded events of all tenants.
type Options struct {
	Name    string            // Names the plugin "bridge_<name>", which is also its place in the journal. Defaults to "nats", with State "state".
	Types   []string          // Patterns of what is sent: "vm.>". Defaults to all types.
	Tenants []string          // Whose events are sent; "" is those without a tenant. Defaults to all tenants.
	Lanes   int               // How many messages can be under way at once, each about another resource; at most 4,096. Defaults to 64.
	Window  int64             // How many bytes of messages can be under way at once; one that is larger goes alone. Defaults to 64 MiB.
	Backlog bool              // Whether a bridge that starts for the first time sends what was recorded before. Defaults to no.
	State   bool              // Sends states instead of events: the newest event of each resource, to a sink that is a StateKeeper. Needs Engine. Defaults to no.
	Engine  *resources.Engine // Whose resources' states are sent, those that were there before the bridge included. Required with State.
	Mode    Mode              // How CloudEvents lie in messages: Structured or Binary. Defaults to Structured.
	Schemas string            // The URL under which a server has the JSON Schemas of event types, "https://cloud.example.com/v1/schemas/": it and the type are the events' dataschema. Defaults to no dataschema.
}

const (
	defaultName      = "nats"
	defaultStateName = "state"
	defaultLanes     = 64
	maxLanes         = 4096
	defaultWindow    = 64 << 20
)

var validName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,32}$`)

func (o Options) withDefaults() (Options, error) {
	if o.Name == "" && o.State {
		o.Name = defaultStateName
	}
	if o.Name == "" {
		o.Name = defaultName
	}
	if o.Lanes == 0 {
		o.Lanes = defaultLanes
	}
	if o.Window == 0 {
		o.Window = defaultWindow
	}
	if !validName.MatchString(o.Name) {
		return o, &OptionError{Option: "Name", Value: o.Name, Reason: "must be a-z, 0-9 and _, begin with a letter, and have at most 33 of them"}
	}
	if o.Lanes < 1 || o.Lanes > maxLanes {
		return o, &OptionError{Option: "Lanes", Value: o.Lanes, Reason: "must be 1 to 4096"}
	}
	if o.Window < 0 {
		return o, &OptionError{Option: "Window", Value: o.Window, Reason: "must not be negative"}
	}
	if o.Mode != Structured && o.Mode != Binary {
		return o, &OptionError{Option: "Mode", Value: o.Mode, Reason: "must be Structured or Binary"}
	}
	if o.Schemas != "" && (checkURI(o.Schemas) != "" || !strings.HasSuffix(o.Schemas, "/")) {
		return o, &OptionError{Option: "Schemas", Value: o.Schemas, Reason: "must be an absolute URL that ends with a slash"}
	}
	if o.State {
		if err := o.checkState(); err != nil {
			return o, err
		}
	}
	for _, pattern := range o.Types {
		if _, err := SubjectPattern(pattern); err != nil {
			return o, &OptionError{Option: "Types", Value: pattern, Reason: "must be a pattern such as vm.> or *.created"}
		}
	}
	return o, nil
}

// checkState finds what doesn't go with State.
func (o Options) checkState() error {
	if o.Engine == nil {
		return &OptionError{Option: "Engine", Value: nil, Reason: "is required with State"}
	}
	if o.Backlog {
		return &OptionError{Option: "Backlog", Value: o.Backlog, Reason: "isn't for State, which sends the states of all resources at the start"}
	}
	for _, pattern := range o.Types {
		kind, rest, _ := strings.Cut(pattern, ".")
		if rest != ">" || kind == "*" {
			return &OptionError{Option: "Types", Value: pattern, Reason: "must be all of a kind with State, such as vm.>"}
		}
	}
	return nil
}

// subscription returns the options of the bridge's reader of the journal.
func (o Options) subscription() []bus.Option {
	opts := []bus.Option{
		bus.Durable(pluginPrefix + o.Name), bus.Lanes(o.Lanes),
		bus.Retry(rejectedTries, rejectedPause),
	}
	for _, pattern := range o.Types {
		opts = append(opts, bus.Type(pattern))
	}
	if len(o.Tenants) > 0 {
		opts = append(opts, bus.Where(oneOf(o.Tenants)))
	}
	if o.State {
		opts = append(opts, bus.Where(isState))
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
