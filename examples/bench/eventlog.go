package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/plugins/eventlog"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
)

// smallLog is how many events the log has that large ones are compared with.
const smallLog = 10_000

// eventLogs compares what is asked of an event log with very many events with the same of one with few, and durable moves beside the log with moves without it.
func (b *bench) eventLogs() (err error) {
	dir, err := os.MkdirTemp("", "cloudbus-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	keep := cmp.Or(b.logs, dir)
	if err := b.besideLog(dir); err != nil {
		return err
	}
	if err := b.compareFilling(dir); err != nil {
		return err
	}
	logs := make([]*eventLog, 2)
	for i, n := range []int{smallLog, b.logged} {
		if logs[i], err = b.fillLog(keep, n); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, logs[i].close()) }()
	}
	for _, ask := range questions {
		repeat := func(l *eventLog) func() ([]float64, error) {
			return func() ([]float64, error) {
				n, begun, worked := 0, time.Now(), cpuTime()
				for ; time.Since(begun) < 4*b.slice; n++ {
					if err := ask.do(l); err != nil {
						return nil, err
					}
				}
				each := func(d time.Duration) float64 { return d.Seconds() * 1e6 / float64(n) }
				return []float64{each(time.Since(begun)), each(cpuTime() - worked)}, nil
			}
		}
		err := b.hold(contest{name: ask.name, unit: "µs", figures: []string{"time", "processor"}, contenders: []contender{
			{name: "ours", run: repeat(logs[1])},
			{name: fmt.Sprintf("ours, of %d instead of %d events", smallLog, b.logged), run: repeat(logs[0]), bars: []bar{atMost(2), atMost(2)}},
		}})
		if err != nil {
			return err
		}
	}
	return nil
}

// eventLog is a log with many events.
type eventLog struct {
	store   *gormstore.Store
	bus     *bus.Bus
	manager *plugins.Manager
	log     *eventlog.Plugin
	n       int
	ctx     context.Context
}

func openLog(path string, n int) (*eventLog, error) {
	quiet := slog.New(slog.DiscardHandler)
	l := &eventLog{n: n, ctx: context.Background()}
	var err error
	if l.store, err = sqlite.Open(path, sqlite.Options{Logger: quiet}); err != nil {
		return nil, err
	}
	l.bus = bus.New(bus.Options{Journal: l.store.Journal(), Source: source, Logger: quiet})
	l.log, l.manager, err = startLog(l.ctx, l.bus)
	return l, err
}

func startLog(ctx context.Context, b *bus.Bus) (*eventlog.Plugin, *plugins.Manager, error) {
	p := eventlog.New(eventlog.Options{})
	m, err := plugins.NewManager(plugins.Options{Bus: b, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, nil, err
	}
	return p, m, errors.Join(m.Add(p, plugins.Required()), m.Start(ctx))
}

func (l *eventLog) close() error {
	return errors.Join(l.manager.Close(l.ctx), l.bus.Close(l.ctx), l.store.Close(l.ctx))
}

// besideLog moves resources with a log beside them, and without one.
func (b *bench) besideLog(dir string) (err error) {
	path := filepath.Join(dir, "beside.db")
	b.say(fmt.Sprintf("a database of %d resources", b.resources))
	if err := fill(path, b.resources, few); err != nil {
		return err
	}
	f, err := openFleet(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	ids := make([]string, b.resources)
	for i := range ids {
		ids[i] = idleID(i)
	}
	f.take(ids)
	for name, callers := range map[string]int{"64 callers": callers, "one caller": 1} {
		undisturbed := func() ([]float64, error) { return drive(unsettled{f}, callers, len(f.ids), 16*b.slice) }
		err := b.hold(contest{name: "durable move, " + name + ", beside the event log", unit: "µs", contenders: []contender{
			{name: "ours", run: func() ([]float64, error) {
				_, m, err := startLog(f.ctx, f.bus)
				if err != nil {
					return nil, err
				}
				if err := f.bus.Flush(f.ctx); err != nil {
					return nil, err
				}
				figures, err := undisturbed()
				return figures, errors.Join(err, m.Close(f.ctx))
			}},
			{name: "ours, undisturbed", run: undisturbed, bars: []bar{atMost(2)}},
		}})
		if err != nil {
			return err
		}
	}
	return nil
}
