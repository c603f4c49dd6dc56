package alerts_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/plugins/alerts"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// TestAnIntervalGivenLaterHolds: alerts that are active already are told again too, from now on; a shorter interval doesn't wait for the longer one.
func TestAnIntervalGivenLaterHolds(t *testing.T) {
	with := func(every plugins.Duration) alerts.Rule {
		return alerts.Rule{Name: "stuck", Type: alerts.StuckRule, Renotify: every}
	}
	c := openCloud(t, with(0))
	told := func(want int) {
		t.Helper()
		_, got, err := c.watch.Find(t.Context(), c.find(alerts.Query{}).ID)
		if err != nil || len(got) != want {
			t.Errorf("told %d times, want %d; %v", len(got), want, err)
		}
	}
	c.fire(c.create(), vm.StartRequested)
	c.later(10 * time.Minute)
	c.later(5 * time.Hour)
	told(1)
	c.stop()
	c.rules(with(24 * hour))
	c.later(time.Hour)
	told(1)
	c.stop()
	c.rules(with(2 * hour))
	c.later(119 * time.Minute)
	told(1)
	c.later(time.Minute)
	told(2)
	c.stop()
	c.rules(alerts.Rule{Name: "stuck", Type: alerts.StuckRule, Renotify: 2 * hour, Disabled: true})
	c.later(24 * time.Hour)
	told(2)
	c.stop()
	c.rules(with(2 * hour))
	c.later(2 * time.Hour)
	told(3)
	c.stop()
	c.rules(with(0))
	c.later(24 * time.Hour)
	told(3)
}

// TestARuleThatBecomesAnotherLeavesNothingActive: what only the old type could clear is cleared.
func TestARuleThatBecomesAnotherLeavesNothingActive(t *testing.T) {
	c := openCloud(t, alerts.Rule{Name: "trouble", Type: alerts.StuckRule})
	id := c.create()
	c.fire(id, vm.StartRequested)
	c.later(10 * time.Minute)
	c.want2([]string{"trouble " + id})
	c.stop()
	c.rules(alerts.Rule{Name: "trouble", Type: alerts.FlappingRule, Above: 1})
	c.later(24 * time.Hour)
	c.want2(nil)
}

// TestAlertsAboutKindsThatAreGoneAreCleared: a server without the module that brought a kind hears nothing of it any more.
func TestAlertsAboutKindsThatAreGoneAreCleared(t *testing.T) {
	c := openCloud(t, stuckRule)
	c.fire(c.create(), vm.StartRequested)
	c.later(10 * time.Minute)
	c.stop()
	err := c.store.Writer().Do(t.Context(), func(tx *journal.Tx) error { return tx.DB().Exec("UPDATE alerts SET kind = 'balloon'").Error })
	if err != nil {
		t.Fatal(err)
	}
	c.rules(stuckRule)
	c.want2(nil)
}

func TestWhatRulesKeptGoesWithThem(t *testing.T) {
	c := openCloud(t, alerts.Rule{Name: "restless", Type: alerts.FlappingRule, Above: 5, Window: 1000 * hour}, alerts.Rule{Name: "failing", Type: alerts.FailureRateRule, Window: 1000 * hour},
		alerts.Rule{Name: "muted", Type: alerts.StuckRule, Disabled: true})
	id := c.create()
	c.fire(id, vm.StartRequested, vm.OperationFailed, vm.StartRequested, vm.OperationSucceeded, vm.MigrationRequested)
	c.later(7 * time.Hour)
	count := func(table string) (n int64) {
		t.Helper()
		if err := c.store.Writer().DB().Table(table).Count(&n).Error; err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, table := range []string{"alerts_tracks", "alerts_rates", "alerts_reports"} {
		if count(table) == 0 {
			t.Fatalf("%s has nothing to begin with", table)
		}
	}
	c.stop()
	c.rules(alerts.Rule{Name: "stuck", Type: alerts.StuckRule})
	for _, table := range []string{"alerts_tracks", "alerts_rates", "alerts_reports"} {
		if n := count(table); n != 0 {
			t.Errorf("%s still has %d rows of rules that are gone", table, n)
		}
	}
}

// TestAShorterWindowHoldsAtOnce: an alert doesn't stay for the window that the rule had when it was raised.
func TestAShorterWindowHoldsAtOnce(t *testing.T) {
	rule := func(window plugins.Duration) alerts.Rule {
		return alerts.Rule{Name: "restless", Type: alerts.FlappingRule, States: []fsm.State{vm.Running, vm.Stopped}, Above: 1, Window: window}
	}
	c := openCloud(t, rule(48*hour))
	id := c.create()
	c.fire(id, vm.StartRequested, vm.OperationSucceeded, vm.StopRequested, vm.OperationSucceeded)
	c.want2([]string{"restless " + id})
	c.stop()
	c.rules(rule(hour))
	c.later(61 * time.Minute)
	c.want2(nil)
}

func TestTextsAndIDsOfRequests(t *testing.T) {
	c := openCloud(t)
	id := c.create()
	c.fire(id, vm.StartRequested)
	c.later(11 * time.Minute)
	a := c.find(alerts.Query{})
	do := func(method, path, body string) (int, string) {
		t.Helper()
		w := httptest.NewRecorder()
		c.manager.Handler().ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
		var answer map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		return w.Code, fmt.Sprint(answer)
	}
	for _, field := range []string{"name", "resource", "tenant"} {
		for _, text := range []string{"a\x00b", "\xff", "\uFFFE"} {
			if status, answer := do("GET", "/v1/alerts?"+field+"="+url.QueryEscape(text), ""); status != 400 || !strings.Contains(answer, field) {
				t.Errorf("%s %q: %d %s", field, text, status, answer)
			}
		}
	}
	for _, body := range []string{`{"by":"a\ufffe"}`, `{"by":"a","note":"\ufdd0"}`} {
		if status, answer := do("POST", "/v1/alerts/"+a.ID+"/acknowledge", body); status != 400 {
			t.Errorf("%s: %d %s", body, status, answer)
		}
	}
	upper := strings.ToUpper(a.ID)
	if status, answer := do("GET", "/v1/alerts/"+upper, ""); status != 200 {
		t.Errorf("%s: %d %s", upper, status, answer)
	}
	if status, answer := do("POST", "/v1/alerts/"+upper+"/acknowledge", `{"by":"`+strings.Repeat("x", 255)+`"}`); status != 200 {
		t.Errorf("%s: %d %s", upper, status, answer)
	}
	if status, answer := do("GET", "/v1/alerts?before="+upper, ""); status != 200 || !strings.Contains(answer, "alerts:[]") {
		t.Errorf("before %s: %d %s", upper, status, answer)
	}
}

// TestAThousandBesideOneThatIsAcknowledged: a storm around an alert that somebody cares for already; the care stays with that one.
func TestAThousandBesideOneThatIsAcknowledged(t *testing.T) {
	c := openCloud(t, alerts.Rule{Name: "stuck", Type: alerts.StuckRule, Renotify: hour})
	first := c.stuckVMs(1, "h1")
	c.later(10 * time.Minute)
	one := c.find(alerts.Query{})
	if _, err := c.watch.Acknowledge(t.Context(), one.ID, "user:1", "mine"); err != nil {
		t.Fatal(err)
	}
	batch := make([]vm.VM, 1000)
	for i := range batch {
		batch[i].ID, batch[i].HostID = fmt.Sprintf("x%04d", i), "h1"
	}
	if _, err := c.vms.CreateBatch(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	for _, v := range batch {
		c.fire(v.ID, vm.StartRequested)
	}
	c.clock.add(9 * time.Minute)
	c.report()
	c.clock.add(time.Minute)
	c.report()
	found, _, err := c.watch.List(t.Context(), alerts.Query{Active: true})
	if err != nil || len(found) != 2 && len(found) != 1 {
		t.Fatalf("%d alerts; %v", len(found), err)
	}
	var kept alerts.Alert
	if kept, _, err = c.watch.Find(t.Context(), one.ID); err != nil || kept.Acknowledged == nil || kept.Acknowledged.By != "user:1" {
		t.Errorf("%+v %v", kept, err)
	}
	if n := len(c.events()); n > 24 {
		t.Errorf("%d events", n)
	}
	for _, v := range batch {
		c.fire(v.ID, vm.OperationSucceeded)
	}
	c.settle()
	c.want2([]string{"stuck " + first[0]})
	c.fire(first[0], vm.OperationSucceeded)
	c.want2(nil)
	types := c.events()
	raised, cleared := 0, 0
	for _, typ := range types {
		if strings.HasSuffix(typ, "raised") {
			raised++
		} else if strings.HasSuffix(typ, "cleared") {
			cleared++
		}
	}
	if raised != cleared {
		t.Errorf("raised %d, cleared %d: %q", raised, cleared, slices.Compact(types))
	}
}
