package bridge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/plugins"
)

const (
	pluginPrefix = "bridge_"

	// A message that the broker will never take is offered a few times before it is parked: a setting may just be in the midst of being changed.
	// Not for long, as the next event of its lane waits meanwhile, which may be another resource's.
	rejectedTries = 3
	rejectedPause = 50 * time.Millisecond

	// What is under way when Close is called gets this long to be acknowledged, so that it needn't be repeated.
	drainTimeout = 2 * time.Second
)

// errClosing ends a handler that waits for the broker when the bridge closes. Its event stays in the journal.
var errClosing = errors.New("bridge: closing; the event will be sent after the next start")

// Bridge is a plugin that republishes recorded events to a broker. Make one with New.
type Bridge struct {
	sink     Sink
	options  Options
	log      *slog.Logger
	bus      *bus.Bus
	sources  *sources
	counts   counts
	window   window
	trouble  trouble
	life     lifetime
	patience patience
	seeder   *seeder // with Options.State, from Init on

	reader *reader
	safety *safety // nil if the sink is no Checkpointer, or there is no database

	used   atomic.Bool
	opened bool
}

// New returns the plugin that sends events to sink. Errors: *OptionError.
func New(sink Sink, o Options) (*Bridge, error) {
	if v := reflect.ValueOf(sink); sink == nil || v.Kind() == reflect.Pointer && v.IsNil() {
		return nil, &OptionError{Option: "sink", Reason: "is required"}
	}
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	keeper, ok := sink.(StateKeeper)
	if keeps := ok && keeper.KeepsState(); keeps != o.State {
		return nil, &OptionError{Option: "State", Value: o.State, Reason: "goes with a sink that keeps states, and with no other"}
	}
	return &Bridge{sink: sink, options: o, window: window{free: o.Window, size: o.Window}, life: newLifetime(), reader: newReader()}, nil
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
	b.counts.rate.now = rt.Now
	b.publish(rt.Metrics())
	if _, reason := parseSource(b.bus.Source()); reason != "" {
		return &OptionError{Option: "bus.Options.Source", Value: b.bus.Source(), Reason: reason}
	}
	var err error
	if b.sources, err = openSources(ctx, rt); err != nil {
		return err
	}
	if err := b.secure(ctx, rt); err != nil {
		return err
	}
	if opener, ok := b.sink.(Opener); ok {
		if err := opener.Open(ctx, b.log); err != nil {
			return fmt.Errorf("bridge: open sink of %s: %w", b.Name(), err)
		}
	}
	b.opened = true
	if b.options.State {
		b.seeder = newSeeder(b, b.sink.(StateKeeper), rt)
	}
	return nil
}

// Subscribe starts to read the journal where the bridge left off. It doesn't wait for the broker.
func (b *Bridge) Subscribe(c *bus.Client) error {
	begin := func() (*bus.Subscription, error) { return bus.Subscribe(c, b.handle, b.options.subscription()...) }
	if err := b.reader.start(b.safety.beginDoubt, begin, b.safety.base); err != nil {
		return fmt.Errorf("bridge: subscribe %s: %w", b.Name(), err)
	}
	if b.seeder != nil {
		b.seeder.start()
	}
	return nil
}

// Drain stops sending. What is under way has two seconds to be acknowledged; what waits for the broker stays in the journal, and is sent after the next start.
func (b *Bridge) Drain(ctx context.Context) error {
	subscription := b.reader.close()
	b.life.close()
	if subscription == nil {
		return nil
	}
	defer b.safety.keep(ctx)
	patience, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	defer context.AfterFunc(patience, b.life.abort)()
	select {
	case <-subscription.Done():
		return nil
	case <-ctx.Done():
	}
	b.life.abort()
	select {
	case <-subscription.Done():
		return nil
	case <-time.After(drainTimeout):
		return fmt.Errorf("bridge: close %s: a send doesn't return: %w", b.Name(), ctx.Err())
	}
}

// Close closes the sink.
func (b *Bridge) Close(ctx context.Context) error {
	b.reader.close()
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
