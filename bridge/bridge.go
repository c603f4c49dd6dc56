package bridge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/plugins"
)

const (
	pluginPrefix = "bridge_"

	// A message that the broker will never take is offered a few times before the bridge halts at it:
	// a size limit may just be in the midst of being raised, and halting is the operator's business.
	rejectedTries = 3
	rejectedPause = time.Second

	// What is under way when Close is called gets this long to be acknowledged, so that it needn't be repeated.
	drainTimeout = 2 * time.Second
)

// errClosing ends a handler that waits for the broker when the bridge closes. Its event stays in the journal.
var errClosing = errors.New("bridge: closing; the event will be sent after the next start")

// Bridge is a plugin that republishes recorded events to a broker. Make one with New.
type Bridge struct {
	sink    Sink
	options Options
	log     *slog.Logger
	bus     *bus.Bus
	counts  counts
	trouble trouble
	life    lifetime

	used         atomic.Bool
	opened       bool
	subscription *bus.Subscription
}

// New returns the plugin that sends events to sink. Errors: *OptionError.
func New(sink Sink, o Options) (*Bridge, error) {
	if sink == nil {
		return nil, &OptionError{Option: "sink", Reason: "is required"}
	}
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Bridge{sink: sink, options: o, life: newLifetime()}, nil
}

// Name is "bridge_<name>".
func (b *Bridge) Name() string { return pluginPrefix + b.options.Name }

// Init opens the sink; it doesn't wait for the broker. A source of the bus that no CloudEvent can carry is an error, and so is a bridge that a manager had before: ErrUsed.
func (b *Bridge) Init(ctx context.Context, rt *plugins.Runtime) error {
	if !b.used.CompareAndSwap(false, true) {
		return ErrUsed
	}
	b.log, b.bus = rt.Logger(), rt.Bus()
	b.trouble.now = rt.Now
	b.counts.publish(rt.Metrics())
	if _, reason := parseSource(b.bus.Source()); reason != "" {
		return &OptionError{Option: "bus.Options.Source", Value: b.bus.Source(), Reason: reason}
	}
	if opener, ok := b.sink.(Opener); ok {
		if err := opener.Open(ctx, b.log); err != nil {
			return fmt.Errorf("bridge: open sink of %s: %w", b.Name(), err)
		}
	}
	b.opened = true
	return nil
}

// Subscribe starts to read the journal where the bridge left off. It doesn't wait for the broker.
func (b *Bridge) Subscribe(c *bus.Client) error {
	subscription, err := bus.Subscribe(c, b.handle, b.options.subscription()...)
	if err != nil {
		return fmt.Errorf("bridge: subscribe %s: %w", b.Name(), err)
	}
	b.subscription = subscription
	return nil
}

// Drain stops sending. What is under way has two seconds to be acknowledged; what waits for the broker stays in the journal, and is sent after the next start.
func (b *Bridge) Drain(ctx context.Context) error {
	if b.subscription == nil {
		return nil
	}
	b.subscription.Close()
	b.life.close()
	patience, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	defer context.AfterFunc(patience, b.life.abort)()
	select {
	case <-b.subscription.Done():
		return nil
	case <-ctx.Done():
	}
	b.life.abort()
	select {
	case <-b.subscription.Done():
		return nil
	case <-time.After(drainTimeout):
		return fmt.Errorf("bridge: close %s: a send doesn't return: %w", b.Name(), ctx.Err())
	}
}

// Close closes the sink.
func (b *Bridge) Close(ctx context.Context) error {
	b.life.abort()
	if closer, ok := b.sink.(Closer); ok && b.opened {
		return closer.Close(ctx)
	}
	return nil
}

var (
	_ plugins.Plugin   = (*Bridge)(nil)
	_ plugins.Healther = (*Bridge)(nil)
	_ plugins.Drainer  = (*Bridge)(nil)
)
