package bridge

import (
	"context"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/plugins"
)

// Options of a bridge. The zero value sends all recorded events of all tenants.
type Options struct {
	Name    string   // Names the plugin "bridge-<name>", which is also its place in the journal. Defaults to "nats".
	Types   []string // Patterns of what is sent: "vm.>". Defaults to all types.
	Tenants []string // Whose events are sent; "" is those without a tenant. Defaults to all tenants.
	Lanes   int      // How many messages can be under way at once, each about another resource. Defaults to 64.
}

// Bridge is a plugin that republishes recorded events to a broker.
type Bridge struct{ plugins.Base }

// New returns the plugin that sends events to sink. Errors: *OptionError.
func New(sink Sink, o Options) (*Bridge, error) { panic("unwritten") }

func (b *Bridge) Name() string                                        { panic("unwritten") }
func (b *Bridge) Init(ctx context.Context, rt *plugins.Runtime) error { panic("unwritten") }
func (b *Bridge) Subscribe(c *bus.Client) error                       { panic("unwritten") }
func (b *Bridge) Health(ctx context.Context) error                    { panic("unwritten") }
func (b *Bridge) Close(ctx context.Context) error                     { panic("unwritten") }
