package alerts_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/plugins/alerts"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

var stuckRule = alerts.Rule{Name: "stuck", Type: alerts.StuckRule}

// stuckVMs makes so many VMs start on a host and never come up.
func (c *cloud) stuckVMs(n int, hostID string) (ids []string) {
	c.t.Helper()
	c.host(hostID, "z1", 64)
	batch := make([]vm.VM, n)
	for i := range batch {
		batch[i] = vm.VM{Object: resources.Object{ID: fmt.Sprintf("%s-vm-%04d", hostID, i), Tenant: "acme"}, HostID: hostID}
		ids = append(ids, batch[i].ID)
	}
	if _, err := c.vms.CreateBatch(c.t.Context(), batch); err != nil {
		c.t.Fatal(err)
	}
	for _, id := range ids {
		c.fire(id, vm.StartRequested)
	}
	return ids
}

// report has the engine report all that is stuck.
func (c *cloud) report() {
	c.t.Helper()
	for {
		n, err := c.engine.ReportStuck(c.t.Context())
		if err != nil {
			c.t.Fatal(err)
		}
		if n == 0 {
			break
		}
	}
	c.settle()
}

func TestAThousandVMsAreOneStorm(t *testing.T) {
	const n = 1000
	c := openCloud(t, stuckRule)
	ids := c.stuckVMs(n, "h1")
	c.clock.add(10 * time.Minute)
	c.report()
	if got := len(c.events()); got != 21 {
		t.Errorf("%d events, want 20 alerts and their group", got)
	}
	found, _, err := c.watch.List(t.Context(), alerts.Query{Active: true})
	if err != nil || len(found) != 1 {
		t.Fatalf("%d alerts, want the group; %v", len(found), err)
	}
	g := found[0]
	if g.Count != n || g.Members == nil || g.Members.Active != n || len(g.Members.First) != 10 || g.Scope != "host_id=h1" || g.Kind != "vm" || g.ResourceID != "" {
		t.Errorf("group %+v, members %+v", g, g.Members)
	}
	members := map[string]bool{}
	for before, more := "", true; more; more = before != "" {
		var page []alerts.Alert
		if page, before, err = c.watch.List(t.Context(), alerts.Query{Group: g.ID, Before: before, Limit: 300}); err != nil {
			t.Fatal(err)
		}
		for _, a := range page {
			members[a.ResourceID] = true
			if a.Group != g.ID {
				t.Fatalf("member %+v", a)
			}
		}
	}
	if len(members) != n {
		t.Errorf("%d members are listed", len(members))
	}

	for _, id := range ids[:n-6] { // below 6 left the group ends
		c.fire(id, vm.OperationSucceeded)
	}
	c.settle()
	if got := c.active(alerts.Query{}); len(got) != 1 || got[0] != "stuck host_id=h1" {
		t.Errorf("with six left: %q", got)
	}
	c.fire(ids[n-6], vm.OperationSucceeded)
	c.settle()
	left := c.active(alerts.Query{})
	if len(left) != 5 || strings.Contains(strings.Join(left, " "), "host_id") {
		t.Errorf("when few are left: %q", left)
	}
	for _, id := range ids[n-5:] {
		c.fire(id, vm.OperationSucceeded)
	}
	c.settle()
	if left := c.active(alerts.Query{}); len(left) != 0 {
		t.Errorf("in the end: %q", left)
	}
	if got, want := c.balance(), [2]int{26, 26}; got != want { // 20 and the group, and 5 that were left
		t.Errorf("raised and cleared: %v, want %v", got, want)
	}
	if a, told, err := c.watch.Find(t.Context(), g.ID); err != nil || a.ClearedAt.IsZero() || len(told) != 2 {
		t.Errorf("the group: %+v, told %+v, %v", a, told, err)
	}
}

// balance counts the events that raise and clear.
func (c *cloud) balance() (n [2]int) {
	c.t.Helper()
	for _, typ := range c.events() {
		if strings.HasSuffix(typ, ".raised") {
			n[0]++
		} else {
			n[1]++
		}
	}
	return n
}

func TestStormsOfManyCausesAreBoundedToo(t *testing.T) {
	c := openCloud(t, alerts.Rule{Name: "stuck", Type: alerts.StuckRule, Group: &alerts.Group{Above: 4, Below: 1}})
	for h := range 10 {
		c.stuckVMs(10, fmt.Sprint("h", h))
		c.clock.add(time.Second)
	}
	c.clock.add(10 * time.Minute)
	c.report()
	raised := c.balance()[0]
	if groups := c.state("stuck").Groups; raised > 8+int(groups) || groups < 2 {
		t.Errorf("%d events for %d groups", raised, groups)
	}
	if got := c.state("stuck").Active; got != 100 {
		t.Errorf("%d are active", got)
	}
	found, _, err := c.watch.List(t.Context(), alerts.Query{Tenant: "acme", Limit: 1000})
	if err != nil || len(found) != 100 {
		t.Errorf("the tenant sees %d, %v", len(found), err)
	}
}

func TestStormsFarApartAreNone(t *testing.T) {
	c := openCloud(t, alerts.Rule{Name: "stuck", Type: alerts.StuckRule, Group: &alerts.Group{Above: 2}})
	for n := range 4 {
		c.stuckVMs(1, fmt.Sprint("h", n, "-"))
		c.clock.add(6 * time.Minute)
	}
	c.clock.add(10 * time.Minute)
	c.report()
	if got := c.state("stuck"); got.Groups != 0 || got.Active != 4 {
		t.Errorf("%d groups, %d active", got.Groups, got.Active)
	}
}

func TestAnAcknowledgedStormStaysQuiet(t *testing.T) {
	rule := alerts.Rule{Name: "stuck", Type: alerts.StuckRule, Renotify: hour, Group: &alerts.Group{Above: 2, Below: 1}}
	c := openCloud(t, rule)
	ids := c.stuckVMs(4, "h1")
	c.clock.add(10 * time.Minute)
	c.report()
	g := c.find(alerts.Query{})
	c.later(61 * time.Minute)
	if a, told, err := c.watch.Find(t.Context(), g.ID); err != nil || len(told) != 2 || told[1].What != alerts.Raised {
		t.Errorf("%+v was told %+v, %v", a, told, err)
	}
	if _, err := c.watch.Acknowledge(t.Context(), g.ID, "user:42", "the switch is being replaced"); err != nil {
		t.Fatal(err)
	}
	c.stop()
	c.rules(rule)
	c.later(5 * time.Hour)
	for _, id := range ids[:3] {
		c.fire(id, vm.OperationSucceeded)
	}
	c.settle()
	last := c.find(alerts.Query{})
	if last.ResourceID != ids[3] || last.Acknowledged == nil || last.Acknowledged.By != "user:42" {
		t.Errorf("left: %+v", last)
	}
	want := []string{
		"alert.stuck.raised", "alert.stuck.raised", "alert.stuck.raised", "alert.stuck.raised", "alert.stuck.acknowledged",
		"alert.stuck.cleared", "alert.stuck.cleared", "alert.stuck.cleared",
	}
	if got := c.events(); !slices.Equal(got, want) {
		t.Errorf("events %q", got)
	}
}
