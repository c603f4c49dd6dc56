package alerts_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/plugins/alerts"
	"github.com/cloudbus-go/cloudbus/plugins/plugintest"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is moved by tests.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// house is a server that is being watched.
type house struct {
	t       testing.TB
	clock   *clock
	store   *gormstore.Store
	bus     *bus.Bus
	vms     *resources.Kind[vm.VM]
	manager *plugins.Manager
	watch   *alerts.Plugin
}

func openStore(t testing.TB, now func() time.Time) (*gormstore.Store, *bus.Bus) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	store, err := sqlite.Open(filepath.Join(t.TempDir(), "test.db"), sqlite.Options{Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	b := bus.New(bus.Options{Logger: log, Journal: store.Journal(), Now: now})
	t.Cleanup(func() {
		if err := errors.Join(b.Close(context.Background()), store.Close(context.Background())); err != nil {
			t.Error(err)
		}
	})
	return store, b
}

func newVMs(t testing.TB, store *gormstore.Store, b *bus.Bus) *resources.Kind[vm.VM] {
	t.Helper()
	engine, err := resources.New(resources.Options{Store: store, Bus: b, Listeners: []resources.Listener{listeners.Post()}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	vms, err := resources.Register[vm.VM](engine, vm.Machine)
	if err != nil {
		t.Fatal(err)
	}
	return vms
}

func open(t testing.TB, config string) *house {
	t.Helper()
	h := &house{t: t, clock: &clock{t: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}}
	h.store, h.bus = openStore(t, h.clock.now)
	h.vms = newVMs(t, h.store, h.bus)
	h.start(config)
	return h
}

func (h *house) start(config string) {
	h.t.Helper()
	h.watch = alerts.New(alerts.Options{})
	var err error
	h.manager, err = plugins.NewManager(plugins.Options{
		Bus: h.bus, Logger: slog.New(slog.DiscardHandler), Config: map[string]json.RawMessage{alerts.Name: json.RawMessage(config)},
	})
	if err != nil {
		h.t.Fatal(err)
	}
	if err := h.manager.Add(h.watch, plugins.Required()); err != nil {
		h.t.Fatal(err)
	}
	if err := h.manager.Start(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	m := h.manager
	h.t.Cleanup(func() {
		if err := m.Close(context.Background()); err != nil {
			h.t.Error(err)
		}
	})
}

func (h *house) stop() {
	h.t.Helper()
	if err := h.manager.Close(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) create() string {
	h.t.Helper()
	v, err := h.vms.Create(h.t.Context(), vm.VM{Object: resources.Object{Tenant: "acme"}})
	if err != nil {
		h.t.Fatal(err)
	}
	return v.ID
}

func (h *house) fire(id string, triggers ...fsm.Trigger) {
	h.t.Helper()
	for _, on := range triggers {
		if _, err := h.vms.Fire(h.t.Context(), id, on); err != nil {
			h.t.Fatal(err)
		}
	}
}

// outcomes makes so many operations of a new VM succeed and fail.
func (h *house) outcomes(succeed, fail int) {
	h.t.Helper()
	id := h.create()
	for range fail {
		h.fire(id, vm.StartRequested, vm.OperationFailed)
	}
	for range succeed {
		h.fire(id, vm.MigrationRequested, vm.OperationSucceeded)
	}
	h.settle()
}

func (h *house) settle() {
	h.t.Helper()
	if err := h.bus.Flush(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

// later lets time pass and the plugin look at the clock.
func (h *house) later(d time.Duration) {
	h.t.Helper()
	h.settle()
	h.clock.add(d)
	if err := h.watch.CheckNow(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

// alerts lists all alerts, the oldest first, as "name count active|cleared".
func (h *house) alerts() []string {
	h.t.Helper()
	found, _, err := h.watch.List(h.t.Context(), alerts.Query{})
	if err != nil {
		h.t.Fatal(err)
	}
	got := []string{}
	for _, a := range slices.Backward(found) {
		state := "active"
		if !a.ClearedAt.IsZero() {
			state = "cleared"
		}
		got = append(got, fmt.Sprintf("%s %d %s", a.Name, a.Count, state))
	}
	return got
}

func (h *house) want(want ...string) {
	h.t.Helper()
	if got := h.alerts(); !slices.Equal(got, want) {
		h.t.Errorf("alerts %q, want %q", got, want)
	}
}

// events lists the types of recorded alert events.
func (h *house) events() []string {
	h.t.Helper()
	records, err := h.bus.Journal().(*journal.Journal).Query(h.t.Context(), journal.Query{Type: "alert.>"})
	if err != nil {
		h.t.Fatal(err)
	}
	var types []string
	for _, r := range records {
		types = append(types, r.Type)
	}
	return types
}

func TestContract(t *testing.T) {
	var store *gormstore.Store
	plugintest.Run(t, func() plugins.Plugin { return alerts.New(alerts.Options{}) },
		plugintest.Database(func(t testing.TB) (b *bus.Bus) { store, b = openStore(t, nil); return b }),
		plugintest.Config(`{"failure_rate": {"window": "1h"}}`),
		plugintest.Feed(func(t testing.TB, b *bus.Bus) {
			h := &house{t: t, bus: b, vms: newVMs(t, store, b)}
			h.outcomes(1, 7)
			h.fire(h.create(), vm.StartRequested)
			long := h.create()
			if _, err := h.vms.Fire(t.Context(), long, vm.MigrationRequested, resources.At(time.Now().Add(-30*time.Hour))); err != nil {
				t.Fatal(err)
			}
		}))
}

func TestStuckIsRaisedRepeatedAndCleared(t *testing.T) {
	h := open(t, "")
	id := h.create()
	h.fire(id, vm.StartRequested)
	h.later(10*time.Minute - 1)
	h.want()
	h.later(1)
	h.want("stuck 1 active")
	h.later(9 * time.Minute)
	h.want("stuck 1 active")
	h.later(time.Minute)
	h.want("stuck 2 active")
	h.later(35 * time.Minute) // three limits at once are one repeat
	h.want("stuck 3 active")
	h.fire(id, vm.OperationSucceeded)
	h.settle()
	h.want("stuck 3 cleared")
	h.later(time.Hour)
	h.want("stuck 3 cleared")
	if got := h.events(); !slices.Equal(got, []string{"alert.stuck.raised", "alert.stuck.cleared"}) {
		t.Errorf("events %q", got)
	}
	found, _, err := h.watch.List(t.Context(), alerts.Query{ResourceID: id})
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	a := found[0]
	if a.Kind != "vm" || a.Tenant != "acme" || a.Severity != alerts.Warning || a.RaisedAt.Sub(a.ClearedAt) != -45*time.Minute ||
		a.Message != "vm/"+id+" has been starting since 2026-05-01T12:00:00Z, longer than the limit of 10m0s" {
		t.Errorf("alert %+v", a)
	}
}

func TestStuckStartsAnewInEachState(t *testing.T) {
	h := open(t, "")
	id := h.create()
	h.fire(id, vm.ReportRunning, vm.StopRequested)
	h.later(11 * time.Minute)
	h.want("stuck 1 active")
	h.fire(id, vm.OperationSucceeded, vm.StartRequested)
	h.later(9 * time.Minute)
	h.want("stuck 1 cleared")
	h.later(time.Minute)
	h.want("stuck 1 cleared", "stuck 1 active")
}

func TestAMoveToItselfKeepsTheDeadline(t *testing.T) {
	h := open(t, "")
	id := h.create()
	h.fire(id, vm.ExpungeRequested)
	h.later(23 * time.Hour)
	h.fire(id, vm.OperationFailed) // still expunging
	if _, err := h.vms.Update(t.Context(), id, func(v *vm.VM) error { v.Hostname = "web"; return nil }); err != nil {
		t.Fatal(err)
	}
	h.later(time.Hour)
	h.want("stuck 1 active")
	h.fire(id, vm.OperationFailed)
	h.settle()
	h.want("stuck 1 active")
}

func TestARestartForgetsNoDeadline(t *testing.T) {
	h := open(t, "")
	late, done := h.create(), h.create()
	h.fire(late, vm.StartRequested)
	h.fire(done, vm.StartRequested)
	h.settle()
	h.stop()
	h.fire(done, vm.OperationSucceeded) // while nobody watches
	h.clock.add(25 * time.Minute)

	raised := make(chan bus.Event[alerts.Notice], 1)
	client := h.bus.Client("test")
	_, err := bus.Subscribe(client, func(_ context.Context, e bus.Event[alerts.Notice]) error { raised <- e; return nil })
	if err != nil {
		t.Fatal(err)
	}
	h.start("")
	if e := <-raised; e.ResourceID != late || e.Type != "alert.stuck.raised" {
		t.Errorf("%s of %s", e.Type, e.ResourceID)
	}
	h.later(0)
	h.want("stuck 1 active")
}

func TestTheWatchGoesOffByItself(t *testing.T) {
	store, b := openStore(t, nil)
	h := &house{t: t, store: store, bus: b, vms: newVMs(t, store, b)}
	h.start(`{"stuck": {"limits": {"vm": {"starting": "30ms"}}}}`)
	news := make(chan string, 10)
	_, err := bus.Subscribe(b.Client("test"), func(_ context.Context, e bus.Event[alerts.Notice]) error { news <- e.Type; return nil })
	if err != nil {
		t.Fatal(err)
	}
	id := h.create()
	h.fire(id, vm.StartRequested)
	if got := <-news; got != "alert.stuck.raised" {
		t.Errorf("news: %s", got)
	}
	h.fire(id, vm.OperationSucceeded)
	if got := <-news; got != "alert.stuck.cleared" {
		t.Errorf("news: %s", got)
	}
}

func TestFailureRate(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(h *house)
		want []string
	}{
		{"too few", func(h *house) { h.outcomes(0, 4) }, nil},
		{"too small a part", func(h *house) { h.outcomes(6, 0); h.outcomes(0, 5) }, nil},
		{"enough", func(h *house) { h.outcomes(5, 0); h.outcomes(0, 5) }, []string{"failure_rate 1 active"}},
		{"between the thresholds it stays", func(h *house) { h.outcomes(0, 5); h.outcomes(15, 0) }, []string{"failure_rate 1 active"}},
		{"below the lower it's cleared", func(h *house) { h.outcomes(0, 5); h.outcomes(16, 0) }, []string{"failure_rate 1 cleared"}},
		{"again", func(h *house) { h.outcomes(0, 5); h.outcomes(16, 0); h.outcomes(0, 11) }, []string{"failure_rate 1 cleared", "failure_rate 1 active"}},
		{"time heals", func(h *house) { h.outcomes(0, 5); h.later(5*time.Minute + 5*time.Second) }, []string{"failure_rate 1 cleared"}},
		{"but takes its time", func(h *house) { h.outcomes(0, 5); h.later(4 * time.Minute) }, []string{"failure_rate 1 active"}},
		{"the window moves", func(h *house) { h.outcomes(0, 4); h.later(6 * time.Minute); h.outcomes(0, 1) }, nil},
		{"old news don't count", func(h *house) {
			h.stop() // what the journal says is an hour old when it's read
			id := h.create()
			for range 6 {
				h.fire(id, vm.StartRequested, vm.OperationFailed)
			}
			h.clock.add(time.Hour)
			h.start("")
			h.settle()
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := open(t, `{"stuck": {"disabled": true}}`)
			c.do(h)
			got := h.alerts()
			for n := range got { // how many repeats there are depends on how the events come in batches
				fields := strings.Fields(got[n])
				got[n] = fields[0] + " 1 " + fields[2]
			}
			if !slices.Equal(got, append([]string{}, c.want...)) {
				t.Errorf("alerts %q, want %q", got, c.want)
			}
		})
	}
}

func TestFailureRateCountsRepeats(t *testing.T) {
	h := open(t, "")
	h.outcomes(0, 5)
	found, _, err := h.watch.List(t.Context(), alerts.Query{Active: true})
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	first := found[0]
	h.clock.add(time.Minute)
	h.outcomes(0, 3)
	found, _, err = h.watch.List(t.Context(), alerts.Query{Active: true})
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	if a := found[0]; a.Count != first.Count+3 || a.ID != first.ID || a.LastAt.Sub(a.RaisedAt) != time.Minute || a.Severity != alerts.Critical ||
		a.Message != "8 of 8 vm operations failed within 5m0s" {
		t.Errorf("alert %+v, at first %+v", a, first)
	}
	if got := h.events(); !slices.Equal(got, []string{"alert.failure_rate.raised"}) {
		t.Errorf("events %q", got)
	}
}

func TestReplayRaisesNothingTwice(t *testing.T) {
	h := open(t, "")
	h.outcomes(0, 5)
	id := h.create()
	h.fire(id, vm.StartRequested)
	h.later(10 * time.Minute)
	h.fire(id, vm.OperationSucceeded)
	h.settle()
	before, events := h.alerts(), h.events()
	h.stop()
	if err := h.bus.Journal().(*journal.Journal).Rewind(t.Context(), alerts.Name, 0); err != nil {
		t.Fatal(err)
	}
	h.start("")
	h.settle()
	h.want(before...)
	if got := h.events(); !slices.Equal(got, events) {
		t.Errorf("events %q, before %q", got, events)
	}
}

func TestDisabledRulesSayNothing(t *testing.T) {
	h := open(t, `{"stuck": {"disabled": true}, "failure_rate": {"disabled": true}}`)
	h.outcomes(0, 9)
	h.fire(h.create(), vm.StartRequested)
	h.later(time.Hour)
	h.want()
}

func TestWrongOptions(t *testing.T) {
	for _, c := range []struct {
		name    string
		options alerts.Options
		config  string
		want    string
	}{
		{name: "unknown key", config: `{"stuk": {}}`, want: `key "stuk": is unknown (allowed: failure_rate, stuck)`},
		{name: "unknown key inside", config: `{"failure_rate": {"windw": "5m"}}`,
			want: `key "failure_rate.windw": is unknown (allowed: clear_percent, disabled, min_failures, raise_percent, severity, window)`},
		{name: "no duration", config: `{"failure_rate": {"window": "5"}}`, want: `"5" is no duration`},
		{name: "number as duration", config: `{"failure_rate": {"window": 5}}`, want: `failure_rate.window`},
		{name: "short window", config: `{"failure_rate": {"window": "1ms"}}`, want: `option failure_rate.window is below 1s`},
		{name: "negative", config: `{"failure_rate": {"min_failures": -1}}`, want: `failure_rate.min_failures is not above 0`},
		{name: "over 100", config: `{"failure_rate": {"raise_percent": 101}}`, want: `failure_rate.raise_percent is not in 1 to 100`},
		{name: "no hysteresis", config: `{"failure_rate": {"raise_percent": 20, "clear_percent": 30}}`, want: `failure_rate.clear_percent is not in 1 to raise_percent`},
		{name: "severity", config: `{"stuck": {"severity": "bad"}}`, want: `option stuck.severity is "bad" (allowed: warning, critical)`},
		{name: "unknown kind", config: `{"stuck": {"limits": {"vms": {}}}}`, want: `option stuck.limits.vms is for an unknown kind (allowed: network, nic, vm, volume)`},
		{name: "steady state", config: `{"stuck": {"limits": {"nic": {"reserved": "1m"}}}}`,
			want: `option stuck.limits.nic.reserved is for no transitional state (allowed: releasing, reserving)`},
		{name: "no limit", config: `{"stuck": {"limits": {"nic": {"reserving": "0s"}}}}`, want: `option stuck.limits.nic.reserving is not above 0`},
		{name: "nil machine", options: alerts.Options{Machines: []*fsm.Machine{nil}}, want: `option Machines has one that is nil`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, b := openStore(t, nil)
			o := plugins.Options{Bus: b, Logger: slog.New(slog.DiscardHandler), Config: map[string]json.RawMessage{alerts.Name: json.RawMessage(c.config)}}
			m, err := plugins.NewManager(o)
			if err != nil {
				t.Fatal(err)
			}
			if err := m.Add(alerts.New(c.options), plugins.Required()); err != nil {
				t.Fatal(err)
			}
			err = m.Start(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("start: %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestHTTP(t *testing.T) {
	h := open(t, "")
	var ids []string
	for range 3 {
		ids = append(ids, h.create())
		h.fire(ids[len(ids)-1], vm.StartRequested)
		h.later(10 * time.Minute)
	}
	h.fire(ids[0], vm.OperationSucceeded)
	h.settle()
	get := func(query string) (int, []string, map[string]any) {
		w := httptest.NewRecorder()
		h.manager.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/v1/alerts?"+query, nil))
		var body map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		var about []string
		list, _ := body["alerts"].([]any)
		for _, a := range list {
			about = append(about, a.(map[string]any)["resource_id"].(string))
		}
		return w.Code, about, body
	}
	for _, c := range []struct {
		query string
		want  []string
	}{
		{"", []string{ids[2], ids[1], ids[0]}},
		{"active=true", []string{ids[2], ids[1]}},
		{"active=false", []string{ids[2], ids[1], ids[0]}},
		{"resource=" + ids[1] + "&kind=vm&name=stuck&tenant=acme", []string{ids[1]}},
		{"name=failure_rate", nil},
	} {
		if status, got, _ := get(c.query); status != 200 || !slices.Equal(got, c.want) {
			t.Errorf("%s: %d %q, want %q", c.query, status, got, c.want)
		}
	}
	_, got, body := get("limit=2")
	if next, _ := body["next"].(string); len(got) == 2 && next != "" {
		if _, rest, last := get("limit=2&before=" + next); !slices.Equal(append(got, rest...), []string{ids[2], ids[1], ids[0]}) || last["next"] != nil {
			t.Errorf("pages %q %q, then %v", got, rest, last["next"])
		}
	} else {
		t.Errorf("first page %v", body)
	}
	for query, want := range map[string]string{
		"actve=true":   `unknown parameter "actve" (allowed: active, name, kind, resource, tenant, before, limit)`,
		"active=maybe": `active "maybe" is neither true nor false`,
		"limit=0":      `limit "0" is not in 1 to 1000`,
		"limit=1001":   `limit "1001" is not in 1 to 1000`,
		"limit=x":      `limit "x" is not in 1 to 1000`,
		"before=x":     `before "x" is no alert's id`,
	} {
		if status, _, body := get(query); status != 400 || !strings.Contains(fmt.Sprint(body["error"]), want) {
			t.Errorf("%s: %d %v, want %s", query, status, body, want)
		}
	}
}
