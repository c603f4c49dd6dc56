package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/natsbridge"
	"github.com/cloudbus-go/cloudbus/bridge/schema"
	"github.com/cloudbus-go/cloudbus/bridge/status"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/listeners/metrics"
	"github.com/cloudbus-go/cloudbus/listeners/trace"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/plugins/alerts"
	"github.com/cloudbus-go/cloudbus/plugins/cascade"
	"github.com/cloudbus-go/cloudbus/plugins/eventlog"
	"github.com/cloudbus-go/cloudbus/plugins/usage"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/all"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/hostadmin"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// closePatience is how long each part of the server may take to end.
const closePatience = 20 * time.Second

// server is everything that runs.
type server struct {
	cfg     config
	log     *slog.Logger
	store   *gormstore.Store
	journal *journal.Journal
	bus     *bus.Bus
	engine  *resources.Engine
	vms     *resources.Kind[vm.VM]
	metrics *metrics.Metrics
	plugins *plugins.Manager
	usage   *usage.Plugin
	guard   *cascade.Guard
	address natsbridge.Options // where the broker is
	sink    *natsbridge.Sink
	carrier *natsbridge.Transport // of what providers report
	reports *status.Ingest
	mux     *http.ServeMux

	brokerURL string // where other clients reach the embedded broker; "": nowhere

	closers []closer // of what is up, in the order in which it came up
}

type closer struct {
	what  string
	close func(context.Context) error
}

// build brings everything up that is needed whether or not the server serves. What is up is to be closed, even after an error.
// Extra listeners come after the server's own.
func build(ctx context.Context, cfg config, log *slog.Logger, extra ...resources.Listener) (*server, error) {
	s := &server{cfg: cfg, log: log, mux: http.NewServeMux()}

	// The state.
	store, err := openStore(cfg, log)
	if err != nil {
		return s, err
	}
	s.onClose("store", store.Close)
	s.store, s.journal = store, store.Writer()

	// The broker: to publish to, and to hear from providers.
	if err := s.connect(); err != nil {
		return s, err
	}

	// The news, and the engine that makes them.
	s.bus = bus.New(bus.Options{Logger: log, Journal: s.journal, Around: trace.Around(tracing)})
	s.onClose("bus", s.bus.Close)
	refusals := listeners.NewRefusals(store, listeners.RefusalOptions{Logger: log})
	s.onClose("refusals", refusals.Close)
	if err := s.measure(); err != nil {
		return s, err
	}
	if s.guard, err = cascade.NewGuard(cascade.DefaultForbids()...); err != nil {
		return s, err
	}
	s.engine, err = resources.New(resources.Options{
		Store: store, Bus: s.bus, Logger: log,
		Listeners: append([]resources.Listener{trace.New(tracing), listeners.Post(), s.guard, hostadmin.Guard(), s.audit(), s.metrics, refusals, s.reports.Listener()}, extra...),
	})
	if err != nil {
		return s, err
	}
	s.reports.Use(s.engine)
	if err := s.register(); err != nil {
		return s, err
	}
	if err := s.metrics.Watch(s.engine); err != nil {
		return s, err
	}

	// The guests: usage, alerts, the event log, consequences, reports of providers, and the bridge to the broker.
	return s, s.invite(ctx)
}

// audit logs who did what. A replay reports so much that it would drown everything else.
func (s *server) audit() resources.Listener {
	o := listeners.AuditOptions{Logger: s.log}
	if s.cfg.replay != "" {
		o.Changes = slog.LevelDebug
	}
	return listeners.Audit(o)
}

// register adds the kinds.
func (s *server) register() error {
	var keep []resources.KindOption
	if s.cfg.purge > 0 {
		keep = append(keep, resources.PurgeAfter(s.cfg.purge))
	}
	var err error
	if s.vms, err = resources.Register[vm.VM](s.engine, vm.Machine, keep...); err != nil {
		return err
	}
	return all.Register(s.engine, keep...)
}

// watch has the engine report what is stuck, and purge, until the server closes.
func (s *server) watch() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.engine.Run(ctx) }()
	s.onClose("engine", func(context.Context) error { cancel(); return <-ended })
}

// connect makes what publishes to the broker and what hears from it, with a broker of our own unless there is another.
func (s *server) connect() error {
	o, in := natsbridge.Options{URL: s.cfg.natsURL}, natsbridge.TransportOptions{URL: s.cfg.natsURL, Logger: s.log}
	if s.cfg.natsURL == "" {
		broker, err := startBroker(filepath.Join(s.cfg.data, "jetstream"), s.cfg.natsListen, s.log)
		if err != nil {
			return err
		}
		s.onClose("broker", func(context.Context) error { stopBroker(broker); return nil })
		o.InProcess, in.InProcess = broker, broker
		if s.cfg.natsListen != "" {
			s.brokerURL = "nats://" + broker.Addr().String()
		}
	}
	var err error
	s.address = o
	if s.sink, err = natsbridge.New(o); err != nil {
		return err
	}
	if s.carrier, err = natsbridge.NewTransport(in); err != nil {
		return err
	}
	s.onClose("transport", s.carrier.Close)
	s.reports, err = status.NewIngest(status.IngestOptions{Transport: s.carrier})
	return err
}

// invite starts the plugins.
func (s *server) invite(ctx context.Context) error {
	relays, err := s.relays()
	if err != nil {
		return err
	}
	rules, err := s.rules()
	if err != nil {
		return fmt.Errorf("-alerts: %w", err)
	}
	s.usage = usage.New(usage.Options{Engine: s.engine})
	s.plugins, err = plugins.NewManager(plugins.Options{Bus: s.bus, Logger: s.log, Mux: s.mux})
	if err != nil {
		return err
	}
	s.onClose("plugins", s.plugins.Close)
	if err := s.metrics.WatchPlugins(s.plugins.Metrics()); err != nil {
		return err
	}
	guests := []plugins.Plugin{
		s.usage, alerts.New(alerts.Options{Rules: rules, Engine: s.engine}), eventlog.New(eventlog.Options{}), cascade.New(s.engine, cascade.Options{Guard: s.guard}), s.reports,
		schema.New(s.engine, schema.Options{}),
	}
	for _, p := range append(guests, relays...) {
		if err := s.plugins.Add(p, plugins.Required()); err != nil {
			return err
		}
	}
	return s.plugins.Start(ctx)
}

// relays returns the bridges: of events, and of states if they are asked for.
func (s *server) relays() ([]plugins.Plugin, error) {
	events, err := bridge.New(s.sink, bridge.Options{Types: s.cfg.bridge, Schemas: s.cfg.schemas})
	if err != nil {
		return nil, fmt.Errorf("-bridge, -schemas: %w", err)
	}
	if !s.cfg.states {
		return []plugins.Plugin{events}, nil
	}
	o := s.address
	o.State = true
	sink, err := natsbridge.New(o)
	if err != nil {
		return nil, err
	}
	states, err := bridge.New(sink, bridge.Options{State: true, Engine: s.engine, Schemas: s.cfg.schemas})
	if err != nil {
		return nil, fmt.Errorf("-states: %w", err)
	}
	return []plugins.Plugin{events, states}, nil
}

// rules reads the rules of alerts; nil: the default ones.
func (s *server) rules() ([]alerts.Rule, error) {
	if s.cfg.alerts == "" {
		return nil, nil
	}
	text, err := os.ReadFile(s.cfg.alerts)
	if err != nil {
		return nil, err
	}
	rules, err := alerts.ParseRules(text, alerts.Kinds(s.engine)...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.cfg.alerts, err)
	}
	return rules, nil
}

func (s *server) onClose(what string, fn func(context.Context) error) {
	s.closers = append(s.closers, closer{what, fn})
}

// close takes down what is up, the newest first. What hasn't been delivered stays in the journal for the next start.
func (s *server) close() error {
	var errs []error
	for i := len(s.closers) - 1; i >= 0; i-- {
		ctx, cancel := context.WithTimeout(context.Background(), closePatience)
		if err := s.closers[i].close(ctx); err != nil {
			errs = append(errs, fmt.Errorf("close %s: %w", s.closers[i].what, err))
		}
		cancel()
	}
	s.closers = nil
	return errors.Join(errs...)
}
