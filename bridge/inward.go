package bridge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/plugins"
)

// Inward is a plugin that takes events of other servers and components into the journal. Make one with NewInward.
//
// What comes in is recorded with its own id, source, time, tenant, actor, resource, version, correlation, causation and trace; the number is the journal's own.
// From there it reaches subscribers as any recorded event does: as the Go type that is registered for its type and schema, or as bus.Raw. So what subscribes to
// vm.state.running hears of other servers' VMs too, bills included: InwardOptions.Types says what is wanted, and Header.Source whose it is.
//
// # Once
//
// An event is recorded once, however often it is delivered: its id is stored in the transaction that records it, and compared for InwardOptions.Remember.
//
// # Never sent back
//
// What came in is never sent out by a Bridge of any server on this database, and events of the servers on this database are refused when they come back.
// Each server needs a source of its own for that; two with the same one take nothing of each other.
//
// # What is no event
//
// It is refused: acknowledged for good, counted, logged, and kept with its bytes in a table of the newest thousand, which Health points to until it is emptied over HTTP:
// GET /v1/inward/<name>/refused, DELETE /v1/inward/<name>/refused/<n>.
//
// Of several servers on one database one receives at a time.
type Inward struct {
	transport Transport
	options   InwardOptions
	rt        *plugins.Runtime
	log       *slog.Logger
	sources   *sources
	counts    inwardCounts
	used      atomic.Bool
	waiting   atomic.Pointer[error] // why the latest batch couldn't be stored; nil if it could
}

// NewInward returns the plugin that takes what a transport receives. The transport stays the caller's, to be closed after the manager. Errors: *OptionError.
func NewInward(t Transport, o InwardOptions) (*Inward, error) {
	if t == nil {
		return nil, &OptionError{Option: "transport", Reason: "is required"}
	}
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Inward{transport: t, options: o}, nil
}

// Name is "inward_<name>".
func (i *Inward) Name() string { return inwardPrefix + i.options.Name }

// Init prepares the tables and routes; it doesn't wait for the broker. Errors: plugins.ErrNoDatabase, ErrForeignSource, ErrUsed, those of the journal.
func (i *Inward) Init(ctx context.Context, rt *plugins.Runtime) error {
	if !i.used.CompareAndSwap(false, true) {
		return ErrUsed
	}
	if rt.Journal() == nil {
		return plugins.ErrNoDatabase
	}
	i.rt, i.log = rt, rt.Logger()
	i.counts.publish(rt.Metrics())
	var err error
	if i.sources, err = openSources(ctx, rt); err != nil {
		return err
	}
	if err := i.begin(ctx); err != nil {
		return err
	}
	return errors.Join(
		rt.Handle("GET /v1/inward/"+i.options.Name+"/refused", i.listRefused()),
		rt.Handle("DELETE /v1/inward/"+i.options.Name+"/refused/{n}", i.deleteRefused()),
	)
}

// Subscribe begins to receive, when all plugins have registered their types.
func (i *Inward) Subscribe(*bus.Client) error {
	i.rt.Go("receive", i.run)
	return nil
}

// Close does nothing: what receives has ended.
func (i *Inward) Close(context.Context) error { return nil }

// run receives whenever this server has the lease, until ctx ends or the transport says that waiting won't help.
func (i *Inward) run(ctx context.Context) error {
	for {
		lost, release, err := i.lease(ctx)
		if err != nil {
			return err
		}
		held, end := until(ctx, lost)
		err = i.transport.Receive(held, i.options.Inlet, i.take)
		over := held.Err() == nil // it ended by itself
		end()
		release()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case over:
			return fmt.Errorf("bridge: %s: %w", i.Name(), err)
		}
		i.log.Warn("another server receives now", "inlet", i.options.Inlet.Durable)
	}
}

// until is ctx, but ends when lost is closed too. end is to be called.
func until(ctx context.Context, lost <-chan struct{}) (held context.Context, end func()) {
	held, cancel := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-lost:
			cancel()
		case <-held.Done():
		}
	})
	return held, func() { cancel(); watch.Wait() }
}

// lease waits until this server may receive. lost is nil on a database that isn't shared. A database that is away is waited for.
func (i *Inward) lease(ctx context.Context) (lost <-chan struct{}, release func(), err error) {
	for attempt := 0; ; attempt++ {
		l, err := i.rt.Journal().Lease(ctx, i.Name(), nil)
		switch {
		case err == nil && l == nil:
			return nil, func() {}, nil
		case err == nil:
			return l.Lost(), func() {
				ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
				defer cancel()
				if err := l.Release(ctx); err != nil {
					i.log.Warn("lease not given back; it expires", "error", err)
				}
			}, nil
		case ctx.Err() != nil:
			return nil, nil, ctx.Err()
		case !errors.Is(err, bus.ErrOutage):
			return nil, nil, fmt.Errorf("bridge: lease of %s: %w", i.Name(), err)
		}
		if err := sleep(ctx, backoff(attempt)); err != nil {
			return nil, nil, err
		}
	}
}

// Health says what is wrong with the transport, that what came waits for the database, or that something was refused (*RefusedError).
func (i *Inward) Health(ctx context.Context) error {
	var waits error
	if err := i.waiting.Load(); err != nil {
		waits = fmt.Errorf("bridge: letters wait for the database: %w", *err)
	}
	return errors.Join(i.transport.Health(ctx), waits, i.refusedHealth(ctx))
}

var (
	_ plugins.Plugin   = (*Inward)(nil)
	_ plugins.Healther = (*Inward)(nil)
)
