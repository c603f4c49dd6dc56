package alerts_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/plugins/alerts"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/host"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"pgregory.net/rapid"
)

const hour = plugins.Duration(time.Hour)

// find returns the one active alert.
func (c *cloud) find(q alerts.Query) alerts.Alert {
	c.t.Helper()
	c.settle()
	q.Active = true
	found, _, err := c.watch.List(c.t.Context(), q)
	if err != nil || len(found) != 1 {
		c.t.Fatalf("%d alerts, want one; %v", len(found), err)
	}
	return found[0]
}

func TestHostDown(t *testing.T) {
	rule := alerts.Rule{Name: "host_down", Type: alerts.HostDownRule}
	c := openCloud(t, rule)
	c.host("h1", "z1", 4)
	c.host("h2", "z1", 4)
	c.fireHost("h1", host.PingTimedOut)
	c.later(4 * time.Minute)
	c.fireHost("h1", host.HostDown) // from alert to down: as long away as before
	c.want2(nil)
	c.later(time.Minute)
	c.want2([]string{"host_down h1"})
	c.later(10 * time.Minute)
	if a := c.find(alerts.Query{}); a.Count != 2 || a.Severity != alerts.Critical || a.Message != "host/h1 is down; it has been away since 2026-05-01T12:00:00Z, for more than 5m0s" {
		t.Errorf("%+v", a)
	}
	c.again(rule)
	c.want2([]string{"host_down h1"})
	if got := c.state("host_down"); got.Watched != 1 || got.Filling {
		t.Errorf("state %+v", got)
	}
	c.fireHost("h2", host.HostDown)
	c.later(time.Minute)
	c.stop()
	c.fireHost("h1", host.AgentConnected, host.AgentReady) // while nobody watches
	c.fireHost("h2", host.AgentConnected, host.AgentReady)
	c.clock.add(time.Hour)
	c.rules(rule)
	c.later(0)
	c.want2(nil)
	if got := c.events(); !slices.Equal(got, []string{"alert.host_down.raised", "alert.host_down.cleared"}) {
		t.Errorf("events %q", got)
	}
}

func TestHostsThatWereDownBeforeTheRule(t *testing.T) {
	c := openCloud(t, stuckRule)
	c.host("h1", "z1", 4)
	c.fireHost("h1", host.HostDown)
	c.settle()
	c.clock.add(time.Hour)
	c.stop()
	c.rules(alerts.Rule{Name: "away", Type: alerts.HostDownRule})
	c.later(0)
	c.want2([]string{"away h1"})
}

func TestZombie(t *testing.T) {
	rule := alerts.Rule{Name: "zombie", Type: alerts.ZombieRule, Kinds: []string{"vm"}, States: []fsm.State{vm.Destroyed, vm.Expunged}}
	c := openCloud(t, rule)
	id := c.create()
	c.fire(id, vm.DestroyRequested)
	report := func() {
		t.Helper()
		before := c.refusals.Stats()
		if _, err := c.vms.Fire(t.Context(), id, vm.ReportRunning, resources.Actor("host:h7")); err == nil {
			t.Fatal("a destroyed VM runs")
		}
		for c.refusals.Stats() == before {
			time.Sleep(time.Millisecond)
		}
		c.settle()
	}
	report()
	a := c.find(alerts.Query{})
	if a.ResourceID != id || a.Tenant != "acme" || a.Message != "vm/"+id+" is destroyed, but there came report_running from host:h7" || a.Severity != alerts.Critical {
		t.Errorf("%+v", a)
	}
	c.clock.add(6 * time.Minute)
	report()
	if a := c.find(alerts.Query{}); a.Count != 2 {
		t.Errorf("count %d", a.Count)
	}
	c.later(59 * time.Minute)
	c.want2([]string{"zombie " + id})
	c.later(time.Minute) // quiet for an hour
	c.want2(nil)
	c.clock.add(time.Minute)
	report()
	c.want2([]string{"zombie " + id})
	c.fire(id, vm.RecoveryRequested) // not destroyed any more
	c.want2(nil)
	if got := c.state("zombie").Watched; got != 0 {
		t.Errorf("%d are watched", got)
	}
}

// TestFlappingEqualsANaiveModel lets time pass and a VM change its state, and counts by hand.
func TestFlappingEqualsANaiveModel(t *testing.T) {
	const window = 10 * time.Minute
	rule := alerts.Rule{Name: "flapping", Type: alerts.FlappingRule, Above: 3, ClearAt: 1}
	c := openCloud(t, rule)
	rapid.Check(t, func(t *rapid.T) {
		id := c.create()
		running, active := false, false
		var times []time.Time
		count := func() (n int) {
			for _, at := range times {
				if at.After(c.clock.now().Add(-window)) {
					n++
				}
			}
			return n
		}
		t.Repeat(map[string]func(*rapid.T){
			"report": func(*rapid.T) {
				on := vm.ReportRunning
				if running {
					on = vm.ReportStopped
				}
				running = !running
				c.fire(id, on)
				times = append(times, c.clock.now())
				if c.settle(); count() > 3 {
					active = true
				}
			},
			"start and stop": func(*rapid.T) {
				if !running {
					c.fire(id, vm.StartRequested, vm.OperationFailed) // back where it was: no flap
				}
			},
			"time": func(t *rapid.T) {
				c.later(time.Duration(rapid.IntRange(1, 8).Draw(t, "minutes")) * time.Minute)
				if count() <= 1 {
					active = false
				}
			},
			"": func(t *rapid.T) {
				if got := len(c.active(alerts.Query{ResourceID: id})) == 1; got != active {
					t.Fatalf("active %v, want %v: %v at %v", got, active, times, c.clock.now())
				}
			},
		})
	})
	c.later(time.Hour)
	if got := c.state("flapping"); got.Watched != 0 || got.Active != 0 {
		t.Errorf("in the end %d are watched, %d active", got.Watched, got.Active)
	}
}

func TestFlappingBetweenGivenStates(t *testing.T) {
	c := openCloud(t, alerts.Rule{Name: "restless", Type: alerts.FlappingRule, States: []fsm.State{vm.Running, vm.Stopped}, Above: 1})
	id := c.create()
	c.fire(id, vm.StartRequested, vm.OperationSucceeded, vm.PauseRequested, vm.OperationSucceeded, vm.ResumeRequested, vm.OperationSucceeded)
	c.want2(nil) // paused isn't one of them
	c.fire(id, vm.StopRequested, vm.OperationSucceeded)
	c.want2([]string{"restless " + id})
}

func TestEventRule(t *testing.T) {
	rule := alerts.Rule{Name: "removals", Type: alerts.EventRule, Events: []string{"vm.state.destroyed", "vm.removed"}, Above: 0}
	c := openCloud(t, rule)
	id := c.create()
	c.fire(id, vm.DestroyRequested)
	if a := c.find(alerts.Query{}); a.Message != "vm.state.destroyed came for vm/"+id {
		t.Errorf("%+v", a)
	}
	c.stop()
	if err := c.bus.Journal().(*journal.Journal).Rewind(t.Context(), alerts.EventsName, 0); err != nil {
		t.Fatal(err)
	}
	c.rules(rule)
	if a := c.find(alerts.Query{}); a.Count != 1 {
		t.Errorf("a replay counts: %+v", a)
	}
	c.later(11 * time.Minute)
	c.want2(nil)
	c.stop()
	c.rules(stuckRule)
	if _, known, err := c.store.Writer().Cursor(t.Context(), alerts.EventsName); err != nil || known {
		t.Errorf("the position is still there, %v", err)
	}
}

func TestFailureRateOfAnOperation(t *testing.T) {
	rule := alerts.Rule{Name: "starts", Type: alerts.FailureRateRule, Kinds: []string{"vm"}, Triggers: []fsm.Trigger{vm.StartRequested}, MinFailures: 2}
	c := openCloud(t, rule)
	id := c.create()
	for range 3 {
		c.fire(id, vm.MigrationRequested, vm.OperationFailed)
	}
	c.want2(nil)
	for range 2 {
		c.fire(id, vm.StartRequested, vm.OperationFailed)
	}
	c.want2([]string{"starts "})
	if got := fmt.Sprint(c.state("starts").Rates); got != "[{vm 0 2 100}]" {
		t.Errorf("rates %s", got)
	}
}

func TestAlertsAreToldAgainUntilAcknowledged(t *testing.T) {
	rule := alerts.Rule{Name: "stuck", Type: alerts.StuckRule, Renotify: 2 * hour}
	c := openCloud(t, rule)
	id := c.create()
	c.fire(id, vm.StartRequested)
	c.later(10 * time.Minute)
	c.later(time.Hour)
	c.stop()
	c.rules(rule)
	c.later(time.Hour)
	c.later(2 * time.Hour)
	a := c.find(alerts.Query{})
	_, told, err := c.watch.Find(t.Context(), a.ID)
	if err != nil || len(told) != 3 {
		t.Fatalf("told %+v, %v", told, err)
	}
	records, err := c.bus.Journal().(*journal.Journal).Query(t.Context(), journal.Query{Type: "alert.stuck.raised", Newest: true, Limit: 1})
	if err != nil || len(records) != 1 || !strings.Contains(string(records[0].Data), `"renotified":2`) {
		t.Errorf("the last event: %s, %v", records[0].Data, err)
	}
	for range 2 { // the second changes nothing
		if a, err = c.watch.Acknowledge(t.Context(), a.ID, "user:42", "known"); err != nil || a.Acknowledged == nil || a.Acknowledged.Note != "known" {
			t.Fatalf("%+v, %v", a, err)
		}
	}
	c.later(24 * time.Hour)
	c.fire(id, vm.OperationSucceeded)
	c.settle()
	if _, told, _ = c.watch.Find(t.Context(), a.ID); len(told) != 5 || told[3].What != alerts.Acknowledged || told[3].By != "user:42" || told[4].What != alerts.Cleared {
		t.Errorf("told %+v", told)
	}
	if _, err := c.watch.Acknowledge(t.Context(), a.ID, "user:42", ""); !errors.Is(err, alerts.ErrCleared) {
		t.Errorf("acknowledging what is cleared: %v", err)
	}
	c.fire(id, vm.StopRequested)
	c.later(11 * time.Minute)
	if a := c.find(alerts.Query{}); a.Acknowledged != nil {
		t.Errorf("the next one is acknowledged: %+v", a)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	c := openCloud(t, stuckRule)
	for range 3 {
		id := c.create()
		c.fire(id, vm.StartRequested)
		c.later(11 * time.Minute)
		c.fire(id, vm.OperationSucceeded)
		c.later(60 * 24 * time.Hour)
	}
	found, _, err := c.watch.List(t.Context(), alerts.Query{})
	if err != nil || len(found) != 1 {
		t.Errorf("%d are kept, %v", len(found), err)
	}
	var notices int64
	if err := c.store.Writer().DB().Table("alerts_notices").Count(&notices).Error; err != nil || notices != 2 {
		t.Errorf("%d notices are kept, %v", notices, err)
	}
}

func TestAlertsOfRulesThatAreGoneAreCleared(t *testing.T) {
	c := openCloud(t, stuckRule)
	id := c.create()
	c.fire(id, vm.StartRequested)
	c.later(11 * time.Minute)
	c.want2([]string{"stuck " + id})
	c.stop()
	c.rules(alerts.Rule{Name: "stuck", Type: alerts.StuckRule, Kinds: []string{"volume"}})
	c.want2(nil)
	if found, _, err := c.watch.List(t.Context(), alerts.Query{Name: "stuck"}); err != nil || len(found) != 1 {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestHTTPOfOneAlert(t *testing.T) {
	c := openCloud(t)
	id := c.create()
	c.fire(id, vm.StartRequested)
	c.later(11 * time.Minute)
	a := c.find(alerts.Query{})
	do := func(method, path, body string) (int, map[string]any) {
		t.Helper()
		w := httptest.NewRecorder()
		c.manager.Handler().ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
		var answer map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		return w.Code, answer
	}
	unknown := strings.Repeat("0", len(a.ID))
	if strings.Contains(a.ID, "-") {
		unknown = "01900000-0000-7000-8000-000000000000"
	}
	for _, x := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/v1/alerts/" + a.ID, "", 200, "what:raised"},
		{"GET", "/v1/alerts/x", "", 400, "is no alert's id"},
		{"GET", "/v1/alerts/" + a.ID + "?x=1", "", 400, `unknown parameter "x"`},
		{"POST", "/v1/alerts/" + a.ID + "/acknowledge", `{}`, 400, "who takes care"},
		{"POST", "/v1/alerts/" + a.ID + "/acknowledge", `{"who":"me"}`, 400, `unknown field "who"`},
		{"POST", "/v1/alerts/" + a.ID + "/acknowledge", `{"by":"a"} {}`, 400, "more than one"},
		{"POST", "/v1/alerts/" + a.ID + "/acknowledge", `{"by":"a\u0001"}`, 400, "has a control character"},
		{"POST", "/v1/alerts/" + unknown + "/acknowledge", `{"by":"a"}`, 404, "no such alert"},
		{"POST", "/v1/alerts/" + a.ID + "/acknowledge", `{"by":"user:42","note":"on it"}`, 200, "by:user:42 note:on it"},
		{"GET", "/v1/alerts/" + a.ID, "", 200, "what:acknowledged"},
		{"GET", "/v1/alerts?acknowledged=true", "", 200, a.ID},
		{"GET", "/v1/alerts?acknowledged=false", "", 200, "alerts:[]"},
		{"GET", "/v1/alerts?severity=critical", "", 200, "alerts:[]"},
		{"GET", "/v1/alerts?severity=bad", "", 400, "allowed: info, warning, critical"},
		{"GET", "/v1/alerts?group=x", "", 400, "is no alert's id"},
		{"GET", "/v1/alerts/rules", "", 200, "name:cpu_capacity"},
		{"GET", "/v1/alerts/rules", "", 200, "window:10m0s"},
	} {
		if status, answer := do(x.method, x.path, x.body); status != x.status || !strings.Contains(fmt.Sprint(answer), x.want) {
			t.Errorf("%s %s %s: %d %v, want %s", x.method, x.path, x.body, status, answer, x.want)
		}
	}
}
