package bridge_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/sinktest"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/memstore"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"github.com/cloudbus-go/cloudbus/resources/volume"
	"pgregory.net/rapid"
)

func TestStateSubjectAndBack(t *testing.T) {
	for want, in := range map[string][3]string{
		"cloudbus-state._.vm.42":                 {"", "vm", "42"},
		"cloudbus-state.acme.public_ip.a-b":      {"acme", "public_ip", "a-b"},
		"cloudbus-state.a=2Eb.vm.=5F":            {"a.b", "vm", "_"},
		"cloudbus-state.=C3=BC.vm.web=201=2F=2A": {"ü", "vm", "web 1/*"},
	} {
		got, err := bridge.StateSubject(in[0], in[1], in[2])
		if err != nil || got != want {
			t.Errorf("StateSubject(%q) = %s, %v, want %s", in, got, err, want)
		}
		tenant, kind, id, err := bridge.ParseStateSubject(want)
		if err != nil || [3]string{tenant, kind, id} != in {
			t.Errorf("ParseStateSubject(%s) = %q %q %q, %v", want, tenant, kind, id, err)
		}
	}
	for _, in := range [][2]string{{"", "1"}, {"a.b", "1"}, {"*", "1"}, {"vm", ""}} {
		if got, err := bridge.StateSubject("", in[0], in[1]); !errors.Is(err, bridge.ErrSubject) {
			t.Errorf("StateSubject(%q) = %s, %v", in, got, err)
		}
	}
	for _, subject := range []string{"", "cloudbus._.vm.1", "cloudbus-state._.vm", "cloudbus-state._.vm.1.2", "cloudbus-state..vm.1", "cloudbus-state._.*.1", "cloudbus-state._.vm._", "cloudbus-state._.vm.a b", "cloudbus-state._.vm.=61"} {
		if _, _, _, err := bridge.ParseStateSubject(subject); !errors.Is(err, bridge.ErrSubject) {
			t.Errorf("ParseStateSubject(%q): %v", subject, err)
		}
	}
}

// TestNewerEndsAtTheNewestState sends what a bridge may send of a resource's life, snapshots in between and repeats, and looks at what is left.
func TestNewerEndsAtTheNewestState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		life := rapid.IntRange(1, 8).Draw(t, "events")
		at := func(n int) bus.Header {
			return bus.Header{Kind: "vm", Type: "vm.updated", Seq: uint64(10 * n), Version: uint64(n), Time: time.Unix(int64(n), 0)}
		}
		var there bus.Header
		send := func(h bus.Header) {
			before := there
			if there.Kind == "" || bridge.Newer(h, there) {
				there = h
			}
			if there.Version < before.Version {
				t.Fatalf("version %d was replaced by %d", before.Version, there.Version)
			}
		}
		sent := 0
		for sent < life {
			switch rapid.SampledFrom([]string{"next", "repeat", "snapshot"}).Draw(t, "what") {
			case "next":
				sent++
				send(at(sent))
			case "repeat": // the bridge starts again somewhere before
				for n := rapid.IntRange(1, max(sent, 1)).Draw(t, "from"); n <= sent; n++ {
					send(at(n))
				}
			case "snapshot": // read between place and version, which are those of one time or of a later one
				version := rapid.IntRange(1, life).Draw(t, "version")
				place := rapid.IntRange(1, version).Draw(t, "place")
				send(bus.Header{Kind: "vm", Type: "vm.snapshot", Seq: uint64(10 * place), Version: uint64(version), Time: time.Unix(int64(version), 0)})
			}
		}
		if there.Version != uint64(life) {
			t.Fatalf("version %d is left, want %d", there.Version, life)
		}
	})
}

// stateHouse is a server with VMs and volumes, whose states go to a broker.
type stateHouse struct {
	*house
	vms     *resources.Kind[vm.VM]
	volumes *resources.Kind[volume.Volume]
	memory  *sinktest.Memory
}

// openState makes the server; start adds the bridge.
func openState(t *testing.T) (h *stateHouse, engine *resources.Engine) {
	t.Helper()
	h = &stateHouse{house: &house{t: t, store: memstore.New(memstore.Options{}), log: &logBuffer{}}, memory: &sinktest.Memory{State: true}}
	logger := slog.New(slog.NewTextHandler(h.log, nil))
	h.bus = bus.New(bus.Options{Logger: logger, Source: "cloudbus/test", Journal: h.store.Journal()})
	t.Cleanup(func() {
		if h.manager == nil { // close does it otherwise
			must(t, h.bus.Close(context.Background()))
		}
	})
	engine, err := resources.New(resources.Options{Store: h.store, Bus: h.bus, Logger: logger, Listeners: []resources.Listener{listeners.Post()}})
	must(t, err)
	h.vms, err = resources.Register[vm.VM](engine, vm.Machine)
	must(t, err)
	h.volumes, err = resources.Register[volume.Volume](engine, volume.Machine)
	must(t, err)
	return h, engine
}

func (h *stateHouse) start(engine *resources.Engine, o bridge.Options) {
	h.t.Helper()
	o.State, o.Engine = true, engine
	var err error
	h.bridge, err = bridge.New(h.memory.Sink(), o)
	must(h.t, err)
	h.manager, err = plugins.NewManager(plugins.Options{Bus: h.bus, Logger: slog.New(slog.NewTextHandler(h.log, nil))})
	must(h.t, err)
	must(h.t, h.manager.Add(h.bridge, plugins.Required()))
	must(h.t, h.manager.Start(h.t.Context()))
	h.t.Cleanup(h.close)
}

func (h *stateHouse) create(tenant string) *vm.VM {
	h.t.Helper()
	v, err := h.vms.Create(h.t.Context(), vm.VM{Object: resources.Object{Tenant: tenant, Name: "web"}, CPUs: 2})
	must(h.t, err)
	return v
}

func (h *stateHouse) fire(id string, triggers ...fsm.Trigger) {
	h.t.Helper()
	for _, on := range triggers {
		_, err := h.vms.Fire(h.t.Context(), id, on)
		must(h.t, err)
	}
}

// states lists what the broker keeps, as "type state version".
func (h *stateHouse) states() (found []string) {
	h.t.Helper()
	for _, m := range h.memory.Received() {
		e, err := bridge.DecodeMessage(m.ContentType, m.Attributes, m.Data)
		must(h.t, err)
		var data struct {
			Resource vm.VM `json:"resource"`
		}
		must(h.t, json.Unmarshal(e.Payload, &data))
		if subject, err := bridge.StateSubject(e.Tenant, e.Kind, e.ResourceID); err != nil || subject != m.Subject || data.Resource.ID != e.ResourceID || data.Resource.Version != e.Version {
			h.t.Errorf("on %s lies %+v %s", m.Subject, e.Header, e.Payload)
		}
		found = append(found, fmt.Sprintf("%s %s %d", e.Type, data.Resource.State, data.Resource.Version))
	}
	slices.Sort(found)
	return found
}

func (h *stateHouse) want(want ...string) {
	h.t.Helper()
	slices.Sort(want)
	eventually(h.t, func() error {
		if got := h.states(); !slices.Equal(got, want) {
			return fmt.Errorf("the broker keeps %q, want %q", got, want)
		}
		return nil
	})
}

func TestStatesOfWhatWasThereBeforeTheBridgeAndOfWhatHappens(t *testing.T) {
	h, engine := openState(t)
	old := h.create("acme")
	h.fire(old.ID, vm.StartRequested)
	h.start(engine, bridge.Options{})
	h.want("vm.snapshot starting 2")
	if s := h.bridge.Stats(); s.Seeded != 1 || s.Sent != 1 {
		t.Errorf("stats %+v", s)
	}
	young := h.create("")
	h.fire(young.ID, vm.StartRequested, vm.OperationSucceeded)
	h.fire(old.ID, vm.OperationSucceeded)
	_, err := h.vms.Update(t.Context(), old.ID, func(v *vm.VM) error { v.Hostname = "web1"; return nil })
	must(t, err)
	h.want("vm.state.running running 3", "vm.updated running 4")
}

func TestStatesOfWhatWasPurgedAreTombstones(t *testing.T) {
	h, engine := openState(t)
	h.start(engine, bridge.Options{})
	v := h.create("acme")
	h.fire(v.ID, vm.DestroyRequested, vm.ExpungeRequested, vm.OperationSucceeded)
	purged, err := h.vms.Purge(t.Context(), 0)
	must(t, err)
	if purged.Removed != 1 {
		t.Fatalf("purged %+v", purged)
	}
	eventually(t, func() error {
		all := h.memory.Received()
		if len(all) != 1 {
			return fmt.Errorf("%d messages", len(all))
		}
		e, err := bridge.DecodeMessage(all[0].ContentType, all[0].Attributes, all[0].Data)
		if err != nil || !bridge.Gone(e.Header) {
			return fmt.Errorf("%+v, %v", e.Header, err)
		}
		return nil
	})
}

func TestStatesAreSentAgainWhenTheBrokerHasLostThem(t *testing.T) {
	h, engine := openState(t)
	h.start(engine, bridge.Options{})
	for range 600 { // more than a page
		h.create("acme")
	}
	eventually(t, func() error {
		if n := len(h.memory.Received()); n != 600 {
			return fmt.Errorf("%d messages", n)
		}
		return nil
	})
	h.memory.Lose()
	eventually(t, func() error {
		if n := len(h.states()); n != 600 {
			return fmt.Errorf("%d states", n)
		}
		return nil
	})
}

func TestStatesWaitForTheBroker(t *testing.T) {
	h, engine := openState(t)
	v := h.create("acme")
	h.memory.Stop()
	h.start(engine, bridge.Options{})
	eventually(t, func() error { // the state is read, and under way
		if s := h.bridge.Stats(); s.Retries == 0 {
			return errors.New("nothing is tried")
		}
		return nil
	})
	h.fire(v.ID, vm.StartRequested)
	var away *bridge.AwayError
	eventually(t, func() error {
		if err := h.bridge.Health(t.Context()); !errors.As(err, &away) {
			return fmt.Errorf("health is %v", err)
		}
		return nil
	})
	h.memory.Start()
	eventually(t, func() error {
		// The state is the same by the event or, if the VM was read after it, by the snapshot.
		if got := h.states(); len(got) != 1 || !strings.HasSuffix(got[0], " starting 2") {
			return fmt.Errorf("the broker keeps %q", got)
		}
		return nil
	})
}

func TestStatesAreFilteredAsEventsAre(t *testing.T) {
	h, engine := openState(t)
	h.create("acme")
	h.create("evil")
	_, err := h.volumes.Create(t.Context(), volume.Volume{Object: resources.Object{Tenant: "acme", Name: "data"}, SizeGiB: 1})
	must(t, err)
	h.start(engine, bridge.Options{Types: []string{"vm.>"}, Tenants: []string{"acme"}})
	h.want("vm.snapshot stopped 1")
	h.create("evil")
	last := h.create("acme")
	h.fire(last.ID, vm.StartRequested)
	h.want("vm.snapshot stopped 1", "vm.state.starting starting 2")
}

func TestCloseIsPromptWhileStatesAreSent(t *testing.T) {
	h, engine := openState(t)
	for range 50 {
		h.create("acme")
	}
	resume := h.memory.Hang()
	defer resume()
	h.start(engine, bridge.Options{})
	eventually(t, func() error {
		if s := h.bridge.Stats(); s.InFlight == 0 {
			return errors.New("nothing under way")
		}
		return nil
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	must(t, h.manager.Close(ctx))
}

func TestStateNeedsASinkThatKeepsStatesAndAnEngine(t *testing.T) {
	_, engine := openState(t)
	keeps, doesnt := &sinktest.Memory{State: true}, &sinktest.Memory{}
	for name, c := range map[string]struct {
		sink   bridge.Sink
		o      bridge.Options
		option string
	}{
		"events to a keeper":   {keeps.Sink(), bridge.Options{}, "State"},
		"states to another":    {doesnt.Sink(), bridge.Options{State: true, Engine: engine}, "State"},
		"states to a stranger": {&fakeSink{}, bridge.Options{State: true, Engine: engine}, "State"},
		"no engine":            {keeps.Sink(), bridge.Options{State: true}, "Engine"},
		"backlog":              {keeps.Sink(), bridge.Options{State: true, Engine: engine, Backlog: true}, "Backlog"},
		"some events":          {keeps.Sink(), bridge.Options{State: true, Engine: engine, Types: []string{"vm.state.*"}}, "Types"},
	} {
		t.Run(name, func(t *testing.T) {
			var wrong *bridge.OptionError
			if _, err := bridge.New(c.sink, c.o); !errors.As(err, &wrong) || wrong.Option != c.option {
				t.Errorf("got %v, want an OptionError of %s", err, c.option)
			}
		})
	}
	b, err := bridge.New(keeps.Sink(), bridge.Options{State: true, Engine: engine})
	if err != nil || b.Name() != "bridge_state" {
		t.Errorf("%v, %v", b, err)
	}
}
