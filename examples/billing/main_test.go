package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
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

// asBilling is set for a process that is to be the program.
const asBilling = "BILLING_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asBilling) != "" {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

func TestItImportsNothingOfOurs(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "main.go", nil, parser.ImportsOnly)
	check(t, err)
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

func TestBadMessageIsSaidAndNotSentAgain(t *testing.T) {
	cloud := newCloud(t)
	cloud.published(t, 0)
	bad := []string{"", "{", `{"specversion":"1.0","id":"1"}`, `{"specversion":"1.0","id":"1","source":"/x","type":"y","data_base64":1}`}
	for i, body := range bad {
		_, err := cloud.js.Publish(t.Context(), "cloudbus.acme.vm.state.stopped", []byte(body), jetstream.WithMsgID(fmt.Sprint(i)))
		check(t, err)
	}
	id := cloud.create(t, "acme")
	cloud.fire(t, id, vm.StartRequested, vm.OperationSucceeded, vm.StopRequested, vm.OperationSucceeded)
	log := cloud.billing(t, func(out *output) {
		out.has(t, id)
		cloud.nothingIsOwed(t)
	})
	if n := strings.Count(log, "no CloudEvent on cloudbus.acme.vm.state.stopped"); n != len(bad) {
		t.Errorf("%d bad messages were said to be bad, want %d:\n%s", n, len(bad), log)
	}
}

func TestItGoesOnAfterARestartOfTheBroker(t *testing.T) {
	cloud := newCloud(t)
	first, second := cloud.create(t, ""), cloud.create(t, "")
	cloud.fire(t, first, vm.StartRequested, vm.OperationSucceeded, vm.StopRequested, vm.OperationSucceeded)
	cloud.published(t, 6)
	cloud.billing(t, func(out *output) {
		out.has(t, first)
		cloud.nothingIsOwed(t)
		cloud.broker.Shutdown()
		cloud.broker.WaitForShutdown()
		cloud.startBroker(t)
		cloud.fire(t, second, vm.StartRequested, vm.OperationSucceeded, vm.StopRequested, vm.OperationSucceeded)
		cloud.published(t, 10)
		out.has(t, first, second)
		cloud.nothingIsOwed(t)
	})
}

// TestWhatEndsItIsSaid also shows that nothing is acknowledged that wasn't printed.
func TestWhatEndsItIsSaid(t *testing.T) {
	cloud := newCloud(t)
	id := cloud.create(t, "")
	cloud.fire(t, id, vm.StartRequested, vm.OperationSucceeded, vm.StopRequested, vm.OperationSucceeded)
	cloud.published(t, 5)
	ends := func(url string, out io.Writer, says string) {
		t.Helper()
		cmd, log := program(t, url, out)
		var exit *exec.ExitError
		if err := cmd.Run(); !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(log.String(), says) {
			t.Errorf("it ended with %v, and said %q, want exit code 1 and %q", err, log, says)
		}
	}
	ends("nats://127.0.0.1:1", nil, "no servers available")

	nobody, full, err := os.Pipe() // that prints are refused
	check(t, err)
	check(t, nobody.Close())
	defer func() { _ = full.Close() }()
	cmd, _ := program(t, cloud.url, full)
	if err := cmd.Run(); err == nil {
		t.Error("it can't print, and ends well")
	}
	consumer, err := cloud.js.Consumer(t.Context(), "cloudbus", "billing")
	check(t, err)
	if i := consumer.CachedInfo(); i.NumAckPending != 1 || i.AckFloor.Stream != 0 {
		t.Errorf("%d unacknowledged, acknowledged to %d: what wasn't printed was acknowledged", i.NumAckPending, i.AckFloor.Stream)
	}

	check(t, cloud.js.DeleteConsumer(t.Context(), "cloudbus", "billing"))
	out := &output{}
	cmd, log := program(t, cloud.url, out)
	check(t, cmd.Start())
	out.has(t, id)
	check(t, cloud.js.DeleteConsumer(t.Context(), "cloudbus", "billing"))
	if err := cmd.Wait(); err == nil || !strings.Contains(log.String(), "consumer deleted") {
		t.Errorf("its consumer was deleted: it ended with %v, and said %q", err, log)
	}

	check(t, cloud.js.DeleteStream(t.Context(), "cloudbus"))
	ends(cloud.url, nil, "stream not found")
}

// cloud is a management server with a bridge to a NATS server.
type cloud struct {
	broker *server.Server
	stored server.Options
	url    string
	js     jetstream.JetStream
	sink   *natsbridge.Sink
	vms    *resources.Kind[vm.VM]
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	c := &cloud{stored: server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true}}
	c.startBroker(t)
	t.Cleanup(func() { c.broker.Shutdown(); c.broker.WaitForShutdown() })
	c.url = c.broker.ClientURL()
	conn, err := nats.Connect(c.url, nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond))
	check(t, err)
	t.Cleanup(conn.Close)
	c.js, err = jetstream.New(conn)
	check(t, err)

	store := memstore.New(memstore.Options{})
	logger := slog.New(slog.DiscardHandler)
	b := bus.New(bus.Options{Logger: logger, Source: "cloudbus/test", Journal: store.Journal()})
	engine, err := resources.New(resources.Options{Store: store, Bus: b, Logger: logger, Listeners: []resources.Listener{listeners.Post()}})
	check(t, err)
	c.vms, err = resources.Register[vm.VM](engine, vm.Machine)
	check(t, err)
	c.sink, err = natsbridge.New(natsbridge.Options{URL: c.url})
	check(t, err)
	relay, err := bridge.New(c.sink, bridge.Options{})
	check(t, err)
	manager, err := plugins.NewManager(plugins.Options{Bus: b, Logger: logger})
	check(t, err)
	check(t, manager.Add(relay, plugins.Required()))
	check(t, manager.Start(t.Context()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		check(t, errors.Join(manager.Close(ctx), b.Close(ctx)))
	})
	return c
}

// startBroker starts it on its port of before.
func (c *cloud) startBroker(t *testing.T) {
	t.Helper()
	o := c.stored
	var err error
	c.broker, err = server.NewServer(&o)
	check(t, err)
	c.broker.Start()
	if !c.broker.ReadyForConnections(10 * time.Second) {
		t.Fatal("the NATS server doesn't start")
	}
	c.stored.Port = c.broker.Addr().(*net.TCPAddr).Port
}

func (c *cloud) create(t *testing.T, tenant string) (id string) {
	t.Helper()
	v, err := c.vms.Create(t.Context(), vm.VM{Object: resources.Object{Tenant: tenant}})
	check(t, err)
	return v.ID
}

func (c *cloud) fire(t *testing.T, id string, triggers ...fsm.Trigger) {
	t.Helper()
	for _, on := range triggers {
		_, err := c.vms.Fire(t.Context(), id, on)
		check(t, err)
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

// nothingIsOwed waits until billing has had, and acknowledged, each message once.
func (c *cloud) nothingIsOwed(t *testing.T) {
	t.Helper()
	eventually(t, func() error {
		consumer, err := c.js.Consumer(t.Context(), "cloudbus", "billing")
		if err != nil {
			return err
		}
		if i := consumer.CachedInfo(); i.NumAckPending+i.NumRedelivered != 0 || i.NumPending != 0 {
			return fmt.Errorf("%d unacknowledged, %d sent again, %d to come", i.NumAckPending, i.NumRedelivered, i.NumPending)
		}
		return nil
	})
}

// billing runs the program while f looks at what it prints, stops it by a signal, and returns what it logged.
func (c *cloud) billing(t *testing.T, f func(*output)) string {
	t.Helper()
	out := &output{}
	cmd, log := program(t, c.url, out)
	check(t, cmd.Start())
	defer func() { _ = cmd.Process.Kill() }()
	f(out)

	check(t, cmd.Process.Signal(syscall.SIGTERM))
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v, and said %q", err, log)
	}
	return log.String()
}

// program is one that has yet to be started; log is to be read when it has ended.
func program(t *testing.T, url string, out io.Writer) (cmd *exec.Cmd, log *bytes.Buffer) {
	t.Helper()
	log = &bytes.Buffer{}
	cmd = exec.CommandContext(t.Context(), os.Args[0], url)
	cmd.Env = append(os.Environ(), asBilling+"=1")
	cmd.Stdout, cmd.Stderr = out, log
	return cmd, log
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

// has waits until a line is there about each of the instances, and nothing else.
func (o *output) has(t *testing.T, ids ...string) {
	t.Helper()
	want := "^"
	for _, id := range ids {
		want += `instance stopped: ` + id + ` at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \(event [0-9a-f-]{36}\)\n`
	}
	lines := regexp.MustCompile(want + "$")
	eventually(t, func() error {
		o.mu.Lock()
		defer o.mu.Unlock()
		if !lines.MatchString(o.text.String()) {
			return fmt.Errorf("it printed %q, want a line each about %v", o.text.String(), ids)
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

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
