package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/natsbridge"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/plugins/usage"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// closePatience is how long each part of a cloud may take to end.
const closePatience = 20 * time.Second

// settlePause is how long stored positions may take to follow.
const settlePause = 50 * time.Millisecond

// cloud is the management server in a child.
type cloud struct {
	log     *slog.Logger
	store   *gormstore.Store
	journal *journal.Journal
	bus     *bus.Bus
	vms     *resources.Kind[vm.VM]
	plugins *plugins.Manager
	sink    *natsbridge.Sink
	notes   []*lines
	moods   []*mood

	closers []closer // of what is up, in the order in which it came up
}

type closer struct {
	what  string
	close func(context.Context) error
}

// openCloud brings a cloud up; what is up is to be closed, even after an error. fail is told what a witness sees; strike makes the fault of a name.
func openCloud(ctx context.Context, o orders, log *slog.Logger, fail func(error), strike func(name string, after int64) *fault) (*cloud, error) {
	c := &cloud{log: log}
	store, err := openStore(o, log)
	if err != nil {
		return c, err
	}
	c.onClose("store", store.Close)
	c.store, c.journal = store, store.Writer()
	c.bus = bus.New(bus.Options{Logger: log, Source: "cloudbus/crashtest", Journal: c.journal})
	c.onClose("bus", c.bus.Close)
	engine, err := resources.New(resources.Options{Store: store, Bus: c.bus, Logger: log, Listeners: []resources.Listener{listeners.Post()}})
	if err != nil {
		return c, err
	}
	if c.vms, err = resources.Register[vm.VM](engine, vm.Machine); err != nil {
		return c, err
	}
	if err := c.invite(ctx, o); err != nil {
		return c, err
	}
	return c, c.subscribe(ctx, o, fail, strike)
}

// invite starts the plugins: the ledger and the bridge.
func (c *cloud) invite(ctx context.Context, o orders) error {
	var err error
	if c.sink, err = natsbridge.New(natsbridge.Options{URL: o.NATS}); err != nil {
		return err
	}
	relay, err := bridge.New(c.sink, bridge.Options{Backlog: true})
	if err != nil {
		return err
	}
	if c.plugins, err = plugins.NewManager(plugins.Options{Bus: c.bus, Logger: c.log}); err != nil {
		return err
	}
	c.onClose("plugins", c.plugins.Close)
	for _, p := range []plugins.Plugin{usage.New(usage.Options{}), relay} {
		if err := c.plugins.Add(p, plugins.Required()); err != nil {
			return err
		}
	}
	return c.plugins.Start(ctx)
}

// subscribe starts those who take what they get down, and those who watch.
func (c *cloud) subscribe(ctx context.Context, o orders, fail func(error), strike func(string, int64) *fault) error {
	c.moods = []*mood{{life: o.Life, bad: badForBatches}, {life: o.Life, bad: badForEvents}}
	if err := migrateTally(ctx, c.journal); err != nil {
		return err
	}
	for _, t := range []*tally{
		{name: tallyName, life: o.Life, inject: strike(injectTwice, 2)},
		{name: moodyTallyName, life: o.Life, mood: c.moods[0]},
	} {
		if err := t.subscribe(c.bus); err != nil {
			return err
		}
	}
	for _, n := range []*notebook{
		{name: notebookName, inject: strike(injectOrder, 10)},
		{name: moodyNotebookName, mood: c.moods[1]},
	} {
		var err error
		if n.lines, err = createLines(noteFile(o.Dir, n.name, o.Life)); err != nil {
			return err
		}
		c.notes = append(c.notes, n.lines)
		if err := n.subscribe(c.bus); err != nil {
			return err
		}
	}
	if err := c.operate(o); err != nil {
		return err
	}
	_, last, err := c.journal.Bounds(ctx)
	if err != nil {
		return err
	}
	return (&witness{fail: fail}).subscribe(c.bus.Client("witness"), last)
}

// operate has parked events handled again.
func (c *cloud) operate(o orders) error {
	replays, err := createLines(replayFile(o.Dir, o.Life))
	if err != nil {
		return err
	}
	operator := &operator{bus: c.bus, log: c.log, names: []string{moodyTallyName, moodyNotebookName}, lines: replays}
	operator.start()
	c.onClose("operator", func(context.Context) error { operator.stop(); return replays.close() })
	return nil
}

// settle waits until all subscribers have handled the whole journal, on whichever server they are: their stored positions say so.
func (c *cloud) settle(ctx context.Context) error {
	if err := c.sink.Ready(ctx); err != nil {
		return err
	}
	for _, m := range c.moods {
		m.lifted.Store(true)
	}
	for {
		if err := c.bus.Flush(ctx); err != nil {
			return c.explain(err)
		}
		done, err := c.delivered(ctx)
		if done || err != nil {
			return c.explain(err)
		}
		select {
		case <-time.After(settlePause):
		case <-ctx.Done():
			return c.explain(ctx.Err())
		}
	}
}

// delivered reports whether the positions of all durable subscriptions are at the journal's end, and nothing is parked.
func (c *cloud) delivered(ctx context.Context) (bool, error) {
	cursors, err := c.journal.Cursors(ctx)
	if err != nil {
		return false, err
	}
	_, last, err := c.journal.Bounds(ctx)
	behind := func(cursor journal.Cursor) bool {
		return cursor.Seq < last && !strings.HasSuffix(cursor.Name, bridge.HorizonSuffix)
	}
	if err != nil || slices.ContainsFunc(cursors, behind) {
		return false, err
	}
	parked, err := c.bus.Parked(ctx, bus.ParkedQuery{Limit: 1})
	return len(parked) == 0, err
}

// explain adds to err how far everybody is.
func (c *cloud) explain(err error) error {
	if err == nil {
		return nil
	}
	errs := []error{err}
	for _, s := range c.bus.Inspect().Subscriptions {
		if s.Lag > 0 || s.Err != nil {
			errs = append(errs, fmt.Errorf("%s is %s at %d, %d behind: %w", s.Name, s.State, s.Position, s.Lag, s.Err))
		}
	}
	return errors.Join(errs...)
}

func (c *cloud) onClose(what string, fn func(context.Context) error) {
	c.closers = append(c.closers, closer{what, fn})
}

// close takes down what is up, the newest first.
func (c *cloud) close() error {
	var errs []error
	for i := len(c.closers) - 1; i >= 0; i-- {
		ctx, cancel := context.WithTimeout(context.Background(), closePatience)
		if err := c.closers[i].close(ctx); err != nil {
			errs = append(errs, fmt.Errorf("close %s: %w", c.closers[i].what, err))
		}
		cancel()
	}
	c.closers = nil
	for _, n := range c.notes {
		errs = append(errs, n.close())
	}
	return errors.Join(errs...)
}
