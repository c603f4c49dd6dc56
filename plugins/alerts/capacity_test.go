package alerts_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/plugins/alerts"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/host"
	"github.com/cloudbus-go/cloudbus/resources/publicip"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"pgregory.net/rapid"
)

var cpuRule = alerts.Rule{
	Name: "cpu", Type: alerts.CapacityRule, By: "zone_id",
	Used:  &alerts.Sum{Kind: "vm", Field: "cpus", States: []fsm.State{vm.Running}},
	Total: &alerts.Sum{Kind: "host", Field: "cpus", States: []fsm.State{host.Up}},
}

func TestCapacityIsRaisedAt75PercentAndClearedAt70(t *testing.T) {
	c := openCloud(t, cpuRule)
	c.host("h1", "z1", 100)
	id := c.vm(vm.VM{CPUs: 74, ZoneID: "z1"})
	c.fire(id, vm.ReportRunning)
	resize := func(cpus int) {
		t.Helper()
		if _, err := c.vms.Update(t.Context(), id, func(v *vm.VM) error { v.CPUs = cpus; return nil }); err != nil {
			t.Fatal(err)
		}
		c.settle()
	}
	c.want2(nil)
	resize(75)
	c.want2([]string{"cpu zone_id=z1"})
	resize(71)
	c.want2([]string{"cpu zone_id=z1"})
	resize(90)
	found, _, err := c.watch.List(t.Context(), alerts.Query{Name: "cpu"})
	if err != nil || len(found) != 1 || found[0].Count != 2 || found[0].Message != "vm.cpus with zone_id=z1: 90 of 100 (host.cpus) are taken, 90 %" || found[0].Kind != "vm" {
		t.Errorf("%+v, %v", found, err)
	}
	resize(70)
	c.want2(nil)
	if got := c.events(); !slices.Equal(got, []string{"alert.cpu.raised", "alert.cpu.cleared"}) {
		t.Errorf("events %q", got)
	}
	c.host("h2", "z2", 10)
	resize(80)
	c.want2([]string{"cpu zone_id=z1"})
	c.fireHost("h1", host.HostDown) // nothing to compare with: it stays as it is
	c.want2([]string{"cpu zone_id=z1"})
	c.fireHost("h1", host.AgentConnected, host.AgentReady)
	c.fire(id, vm.ReportStopped)
	c.want2(nil)
	if got := fmt.Sprint(c.state("cpu").Capacities); got != "[{z1 0 100 0} {z2 0 10 0}]" {
		t.Errorf("capacities %s", got)
	}
}

func (c *cloud) want2(want []string) {
	c.t.Helper()
	if got := c.active(alerts.Query{}); !slices.Equal(got, append([]string{}, want...)) {
		c.t.Errorf("active %q, want %q", got, want)
	}
}

func TestCapacityOfWhatWasThereBefore(t *testing.T) {
	c := openCloud(t, alerts.Rule{Name: "stuck", Type: alerts.StuckRule})
	for n := range 10 {
		if _, err := c.ips.Create(t.Context(), publicip.PublicIP{Object: resources.Object{ID: fmt.Sprint("ip-", n)}, Address: fmt.Sprint("192.0.2.", n)}); err != nil {
			t.Fatal(err)
		}
		if n < 8 {
			if _, err := c.ips.Fire(t.Context(), fmt.Sprint("ip-", n), publicip.ReserveRequested); err != nil {
				t.Fatal(err)
			}
		}
	}
	c.settle()
	c.stop()
	c.clock.add(time.Hour)
	if _, err := c.store.Writer().Retain(t.Context(), journal.Retention{Rows: 1}); err != nil { // the journal forgets them
		t.Fatal(err)
	}
	if first, last, err := c.store.Writer().Bounds(t.Context()); err != nil || first < last-1 {
		t.Errorf("the journal has events from %d to %d, %v", first, last, err)
	}
	addresses := alerts.Rule{
		Name: "addresses", Type: alerts.CapacityRule, Used: &alerts.Sum{Kind: "public_ip", States: []fsm.State{publicip.Reserved, publicip.Allocated}}, Total: &alerts.Sum{Kind: "public_ip"},
	}
	c.rules(addresses)
	c.want2([]string{"addresses "})
	if got := fmt.Sprint(c.state("addresses").Capacities); got != "[{ 8 10 80}]" {
		t.Errorf("capacities %s", got)
	}
	fixed := addresses
	fixed.Total = &alerts.Sum{Amount: 100}
	c.stop()
	c.rules(fixed) // another total: judged anew
	c.want2(nil)
	c.stop()
	c.rules(alerts.Rule{Name: "stuck", Type: alerts.StuckRule}) // the rule is gone, and so are its books
	for _, table := range []string{"alerts_sums", "alerts_shares", "alerts_follows"} {
		var n int64
		if err := c.store.Writer().DB().Table(table).Count(&n).Error; err != nil || n != 0 {
			t.Errorf("%s has %d rows, %v", table, n, err)
		}
	}
}

// TestCapacityEqualsANaiveSum lets resources do what they like, with restarts, replays, rules that come and go, and a rebuild in between.
func TestCapacityEqualsANaiveSum(t *testing.T) {
	c := openCloud(t, cpuRule)
	zones := []string{"z1", "z2"}
	active := map[string]bool{}
	verify := func(t *rapid.T) {
		differences, err := c.watch.Verify(c.t.Context())
		if err != nil || len(differences) > 0 {
			t.Fatalf("verify: %+v, %v", differences, err)
		}
	}
	steps := 0
	check := func(t *rapid.T) {
		used, total := c.naive()
		got := map[string][2]int64{}
		for _, s := range c.state("cpu").Capacities {
			got[s.Scope] = [2]int64{s.Used, s.Total}
		}
		want := map[string][2]int64{}
		for _, z := range zones {
			if used[z].n > 0 || total[z].n > 0 {
				want[z] = [2]int64{used[z].sum, total[z].sum}
			}
			switch u, of := used[z].sum, total[z].sum; { // the naive model
			case of == 0 && u > 0:
			case u > 0 && u*100 >= 75*of:
				active[z] = true
			case u*100 <= 70*of:
				active[z] = false
			}
		}
		if !maps.Equal(got, want) {
			t.Fatalf("capacities %v, want %v", got, want)
		}
		var wanted []string
		for _, z := range zones {
			if active[z] {
				wanted = append(wanted, "cpu zone_id="+z)
			}
		}
		about := c.active(alerts.Query{})
		if slices.Sort(about); !slices.Equal(about, append([]string{}, wanted...)) {
			t.Fatalf("active %q, want %q", about, wanted)
		}
		if steps++; steps%20 == 0 { // it reads all there is
			verify(t)
		}
	}
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		var vms, hosts []string
		t.Repeat(map[string]func(*rapid.T){
			"vm": func(t *rapid.T) {
				vms = append(vms, c.vm(vm.VM{CPUs: rapid.IntRange(0, 8).Draw(t, "cpus"), ZoneID: rapid.SampledFrom(zones).Draw(t, "zone")}))
			},
			"host": func(t *rapid.T) {
				n++
				hosts = append(hosts, fmt.Sprint("h", n))
				c.host(hosts[len(hosts)-1], rapid.SampledFrom(zones).Draw(t, "zone"), rapid.IntRange(1, 16).Draw(t, "cpus"))
			},
			"fire": func(t *rapid.T) {
				if len(vms) == 0 {
					t.Skip()
				}
				on := rapid.SampledFrom([]fsm.Trigger{vm.ReportRunning, vm.ReportStopped, vm.StopRequested, vm.OperationSucceeded, vm.DestroyRequested}).Draw(t, "on")
				_, _ = c.vms.Fire(c.t.Context(), rapid.SampledFrom(vms).Draw(t, "which"), on) // refusals are fine
			},
			"lose": func(t *rapid.T) {
				if len(hosts) == 0 {
					t.Skip()
				}
				on := rapid.SampledFrom([]fsm.Trigger{host.HostDown, host.Ping, host.AgentConnected, host.AgentReady}).Draw(t, "on")
				_, _ = c.hosts.Fire(c.t.Context(), rapid.SampledFrom(hosts).Draw(t, "which"), on)
			},
			"resize": func(t *rapid.T) {
				if len(vms) == 0 {
					t.Skip()
				}
				cpus, zone := rapid.IntRange(0, 8).Draw(t, "cpus"), rapid.SampledFrom(zones).Draw(t, "zone")
				_, _ = c.vms.Update(c.t.Context(), rapid.SampledFrom(vms).Draw(t, "which"), func(v *vm.VM) error { v.CPUs, v.ZoneID = cpus, zone; return nil })
			},
			"restart": func(t *rapid.T) {
				switch rapid.IntRange(0, 9).Draw(t, "how") {
				case 0:
					c.again(cpuRule)
				case 1:
					if err := c.watch.Rebuild(c.t.Context()); err != nil {
						t.Fatal(err)
					}
				}
			},
			"": check,
		})
		verify(t)
		for _, id := range vms { // so that naive sums stay small; what refuses has come to its end
			_, _ = c.vms.Fire(c.t.Context(), id, vm.ReportStopped)
		}
		for _, id := range hosts {
			_, _ = c.hosts.Fire(c.t.Context(), id, host.HostDown)
		}
	})
}

type naive struct{ sum, n int64 }

func (c *cloud) naive() (used, total map[string]naive) {
	c.t.Helper()
	used, total = map[string]naive{}, map[string]naive{}
	list := func(kind string, state fsm.State, add func(any)) {
		h, err := c.engine.Kind(kind)
		if err != nil {
			c.t.Fatal(err)
		}
		for after, more := "", true; more; more = after != "" {
			var items []any
			if items, after, err = h.List(c.t.Context(), resources.Query{States: []fsm.State{state}, After: after, Limit: 1000}); err != nil {
				c.t.Fatal(err)
			}
			for _, item := range items {
				add(item)
			}
		}
	}
	list("vm", vm.Running, func(item any) {
		v := item.(*vm.VM)
		used[v.ZoneID] = naive{used[v.ZoneID].sum + int64(v.CPUs), used[v.ZoneID].n + 1}
	})
	list("host", host.Up, func(item any) {
		h := item.(*host.Host)
		total[h.ZoneID] = naive{total[h.ZoneID].sum + int64(h.CPUs), total[h.ZoneID].n + 1}
	})
	return used, total
}

func TestVerifyFindsWhatIsWrong(t *testing.T) {
	c := openCloud(t, cpuRule)
	c.host("h1", "z1", 100)
	id := c.vm(vm.VM{CPUs: 4, ZoneID: "z1"})
	c.fire(id, vm.ReportRunning)
	c.settle()
	spoil := func(text string) {
		t.Helper()
		if err := c.store.Writer().Do(t.Context(), func(tx *journal.Tx) error { return tx.DB().Exec(text).Error }); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{
		"amount":  "UPDATE alerts_shares SET amount = 5 WHERE resource_id = '" + id + "'",
		"missing": "DELETE FROM alerts_shares WHERE resource_id = '" + id + "'",
		"extra":   "INSERT INTO alerts_shares SELECT follow, 'nobody', scope, amount, version FROM alerts_shares WHERE resource_id = '" + id + "'",
		"sum":     "UPDATE alerts_sums SET amount = amount + 1",
	} {
		spoil(text)
		if found, err := c.watch.Verify(t.Context()); err != nil || len(found) == 0 {
			t.Errorf("%s: %+v, %v", name, found, err)
		}
		if err := c.watch.Rebuild(t.Context()); err != nil {
			t.Fatal(err)
		}
		if found, err := c.watch.Verify(t.Context()); err != nil || len(found) > 0 {
			t.Errorf("%s, rebuilt: %+v, %v", name, found, err)
		}
	}
	if got := fmt.Sprint(c.state("cpu").Capacities); got != "[{z1 4 100 4}]" {
		t.Errorf("capacities %s", got)
	}
}
