package natsbridge_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/natsbridge"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

var discard = slog.New(slog.DiscardHandler)

// broker is an embedded NATS server that can go and come back, with the same port and store.
type broker struct {
	t       testing.TB
	options server.Options
	server  *server.Server
}

// newBroker prepares a broker; start starts it.
func newBroker(t testing.TB, change ...func(*server.Options)) *broker {
	t.Helper()
	b := &broker{t: t, options: server.Options{
		Host: "127.0.0.1", Port: freePort(t), JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true,
	}}
	for _, c := range change {
		c(&b.options)
	}
	t.Cleanup(b.stop)
	return b
}

// freePort returns a port of this machine that nobody listens on.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func (b *broker) start() *broker {
	b.t.Helper()
	options := b.options
	s, err := server.NewServer(&options)
	must(b.t, err)
	b.server = s
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		b.t.Fatal("the NATS server doesn't start")
	}
	return b
}

func (b *broker) stop() {
	if b.server != nil {
		b.server.Shutdown()
		b.server.WaitForShutdown()
		b.server = nil
	}
}

func (b *broker) url() string { return fmt.Sprintf("nats://127.0.0.1:%d", b.options.Port) }

// jetStream connects a client of the test's own.
func (b *broker) jetStream(options ...nats.Option) jetstream.JetStream {
	b.t.Helper()
	conn, err := nats.Connect(b.url(), options...)
	must(b.t, err)
	b.t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	must(b.t, err)
	return js
}

// messages reads all that is in the stream, in order.
func (b *broker) messages() []*jetstream.RawStreamMsg {
	b.t.Helper()
	return b.messagesOf("cloudbus")
}

func (b *broker) messagesOf(name string) []*jetstream.RawStreamMsg {
	b.t.Helper()
	stream, err := b.jetStream().Stream(b.t.Context(), name)
	must(b.t, err)
	state := stream.CachedInfo().State
	var all []*jetstream.RawStreamMsg
	for seq := state.FirstSeq; seq <= state.LastSeq; seq++ {
		m, err := stream.GetMsg(b.t.Context(), seq)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue // replaced
		}
		must(b.t, err)
		all = append(all, m)
	}
	return all
}

// house is a management server: a database, a bus, the VMs and a bridge to NATS.
type house struct {
	t       *testing.T
	store   *gormstore.Store
	bus     *bus.Bus
	vms     *resources.Kind[vm.VM]
	manager *plugins.Manager
	bridge  *bridge.Bridge
	sink    *natsbridge.Sink
	closed  bool
}

// newHouse starts one on a database: the file of SQLite's, or the DSN of PostgreSQL's.
func newHouse(t *testing.T, database string, o natsbridge.Options) *house {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	h := &house{t: t}
	var err error
	if strings.HasPrefix(database, "postgres") {
		h.store, err = postgres.Open(database, postgres.Options{Logger: log, Lease: time.Second})
	} else {
		h.store, err = sqlite.Open(database, sqlite.Options{Logger: log})
	}
	must(t, err)
	h.bus = bus.New(bus.Options{Logger: log, Source: "cloudbus/test", Journal: h.store.Journal()})
	engine, err := resources.New(resources.Options{Store: h.store, Bus: h.bus, Logger: log, Listeners: []resources.Listener{listeners.Post()}})
	must(t, err)
	h.vms, err = resources.Register[vm.VM](engine, vm.Machine)
	must(t, err)
	h.sink, err = natsbridge.New(o)
	must(t, err)
	out := bridge.Options{Types: []string{"vm.>"}}
	if o.State {
		out.State, out.Engine = true, engine
	}
	h.bridge, err = bridge.New(h.sink, out)
	must(t, err)
	h.manager, err = plugins.NewManager(plugins.Options{Bus: h.bus, Logger: log})
	must(t, err)
	must(t, h.manager.Add(h.bridge, plugins.Required()))
	began := time.Now()
	must(t, h.manager.Start(t.Context()))
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("the start took %v: it waited for the broker", took)
	}
	t.Cleanup(h.close)
	return h
}

// close shuts the house down in order.
func (h *house) close() {
	if h.closed {
		return
	}
	h.closed = true
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := errors.Join(h.manager.Close(ctx), h.bus.Close(ctx), h.store.Close(ctx))
	if err != nil {
		h.t.Errorf("close: %v", err)
	}
}

func (h *house) create(tenant string) *vm.VM {
	h.t.Helper()
	v, err := h.vms.Create(h.t.Context(), vm.VM{Object: resources.Object{Tenant: tenant, Name: "web"}})
	must(h.t, err)
	return v
}

// cycle is a start and a stop: four events.
var cycle = []fsm.Trigger{vm.StartRequested, vm.OperationSucceeded, vm.StopRequested, vm.OperationSucceeded}

func (h *house) fire(id string, triggers ...fsm.Trigger) {
	h.t.Helper()
	for _, on := range triggers {
		if _, err := h.vms.Fire(h.t.Context(), id, on); err != nil {
			h.t.Fatal(err)
		}
	}
}

// published is nil when exactly n events of VMs are in the stream.
func (h *house) published(n uint64) func() error {
	return func() error {
		got, err := h.sink.Published(h.t.Context(), "cloudbus.*.vm.>")
		if err == nil && got != n {
			err = fmt.Errorf("%d messages are in the stream, want %d; the bridge's health is %v", got, n, h.bridge.Health(h.t.Context()))
		}
		return err
	}
}

func database(t *testing.T) string { return filepath.Join(t.TempDir(), "cloudbus.db") }

// eventually waits until ok returns nil.
func eventually(t *testing.T, ok func() error) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ok()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not in time: %v", err)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
