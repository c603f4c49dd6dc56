package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"log"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/natsbridge"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/memstore"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	log.SetOutput(io.Discard)
	goleak.VerifyTestMain(m)
}

func TestItImportsNothingOfOurs(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "main.go", nil, parser.ImportsOnly)
	must(t, err)
	for _, i := range file.Imports {
		if strings.Contains(i.Path.Value, "cloudbus-go") {
			t.Errorf("main.go imports %s", i.Path.Value)
		}
	}
}

func TestStoppedInstancesAreToldOnceAcrossRestarts(t *testing.T) {
	cloud := newCloud(t)
	first, second := cloud.create(t, "acme"), cloud.create(t, "")
	cloud.fire(t, first, vm.StartRequested, vm.OperationSucceeded, vm.StopRequested, vm.OperationSucceeded)
	cloud.published(t, 6)

	cloud.billing(t, func(out *output) { out.has(t, first) })

	cloud.fire(t, second, vm.StartRequested, vm.OperationSucceeded, vm.StopRequested, vm.OperationSucceeded)
	cloud.published(t, 10)
	cloud.billing(t, func(out *output) { out.has(t, second) })
}

func TestBadMessageIsNotSentAgain(t *testing.T) {
	cloud := newCloud(t)
	cloud.published(t, 0)
	for i, bad := range []string{"", "{", `{"specversion":"1.0","id":"1"}`, `{"specversion":"1.0","id":"1","source":"/x","type":"y","data_base64":1}`} {
		_, err := cloud.js.Publish(t.Context(), "cloudbus.acme.vm.state.stopped", []byte(bad), jetstream.WithMsgID(fmt.Sprint(i)))
		must(t, err)
	}
	id := cloud.create(t, "acme")
	cloud.fire(t, id, vm.StartRequested, vm.OperationSucceeded, vm.StopRequested, vm.OperationSucceeded)
	cloud.billing(t, func(out *output) {
		out.has(t, id)
		eventually(t, func() error {
			consumer, err := cloud.js.Consumer(t.Context(), "cloudbus", "billing")
			if err != nil {
				return err
			}
			if i := consumer.CachedInfo(); i.NumAckPending+i.NumRedelivered != 0 || i.NumPending != 0 {
				return fmt.Errorf("%d unacknowledged, %d sent again, %d to come", i.NumAckPending, i.NumRedelivered, i.NumPending)
			}
			return nil
		})
	})
}

// cloud is a management server with a bridge to a NATS server.
type cloud struct {
	url  string
	js   jetstream.JetStream
	sink *natsbridge.Sink
	vms  *resources.Kind[vm.VM]
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	broker, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true})
	must(t, err)
	broker.Start()
	t.Cleanup(func() { broker.Shutdown(); broker.WaitForShutdown() })
	if !broker.ReadyForConnections(10 * time.Second) {
		t.Fatal("the NATS server doesn't start")
	}
	c := &cloud{url: broker.ClientURL()}
	conn, err := nats.Connect(c.url)
	must(t, err)
	t.Cleanup(conn.Close)
	c.js, err = jetstream.New(conn)
	must(t, err)

	store := memstore.New(memstore.Options{})
	logger := slog.New(slog.DiscardHandler)
	b := bus.New(bus.Options{Logger: logger, Source: "cloudbus/test", Journal: store.Journal()})
	engine, err := resources.New(resources.Options{Store: store, Bus: b, Logger: logger, Listeners: []resources.Listener{listeners.Post()}})
	must(t, err)
	c.vms, err = resources.Register[vm.VM](engine, vm.Machine)
	must(t, err)
	c.sink, err = natsbridge.New(natsbridge.Options{URL: c.url})
	must(t, err)
	relay, err := bridge.New(c.sink, bridge.Options{})
	must(t, err)
	manager, err := plugins.NewManager(plugins.Options{Bus: b, Logger: logger})
	must(t, err)
	must(t, manager.Add(relay, plugins.Required()))
	must(t, manager.Start(t.Context()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		must(t, errors.Join(manager.Close(ctx), b.Close(ctx)))
	})
	return c
}

func (c *cloud) create(t *testing.T, tenant string) (id string) {
	t.Helper()
	v, err := c.vms.Create(t.Context(), vm.VM{Object: resources.Object{Tenant: tenant}})
	must(t, err)
	return v.ID
}

func (c *cloud) fire(t *testing.T, id string, triggers ...fsm.Trigger) {
	t.Helper()
	for _, on := range triggers {
		_, err := c.vms.Fire(t.Context(), id, on)
		must(t, err)
	}
}

// published waits until n events are in the stream.
func (c *cloud) published(t *testing.T, n uint64) {
	t.Helper()
	eventually(t, func() error {
		got, err := c.sink.Published(t.Context(), ">")
		if err == nil && got != n {
			err = fmt.Errorf("%d events are in the stream, want %d", got, n)
		}
		return err
	})
}

// billing runs the program while f looks at what it prints.
func (c *cloud) billing(t *testing.T, f func(*output)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out := &output{}
	done := make(chan error, 1)
	go func() { done <- run(ctx, c.url, out) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	}()
	f(out)
}

// output is what the program has printed.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

// has waits until one line is there, about the instance.
func (o *output) has(t *testing.T, id string) {
	t.Helper()
	line := regexp.MustCompile(`^instance stopped: ` + id + ` at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \(event [0-9a-f-]{36}\)\n$`)
	eventually(t, func() error {
		o.mu.Lock()
		defer o.mu.Unlock()
		if !line.MatchString(o.text.String()) {
			return fmt.Errorf("it printed %q, want a line about %s", o.text.String(), id)
		}
		return nil
	})
}

// eventually waits until ok returns nil.
func eventually(t *testing.T, ok func() error) {
	t.Helper()
	deadline := time.After(20 * time.Second)
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

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
