package usage_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/plugins/plugintest"
	"github.com/cloudbus-go/cloudbus/plugins/usage"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time { return noon.Add(time.Duration(seconds * float64(time.Second))) }

// house is a server with a ledger.
type house struct {
	t       testing.TB
	store   *gormstore.Store
	bus     *bus.Bus
	vms     *resources.Kind[vm.VM]
	manager *plugins.Manager
	ledger  *usage.Plugin
	now     time.Time
}

func openStore(t testing.TB) (*gormstore.Store, *bus.Bus) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	store, err := sqlite.Open(filepath.Join(t.TempDir(), "test.db"), sqlite.Options{Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	b := bus.New(bus.Options{Logger: log, Journal: store.Journal()})
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

func open(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, now: at(3600)}
	h.store, h.bus = openStore(t)
	h.vms = newVMs(t, h.store, h.bus)
	h.start()
	return h
}

func (h *house) start() {
	h.t.Helper()
	h.ledger = usage.New(usage.Options{})
	var err error
	h.manager, err = plugins.NewManager(plugins.Options{Bus: h.bus, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return h.now }})
	if err != nil {
		h.t.Fatal(err)
	}
	if err := h.manager.Add(h.ledger, plugins.Required()); err != nil {
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

func (h *house) create(tenant string, cpus int, when time.Time) string {
	h.t.Helper()
	v, err := h.vms.Create(h.t.Context(), vm.VM{Object: resources.Object{Tenant: tenant}, CPUs: cpus, MemoryMiB: 1024}, resources.At(when))
	if err != nil {
		h.t.Fatal(err)
	}
	return v.ID
}

func (h *house) fire(id string, on fsm.Trigger, when time.Time, opts ...resources.Option) {
	h.t.Helper()
	if _, err := h.vms.Fire(h.t.Context(), id, on, append(opts, resources.At(when))...); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) settle() {
	h.t.Helper()
	if err := h.bus.Flush(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) totals(q usage.Query) map[string]string {
	h.t.Helper()
	h.settle()
	totals, err := h.ledger.Totals(h.t.Context(), q)
	if err != nil {
		h.t.Fatal(err)
	}
	got := make(map[string]string)
	for meter, total := range totals {
		text, err := json.Marshal(total)
		if err != nil {
			h.t.Fatal(err)
		}
		got[meter] = string(text)
	}
	return got
}

func (h *house) want(q usage.Query, want map[string]string) {
	h.t.Helper()
	got := h.totals(q)
	for meter, text := range want {
		if got[meter] != text {
			h.t.Errorf("%s: %s, want %s", meter, got[meter], text)
		}
	}
	if len(got) != len(want) {
		h.t.Errorf("totals %v, want %v", got, want)
	}
}

func TestContract(t *testing.T) {
	var store *gormstore.Store
	plugintest.Run(t, func() plugins.Plugin { return usage.New(usage.Options{}) },
		plugintest.Database(func(t testing.TB) (b *bus.Bus) { store, b = openStore(t); return b }),
		plugintest.Feed(func(t testing.TB, b *bus.Bus) {
			h := &house{t: t, bus: b, vms: newVMs(t, store, b)}
			for n := range 5 {
				id := h.create("acme", 1+n, at(0))
				h.fire(id, vm.ReportRunning, at(1))
				h.fire(id, vm.StopRequested, at(2))
				h.fire(id, vm.OperationFailed, at(3))
				h.fire(id, vm.StopRequested, at(4))
			}
		}))
}

func TestLifeOfAVM(t *testing.T) {
	h := open(t)
	id := h.create("acme", 2, at(0))
	h.fire(id, vm.StartRequested, at(10))
	h.fire(id, vm.OperationSucceeded, at(12.5))
	h.fire(id, vm.PauseRequested, at(20))
	h.fire(id, vm.OperationSucceeded, at(21))
	h.fire(id, vm.StopRequested, at(30))
	h.want(usage.Query{}, map[string]string{"vm.allocated": `{"seconds":3600,"open":1}`, "vm.running": `{"seconds":3587.5,"open":1}`})
	h.fire(id, vm.OperationSucceeded, at(31.000000001))
	h.fire(id, vm.DestroyRequested, at(40))
	h.fire(id, vm.ExpungeRequested, at(50))
	h.fire(id, vm.OperationSucceeded, at(60))
	h.want(usage.Query{}, map[string]string{"vm.allocated": `{"seconds":40,"open":0}`, "vm.running": `{"seconds":18.500000001,"open":0}`})
}

func TestAFailedOperationStopsNoMeter(t *testing.T) {
	h := open(t)
	id := h.create("acme", 2, at(0))
	h.fire(id, vm.ReportRunning, at(10))
	h.fire(id, vm.MigrationRequested, at(20))
	h.fire(id, vm.OperationFailed, at(30))
	h.settle()
	report, err := h.ledger.Report(t.Context(), usage.Query{Meter: "vm.running"})
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Rows) != 1 || report.Rows[0].Intervals != 1 || report.Rows[0].Open != 1 {
		t.Errorf("rows %+v, want one interval, open", report.Rows)
	}
}

func TestResizeClosesAndOpens(t *testing.T) {
	h := open(t)
	id := h.create("acme", 2, at(0))
	if _, err := h.vms.Update(t.Context(), id, func(v *vm.VM) error { v.CPUs = 4; return nil }, resources.At(at(100))); err != nil {
		t.Fatal(err)
	}
	if _, err := h.vms.Update(t.Context(), id, func(v *vm.VM) error { v.Hostname = "web"; return nil }, resources.At(at(150))); err != nil {
		t.Fatal(err)
	}
	h.fire(id, vm.DestroyRequested, at(300))
	h.settle()
	report, err := h.ledger.Report(t.Context(), usage.Query{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range report.Rows {
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(text))
	}
	want := []string{
		`{"tenant":"acme","kind":"vm","meter":"vm.allocated","cpus":2,"memory_mib":1024,"seconds":100,"intervals":1,"open":0}`,
		`{"tenant":"acme","kind":"vm","meter":"vm.allocated","cpus":4,"memory_mib":1024,"seconds":200,"intervals":1,"open":0}`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("rows\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestReportClipsToTheWindow(t *testing.T) {
	h := open(t)
	id := h.create("acme", 2, at(0))
	h.fire(id, vm.DestroyRequested, at(100))
	h.create("bolt", 2, at(50)) // open
	for _, c := range []struct {
		name  string
		query usage.Query
		want  string
	}{
		{"all", usage.Query{}, `{"seconds":3650,"open":1}`},
		{"one tenant", usage.Query{Tenant: "acme"}, `{"seconds":100,"open":0}`},
		{"from the middle", usage.Query{From: at(30), Tenant: "acme"}, `{"seconds":70,"open":0}`},
		{"to the middle, when it was open", usage.Query{To: at(30), Tenant: "acme"}, `{"seconds":30,"open":1}`},
		{"inside", usage.Query{From: at(10), To: at(11), Tenant: "acme"}, `{"seconds":1,"open":1}`},
		{"to its end", usage.Query{To: at(100), Tenant: "acme"}, `{"seconds":100,"open":0}`},
		{"from its end", usage.Query{From: at(100), Tenant: "acme"}, ``},
		{"before", usage.Query{To: at(0)}, ``},
		{"after", usage.Query{From: at(100), To: at(200), Tenant: "bolt"}, `{"seconds":100,"open":1}`},
		{"beyond now", usage.Query{From: at(3500), To: at(9000)}, `{"seconds":100,"open":1}`},
		{"all in the future", usage.Query{From: at(4000), To: at(9000)}, `{"seconds":0,"open":1}`},
		{"nothing long", usage.Query{From: at(60), To: at(60)}, `{"seconds":0,"open":2}`},
		{"far away", usage.Query{From: time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC), To: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}, `{"seconds":3650,"open":1}`},
		{"one resource", usage.Query{ResourceID: id}, `{"seconds":100,"open":0}`},
		{"other kind", usage.Query{Kind: "volume"}, ``},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := h.totals(c.query)["vm.allocated"]; got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestReplayBillsNothingTwice(t *testing.T) {
	h := open(t)
	for n := range 3 {
		id := h.create("acme", 1+n, at(float64(n)))
		h.fire(id, vm.ReportRunning, at(10))
		if n > 0 {
			h.fire(id, vm.ReportStopped, at(20))
		}
	}
	before := h.totals(usage.Query{})
	_, last, err := h.bus.Journal().Bounds(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, position := range []uint64{0, 1, last / 2, last - 1} {
		if err := h.manager.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := h.bus.Journal().(*journal.Journal).Rewind(t.Context(), usage.Name, position); err != nil {
			t.Fatal(err)
		}
		h.start()
		after := h.totals(usage.Query{})
		if len(after) != len(before) || after["vm.running"] != before["vm.running"] || after["vm.allocated"] != before["vm.allocated"] {
			t.Errorf("replay from %d: %v, before %v", position, after, before)
		}
	}
	if _, now, err := h.bus.Journal().Bounds(t.Context()); err != nil || now != last {
		t.Errorf("the replays appended events: %d, before %d (%v)", now, last, err)
	}
}

func TestALateLedgerReadsTheJournalFromItsBeginning(t *testing.T) {
	store, b := openStore(t)
	h := &house{t: t, store: store, bus: b, vms: newVMs(t, store, b), now: at(100)}
	id := h.create("acme", 2, at(0))
	h.fire(id, vm.ReportRunning, at(10))
	h.start()
	h.want(usage.Query{}, map[string]string{"vm.allocated": `{"seconds":100,"open":1}`, "vm.running": `{"seconds":90,"open":1}`})
}

func TestEventsTellOfIntervals(t *testing.T) {
	h := open(t)
	id := h.create("acme", 2, at(0))
	h.fire(id, vm.ReportRunning, at(10), resources.Actor("user:7"))
	h.fire(id, vm.ReportStopped, at(20))
	h.settle()
	records, err := h.bus.Journal().(*journal.Journal).Query(t.Context(), journal.Query{Type: "usage.>"})
	if err != nil {
		t.Fatal(err)
	}
	changes, err := h.bus.Journal().(*journal.Journal).Query(t.Context(), journal.Query{Type: "vm.>"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range records {
		got = append(got, r.Type+" "+r.Time.Sub(noon).String()+" "+r.Tenant+" "+r.Kind)
		if r.ResourceID != id || !slices.ContainsFunc(changes, func(c bus.Record) bool { return c.ID.String() == r.CausationID && c.CorrelationID == r.CorrelationID }) {
			t.Errorf("%s is about %s and caused by %q (correlation %q), not by one of the changes of %s", r.Type, r.ResourceID, r.CausationID, r.CorrelationID, id)
		}
	}
	want := []string{
		"usage.vm.allocated.opened 0s acme vm", "usage.vm.running.opened 10s acme vm",
		"usage.vm.running.closed 20s acme vm",
	}
	if !slices.Equal(got, want) {
		t.Errorf("events %q, want %q", got, want)
	}
	var closed usage.Metered
	if err := json.Unmarshal(records[len(records)-1].Data, &closed); err != nil {
		t.Fatal(err)
	}
	if closed.OpenedSeq != changes[1].Seq || !closed.StartedAt.Equal(at(10)) || !closed.EndedAt.Equal(at(20)) || closed.Size.CPUs != 2 {
		t.Errorf("closed %+v", closed)
	}
}

func TestHTTP(t *testing.T) {
	h := open(t)
	id := h.create("=cmd()", 2, at(0))
	h.fire(id, vm.DestroyRequested, at(1.5))
	h.settle()
	for _, c := range []struct {
		name, query string
		status      int
		want        string
	}{
		{"all", "", 200, `"rows":[{"tenant":"=cmd()","kind":"vm","meter":"vm.allocated","cpus":2,"memory_mib":1024,"seconds":1.5,"intervals":1,"open":0}]`},
		{"window", "from=2026-05-01T12:00:01Z&to=2026-05-01T12:00:02Z", 200, `{"from":"2026-05-01T12:00:01Z","to":"2026-05-01T12:00:02Z","rows":[{"tenant":"=cmd()","kind":"vm","meter":"vm.allocated","cpus":2,"memory_mib":1024,"seconds":0.5,`},
		{"by", "by=resource", 200, `"rows":[{"resource_id":"` + id + `","seconds":1.5,"intervals":1,"open":0}]`},
		{"empty", "tenant=nobody", 200, `"rows":[]`},
		{"unknown parameter", "form=x", 400, `unknown parameter \"form\" (allowed: from, to, tenant, kind, meter, resource, by, format)`},
		{"twice", "kind=vm&kind=nic", 400, `given 2 times`},
		{"inverted", "from=2026-05-02T00:00:00Z&to=2026-05-01T00:00:00Z", 400, `is after to \"2026-05-01T00:00:00Z\"`},
		{"no time", "from=yesterday", 400, `from \"yesterday\" is no RFC 3339 time`},
		{"no zone", "to=2026-05-02T00:00:00", 400, `is no RFC 3339 time`},
		{"unknown kind", "kind=vms", 400, `kind \"vms\" is not metered (allowed: network, nic, vm, volume)`},
		{"unknown meter", "meter=vm.runing", 400, `meter \"vm.runing\" is unknown (allowed: network.implemented, nic.reserved, vm.allocated, vm.running, volume.allocated, volume.uploaded)`},
		{"unknown grouping", "by=tenant,colour", 400, `by \"colour\" is unknown (allowed: tenant, kind, meter, resource, size)`},
		{"grouping twice", "by=tenant,tenant", 400, `given twice`},
		{"unknown format", "format=xml", 400, `format \"xml\" is unknown (allowed: json, csv)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			h.manager.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/v1/usage?"+c.query, nil))
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
				t.Errorf("%d %s\nwant %d …%s…", w.Code, w.Body, c.status, c.want)
			}
			var body map[string]any
			if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
				t.Errorf("not JSON: %v", err)
			}
			if _, ok := body["error"]; ok != (c.status != 200) {
				t.Errorf("body %s", w.Body)
			}
		})
	}
}

func TestCSVIsHarmlessInASpreadsheet(t *testing.T) {
	h := open(t)
	id := h.create("=cmd()", 2, at(0))
	h.fire(id, vm.DestroyRequested, at(1.5))
	h.settle()
	w := httptest.NewRecorder()
	h.manager.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/v1/usage?format=csv&to=2026-05-02T00:00:00Z", nil))
	lines, err := csv.NewReader(w.Body).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{"from", "to", "tenant", "kind", "meter", "resource_id", "cpus", "memory_mib", "gib", "units", "seconds", "intervals", "open"},
		{"", "2026-05-02T00:00:00Z", "'=cmd()", "vm", "vm.allocated", "", "2", "1024", "0", "0", "1.5", "1", "0"},
	}
	if !slices.EqualFunc(lines, want, slices.Equal[[]string]) || w.Header().Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Errorf("%s\n%q", w.Header(), lines)
	}
}

func TestHealthSaysThatTheLedgerStands(t *testing.T) {
	store, b := openStore(t)
	h := &house{t: t, store: store, bus: b, vms: newVMs(t, store, b), now: at(100)}
	h.start()
	if s := h.manager.Status(t.Context())[0]; s.Err != nil || !s.Running {
		t.Errorf("at first: %+v", s)
	}
	if err := b.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := h.manager.Status(t.Context())[0]; s.Err == nil || !strings.Contains(s.Err.Error(), "no longer follows the journal") {
		t.Errorf("after the bus has closed: %+v", s)
	}
}
