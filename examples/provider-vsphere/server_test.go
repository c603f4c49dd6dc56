package main

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge/natsbridge"
	"github.com/cloudbus-go/cloudbus/bridge/status"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"github.com/nats-io/nats-server/v2/server"
)

var quiet = slog.New(slog.DiscardHandler)

// site is a NATS server and a management server with a database, which takes what providers report.
type site struct {
	t         *testing.T
	nats      *server.Server
	transport *natsbridge.Transport
	store     *gormstore.Store
	bus       *bus.Bus
	vms       *resources.Kind[vm.VM]
	ingest    *status.Ingest
	manager   *plugins.Manager
	observed  chan resources.Observed // what the journal says, in its order
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, observed: make(chan resources.Observed, 1000)}
	s.startNATS()
	var err error
	s.store, err = sqlite.Open(filepath.Join(t.TempDir(), "cloud.db"), sqlite.Options{Logger: quiet})
	s.must(err)
	s.bus = bus.New(bus.Options{Logger: quiet, Source: "test/server", Journal: s.store.Journal()})
	s.transport = s.connect("server")
	s.ingest, err = status.NewIngest(status.IngestOptions{Transport: s.transport})
	s.must(err)
	engine, err := resources.New(resources.Options{Store: s.store, Bus: s.bus, Logger: quiet, Listeners: []resources.Listener{listeners.Post(), s.ingest.Listener()}})
	s.must(err)
	s.vms, err = resources.Register[vm.VM](engine, vm.Machine)
	s.must(err)
	s.ingest.Use(engine)
	s.manager, err = plugins.NewManager(plugins.Options{Bus: s.bus, Logger: quiet})
	s.must(err)
	s.must(s.manager.Add(s.ingest, plugins.Required()))
	s.must(s.manager.Start(context.Background()))
	_, err = bus.Subscribe(s.bus.Client("test"), func(_ context.Context, e bus.Event[resources.Observed]) error {
		s.observed <- e.Payload
		return nil
	})
	s.must(err)
	t.Cleanup(s.stop)
	return s
}

func (s *site) startNATS() {
	s.t.Helper()
	var err error
	s.nats, err = server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: s.t.TempDir(), NoLog: true, NoSigs: true})
	s.must(err)
	s.nats.Start()
	if !s.nats.ReadyForConnections(10 * time.Second) {
		s.t.Fatal("the NATS server doesn't start")
	}
}

func (s *site) connect(name string) *natsbridge.Transport {
	s.t.Helper()
	transport, err := natsbridge.NewTransport(natsbridge.TransportOptions{URL: s.nats.ClientURL(), Name: name, Logger: quiet})
	s.must(err)
	return transport
}

func (s *site) stop() {
	ctx := context.Background()
	s.must(errors.Join(s.manager.Close(ctx), s.bus.Close(ctx), s.transport.Close(ctx), s.store.Close(ctx)))
	s.nats.Shutdown()
	s.nats.WaitForShutdown()
}

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// expect waits until the server has observed a status of a resource, prints what it observes on the way, and returns the observation and the server's own resource.
func (s *site) expect(id string, want status.Status) (status.Seen, *vm.VM) {
	s.t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		select {
		case o := <-s.observed:
			s.t.Logf("server     vm/%.8s  %-12s  raw %-28q  own state %-8s version %d", o.ResourceID, o.Status, o.Raw, o.State, o.Version)
			if o.ResourceID == id && o.Status == string(want) {
				seen, err := s.ingest.Observed(s.t.Context(), vm.Kind, id)
				s.must(err)
				mine, err := s.vms.Get(s.t.Context(), id)
				s.must(err)
				return seen, mine
			}
		case <-timeout:
			s.t.Fatalf("the server has not observed %s of vm/%s", want, id)
		}
	}
}
