package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/listeners/metrics"
	"github.com/cloudbus-go/cloudbus/listeners/trace"
	"github.com/cloudbus-go/cloudbus/resources"
)

// listened compares durable moves that an audit, metrics and traces look at with such as only Post sees.
func (b *bench) listened() (err error) {
	dir, err := os.MkdirTemp("", "cloudbus-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	n := min(b.resources, 10_000)
	b.say(fmt.Sprintf("databases of %d resources", n))
	all, err := observers()
	if err != nil {
		return err
	}
	watched, err := b.populate(filepath.Join(dir, "watched.db"), n, all...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, watched.close()) }()
	plain, err := b.populate(filepath.Join(dir, "plain.db"), n)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, plain.close()) }()
	for _, c := range []struct {
		name    string
		callers int
	}{{"durable move, 64 callers", callers}, {"durable move, one caller alone", 1}} {
		drive := func(name string, f *fleet, bars ...bar) contender {
			return contender{name: name, bars: bars, run: func() ([]float64, error) { return drive(f, c.callers, n, 16*b.slice) }}
		}
		err := b.hold(contest{name: c.name + ", with Post, Audit, metrics and trace", unit: "µs", contenders: []contender{
			drive("ours", watched), drive("ours, with Post alone", plain, atMost(1.1)),
		}})
		if err != nil {
			return err
		}
	}
	return nil
}

// observers are the listeners beside Post, as a server has them: the log's lines are made and thrown away, and no SDK makes spans.
func observers() ([]resources.Listener, error) {
	m, err := metrics.New(metrics.Options{Registerer: prometheus.NewRegistry()})
	if err != nil {
		return nil, err
	}
	audit := listeners.Audit(listeners.AuditOptions{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	return []resources.Listener{trace.New(trace.Options{}), audit, m}, nil
}

// populate makes a fleet of n VMs in a new database.
func (b *bench) populate(path string, n int, more ...resources.Listener) (*fleet, error) {
	f, err := openFleet(path, more...)
	if err != nil {
		return nil, err
	}
	for _, l := range more {
		if m, ok := l.(*metrics.Metrics); ok {
			err = errors.Join(err, m.Watch(f.engine))
		}
	}
	if err = errors.Join(err, f.create(n)); err != nil {
		return nil, errors.Join(err, f.close())
	}
	return f, nil
}
