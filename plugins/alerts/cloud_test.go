package alerts_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/plugins/alerts"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/cluster"
	"github.com/cloudbus-go/cloudbus/resources/container"
	"github.com/cloudbus-go/cloudbus/resources/host"
	"github.com/cloudbus-go/cloudbus/resources/hostadmin"
	"github.com/cloudbus-go/cloudbus/resources/network"
	"github.com/cloudbus-go/cloudbus/resources/nic"
	"github.com/cloudbus-go/cloudbus/resources/publicip"
	"github.com/cloudbus-go/cloudbus/resources/snapshot"
	"github.com/cloudbus-go/cloudbus/resources/template"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"github.com/cloudbus-go/cloudbus/resources/volume"
)

// cloud is a house with all kinds, whose plugin knows the engine, and whose refusals are recorded.
type cloud struct {
	*house
	hosts    *resources.Kind[host.Host]
	ips      *resources.Kind[publicip.PublicIP]
	refusals *listeners.Refusals
}

func openCloud(t testing.TB, rules ...alerts.Rule) *cloud {
	t.Helper()
	c := &cloud{house: &house{t: t, clock: &clock{t: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}}}
	c.store, c.bus = openStore(t, c.clock.now)
	c.refusals = listeners.NewRefusals(c.store, listeners.RefusalOptions{Logger: slog.New(slog.DiscardHandler), Now: c.clock.now})
	t.Cleanup(func() {
		if err := c.refusals.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	var err error
	c.engine, err = resources.New(resources.Options{
		Store: c.store, Bus: c.bus, Listeners: []resources.Listener{listeners.Post(), c.refusals}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	c.vms = register[vm.VM](t, c.engine, vm.Machine)
	c.hosts = register[host.Host](t, c.engine, host.Machine)
	c.ips = register[publicip.PublicIP](t, c.engine, publicip.Machine)
	register[volume.Volume](t, c.engine, volume.Machine)
	register[nic.NIC](t, c.engine, nic.Machine)
	register[network.Network](t, c.engine, network.Machine)
	register[snapshot.Snapshot](t, c.engine, snapshot.Machine)
	register[template.Template](t, c.engine, template.Machine)
	register[hostadmin.HostAdmin](t, c.engine, hostadmin.Machine)
	register[container.Container](t, c.engine, container.Machine)
	register[cluster.Cluster](t, c.engine, cluster.Machine)
	c.rules(rules...)
	return c
}

func register[T any](t testing.TB, e *resources.Engine, m *fsm.Machine) *resources.Kind[T] {
	t.Helper()
	k, err := resources.Register[T](e, m)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// rules starts the plugin with rules, and waits until its books are complete; no rules are the default ones.
func (c *cloud) rules(rules ...alerts.Rule) {
	c.t.Helper()
	c.watch = alerts.New(alerts.Options{Rules: rules, Engine: c.engine})
	var err error
	if c.manager, err = plugins.NewManager(plugins.Options{Bus: c.bus, Logger: slog.New(slog.DiscardHandler)}); err != nil {
		c.t.Fatal(err)
	}
	if err := c.manager.Add(c.watch, plugins.Required()); err != nil {
		c.t.Fatal(err)
	}
	if err := c.manager.Start(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
	m := c.manager
	c.t.Cleanup(func() {
		if err := m.Close(context.Background()); err != nil {
			c.t.Error(err)
		}
	})
	c.later(0)
}

// again restarts the plugin with rules, its position rewound to the journal's beginning.
func (c *cloud) again(rules ...alerts.Rule) {
	c.t.Helper()
	c.stop()
	if err := c.bus.Journal().(*journal.Journal).Rewind(c.t.Context(), alerts.Name, 0); err != nil {
		c.t.Fatal(err)
	}
	c.rules(rules...)
}

func (c *cloud) vm(v vm.VM) string {
	c.t.Helper()
	made, err := c.vms.Create(c.t.Context(), v)
	if err != nil {
		c.t.Fatal(err)
	}
	return made.ID
}

func (c *cloud) host(id, zone string, cpus int) {
	c.t.Helper()
	if _, err := c.hosts.Create(c.t.Context(), host.Host{Object: resources.Object{ID: id}, ZoneID: zone, CPUs: cpus}); err != nil {
		c.t.Fatal(err)
	}
	c.fireHost(id, host.AgentReady)
}

func (c *cloud) fireHost(id string, triggers ...fsm.Trigger) {
	c.t.Helper()
	for _, on := range triggers {
		if _, err := c.hosts.Fire(c.t.Context(), id, on); err != nil {
			c.t.Fatal(err)
		}
	}
}

// state returns how a rule stands.
func (c *cloud) state(rule string) alerts.RuleState {
	c.t.Helper()
	c.settle()
	all, err := c.watch.Rules(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	for _, r := range all {
		if r.Name == rule {
			return r
		}
	}
	c.t.Fatalf("there is no rule %q", rule)
	return alerts.RuleState{}
}

// about lists the active alerts, the oldest first, as "name resource scope".
func (c *cloud) active(q alerts.Query) []string {
	c.t.Helper()
	c.settle()
	q.Active = true
	found, _, err := c.watch.List(c.t.Context(), q)
	if err != nil {
		c.t.Fatal(err)
	}
	got := []string{}
	for n := range found {
		a := found[len(found)-1-n]
		got = append(got, fmt.Sprintf("%s %s%s", a.Name, a.ResourceID, a.Scope))
	}
	return got
}
