package status_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge/natsbridge"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/nats-io/nats-server/v2/server"
)

const (
	childDatabase = "CLOUDBUS_STATUS_DATABASE"
	childBroker   = "CLOUDBUS_STATUS_BROKER"
)

// connect has a site receive from a NATS server elsewhere.
func (s *site) connect(url string) {
	s.t.Helper()
	transport, err := natsbridge.NewTransport(natsbridge.TransportOptions{URL: url, Logger: quiet, AckWait: 500 * time.Millisecond})
	s.must(err)
	s.transport = transport
	s.t.Cleanup(func() {
		s.stop()
		if err := transport.Close(context.Background()); err != nil {
			s.t.Error(err)
		}
	})
}

// TestKilledServer is the server of TestAKillLosesNothing, which takes reports until it is killed.
func TestKilledServer(t *testing.T) {
	if os.Getenv(childDatabase) == "" {
		t.Skip("this is the other process of TestAKillLosesNothing")
	}
	s := newSite(t)
	s.path = os.Getenv(childDatabase)
	s.connect(os.Getenv(childBroker))
	s.start()
	for last := uint64(0); ; {
		s.until("there is progress", func() bool { return done(s.ingest.Stats()) > last })
		last = done(s.ingest.Stats())
		fmt.Println("taken", last)
	}
}

// TestAKillLosesNothing kills a server in the middle of its work again and again: each report moves its VM once, in order.
func TestAKillLosesNothing(t *testing.T) {
	broker, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	broker.Start()
	t.Cleanup(func() {
		broker.Shutdown()
		broker.WaitForShutdown()
	})
	if !broker.ReadyForConnections(10 * time.Second) {
		t.Fatal("the NATS server doesn't start")
	}
	const vms, each = 20, 100
	s := newSite(t)
	s.path = filepath.Join(t.TempDir(), "test.db")
	s.connect(broker.ClientURL())
	s.start()
	for n := range vms {
		s.vm(fmt.Sprintf("v%02d", n))
	}
	s.stop()
	for n := range each {
		for v := range vms {
			s.must(s.transport.Publish(t.Context(), s.say(n, fmt.Sprintf("v%02d", v), []string{"RUNNING", "STOPPED"}[n%2])))
		}
	}
	for range 4 {
		killedServer(t, s.path, broker.ClientURL())
	}
	s.start()
	s.until("the rest is taken", func() bool {
		for v := range vms {
			if got, err := s.ingest.Observed(t.Context(), "vm", fmt.Sprintf("v%02d", v)); err != nil || got.Status != "STOPPED" || !got.Time.Equal(s.clock.now().Add((each-1)*time.Millisecond)) {
				return false
			}
		}
		return true
	})
	for v := range vms {
		id := fmt.Sprintf("v%02d", v)
		records, err := s.store.Writer().Query(t.Context(), journal.Query{Kind: "vm", ResourceID: id, Type: "vm.state.>", Limit: 1000})
		s.must(err)
		var moves []string
		for _, r := range records {
			moves = append(moves, strings.TrimPrefix(r.Type, "vm.state."))
		}
		if want := slices.Repeat([]string{"running", "stopped"}, each/2); !slices.Equal(moves, want) {
			t.Errorf("%s has moved %d times, want %d: %q", id, len(moves), len(want), moves)
		}
		records, err = s.store.Writer().Query(t.Context(), journal.Query{Kind: "vm", ResourceID: id, Type: "status.vm.observed", Limit: 1000})
		if err != nil || len(records) != each {
			t.Errorf("%s has %d observations, want %d, %v", id, len(records), each, err)
		}
	}
}

// killedServer runs a server until it has taken some reports, and kills it.
func killedServer(t *testing.T, database, broker string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledServer$", "-test.timeout=1m")
	cmd.Env = append(os.Environ(), childDatabase+"="+database, childBroker+"="+broker)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for left := 1 + rand.IntN(4); left > 0 && lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "taken") {
			left--
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
}
