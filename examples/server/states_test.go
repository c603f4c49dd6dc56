package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// TestStatesAreListedThenFollowedOverNATSAlone is the way of a consumer with nats.go and nothing else, beside a server that is stopped, killed and started again.
func TestStatesAreListedThenFollowedOverNATSAlone(t *testing.T) {
	broker, err := startBroker(t.TempDir(), "127.0.0.1:0", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer stopBroker(broker)
	defer http.DefaultClient.CloseIdleConnections()
	data := t.TempDir()
	start := func(more ...string) *process {
		return startProcess(t, append([]string{"-data", data, "-nats", "nats://" + broker.Addr().String(), "-operation-time", "0s", "-fail-rate", "0", "-log", "error"}, more...)...)
	}
	fire := func(p *process, id, trigger string) {
		t.Helper()
		p.request("POST", "/v1/resources/vm/"+id+"/fire", fmt.Sprintf(`{"trigger":%q}`, trigger))
	}

	before := start() // nobody wants states yet
	before.request("POST", "/v1/resources/vm", `{"id":"old","tenant":"acme"}`)
	before.request("POST", "/v1/resources/vm", `{"id":"gone","tenant":"acme"}`)
	fire(before, "gone", "expunge_requested")
	before.is("gone", "expunged")
	before.stop()

	p := start("-states")
	p.request("POST", "/v1/resources/vm", `{"id":"web1","tenant":"acme"}`)
	p.request("POST", "/v1/resources/vm", `{"id":"web.2"}`)
	p.request("POST", "/v1/resources/volume", `{"id":"disk1","tenant":"acme"}`)
	c := consumeStates(t, broker.Addr().String())
	c.until(map[string]string{"acme.vm.old": "stopped", "acme.vm.gone": "expunged", "acme.vm.web1": "stopped", "_.vm.web=2E2": "stopped", "acme.volume.disk1": p.state("volume", "disk1")})
	fire(p, "web1", "start_requested")
	fire(p, "old", "expunge_requested")
	c.until(map[string]string{"acme.vm.old": "expunged", "acme.vm.web1": "running"})
	p.request("PATCH", "/v1/resources/vm/web1", `{"hostname":"www"}`)
	c.last(p, "web1")
	fire(p, "web1", "pause_requested")
	p.is("web1", "paused") // what is acknowledged has yet to be published
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.cmd.Wait() // killed
	http.DefaultClient.CloseIdleConnections()

	p = start("-states", "-purge", "1ns")
	c.until(map[string]string{"acme.vm.web1": "paused", "acme.vm.old": removed, "acme.vm.gone": removed})
	c.last(p, "web1")
	p.stop()
	p = start() // what happens while states aren't kept is made good when they are again
	fire(p, "web1", "resume_requested")
	p.is("web1", "running")
	p.request("POST", "/v1/resources/vm", `{"id":"gone","tenant":"acme"}`)
	p.stop()
	p = start("-states")
	want := map[string]string{"acme.vm.web1": "running", "acme.vm.old": removed, "acme.vm.gone": "stopped", "_.vm.web=2E2": "stopped", "acme.volume.disk1": p.state("volume", "disk1")}
	c.until(want)
	if !maps.Equal(c.states, want) {
		t.Errorf("who followed knows %v, want %v", c.states, want)
	}
	late := consumeStates(t, broker.Addr().String())
	late.until(want)
	if !maps.Equal(late.states, want) || late.messages != len(want) {
		t.Errorf("who lists now gets %v in %d messages, want %v, one each", late.states, late.messages, want)
	}
	p.stop()
}

// The broker inside the server is killed with it.
func TestStatesOutliveAKilledServerAndItsBroker(t *testing.T) {
	defer http.DefaultClient.CloseIdleConnections()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	start := func() *process {
		return startProcess(t, "-data", data, "-nats-listen", address, "-states", "-operation-time", "0s", "-fail-rate", "0", "-log", "error")
	}
	want := map[string]string{}
	for round := range 3 {
		p := start()
		for n := range 20 {
			id := fmt.Sprintf("web-%d-%d", round, n)
			p.request("POST", "/v1/resources/vm", fmt.Sprintf(`{"id":%q,"tenant":"acme"}`, id))
			want["acme.vm."+id] = "stopped"
		}
		if err := p.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = p.cmd.Wait() // killed
		http.DefaultClient.CloseIdleConnections()
	}
	p := start()
	consumeStates(t, address).until(want)
	p.stop()
}

func (p *process) state(kind, id string) string {
	p.t.Helper()
	state, _ := p.request("GET", "/v1/resources/"+kind+"/"+id, "")["state"].(string)
	return state
}

// is waits until a VM is in a state.
func (p *process) is(id, state string) {
	p.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); p.state("vm", id) != state; <-time.After(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatalf("vm/%s isn't %s", id, state)
		}
	}
}

// removed stands for the state of what is gone.
const removed = "removed"

// stateConsumer reads the stream of states from its beginning.
type stateConsumer struct {
	t        *testing.T
	consumer jetstream.Consumer
	states   map[string]string // by tenant, kind and id, as subjects have them
	versions map[string]float64
	messages int
}

func consumeStates(t *testing.T, broker string) *stateConsumer {
	t.Helper()
	conn, err := nats.Connect("nats://" + broker)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	c := &stateConsumer{t: t, states: map[string]string{}, versions: map[string]float64{}}
	for deadline := time.Now().Add(30 * time.Second); c.consumer == nil; <-time.After(5 * time.Millisecond) {
		if c.consumer, err = js.OrderedConsumer(t.Context(), "cloudbus-state", jetstream.OrderedConsumerConfig{}); err != nil && time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	return c
}

// until reads until the states are those of want, and maybe others.
func (c *stateConsumer) until(want map[string]string) {
	c.t.Helper()
	for !c.knows(want) {
		c.next(want)
	}
}

func (c *stateConsumer) knows(want map[string]string) bool {
	for subject, state := range want {
		if c.states[subject] != state {
			return false
		}
	}
	return true
}

// last reads until what it knows of a VM is what the server has.
func (c *stateConsumer) last(p *process, id string) {
	c.t.Helper()
	want, _ := p.request("GET", "/v1/resources/vm/"+id, "")["version"].(float64)
	for c.versions["acme.vm."+id] != want {
		c.next(want)
	}
}

// next takes a message; no resource goes back to an older version unless it was made anew.
func (c *stateConsumer) next(want any) {
	c.t.Helper()
	m, err := c.consumer.Next(jetstream.FetchMaxWait(30 * time.Second))
	if err != nil {
		c.t.Fatalf("%v; it knows %v, want %v", err, c.states, want)
	}
	c.messages++
	var event struct {
		Type string
		Data struct {
			Resource struct {
				ID, State string
				Version   float64
			}
		}
	}
	if err := json.Unmarshal(m.Data(), &event); err != nil {
		c.t.Fatalf("%s: %v in %s", m.Subject(), err, m.Data())
	}
	subject, state, version := strings.TrimPrefix(m.Subject(), "cloudbus-state."), event.Data.Resource.State, event.Data.Resource.Version
	if version < c.versions[subject] && c.states[subject] != removed {
		c.t.Errorf("%s goes from version %v back to %v", subject, c.versions[subject], version)
	}
	if strings.HasSuffix(event.Type, ".removed") {
		state = removed
	}
	c.states[subject], c.versions[subject] = state, version
}
