package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/natsbridge"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/plugins/alerts"
	"github.com/cloudbus-go/cloudbus/plugins/usage"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/network"
	"github.com/cloudbus-go/cloudbus/resources/nic"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"github.com/cloudbus-go/cloudbus/resources/volume"
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
	plugins *plugins.Manager
	usage   *usage.Plugin
	sink    *natsbridge.Sink
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

	// The news, and the engine that makes them.
	s.bus = bus.New(bus.Options{Logger: log, Journal: s.journal})
	s.onClose("bus", s.bus.Close)
	s.engine, err = resources.New(resources.Options{
		Store: store, Bus: s.bus, Logger: log,
		Listeners: append([]resources.Listener{listeners.Post(), s.audit()}, extra...),
	})
	if err != nil {
		return s, err
	}
	if err := s.register(); err != nil {
		return s, err
	}

	// The broker, and the guests: usage, alerts, and the bridge to the broker.
	if err := s.connect(); err != nil {
		return s, err
	}
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
	_, err = resources.Register[volume.Volume](s.engine, volume.Machine, keep...)
	_, err2 := resources.Register[nic.NIC](s.engine, nic.Machine, keep...)
	_, err3 := resources.Register[network.Network](s.engine, network.Machine, keep...)
	return errors.Join(err, err2, err3)
}

// watch has the engine report what is stuck, and purge, until the server closes.
func (s *server) watch() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.engine.Run(ctx) }()
	s.onClose("engine", func(context.Context) error { cancel(); return <-ended })
}

// connect makes the sink, with a broker of our own unless there is another.
func (s *server) connect() error {
	o := natsbridge.Options{URL: s.cfg.natsURL}
	if s.cfg.natsURL == "" {
		broker, err := startBroker(filepath.Join(s.cfg.data, "jetstream"), s.cfg.natsListen, s.log)
		if err != nil {
			return err
		}
		s.onClose("broker", func(context.Context) error { stopBroker(broker); return nil })
		if o.InProcess = broker; s.cfg.natsListen != "" {
			s.brokerURL = "nats://" + broker.Addr().String()
		}
	}
	var err error
	s.sink, err = natsbridge.New(o)
	return err
}

// invite starts the plugins.
func (s *server) invite(ctx context.Context) error {
	relay, err := bridge.New(s.sink, bridge.Options{Types: s.cfg.bridge})
	if err != nil {
		return fmt.Errorf("-bridge: %w", err)
	}
	s.usage = usage.New(usage.Options{})
	s.plugins, err = plugins.NewManager(plugins.Options{Bus: s.bus, Logger: s.log, Mux: s.mux})
	if err != nil {
		return err
	}
	s.onClose("plugins", s.plugins.Close)
	for _, p := range []plugins.Plugin{s.usage, alerts.New(alerts.Options{}), relay} {
		if err := s.plugins.Add(p, plugins.Required()); err != nil {
			return err
		}
	}
	return s.plugins.Start(ctx)
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
