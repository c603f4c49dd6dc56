package usage_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/plugins/plugintest"
	"github.com/cloudbus-go/cloudbus/plugins/usage"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

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
	store, b := openStore(t)
	h := &house{t: t, store: store, bus: b, vms: newVMs(t, store, b), now: at(100)}
	id := h.create("acme", 2, at(0))
	h.fire(id, vm.ReportRunning, at(10), resources.Actor("user:7"))
	h.fire(id, vm.ReportStopped, at(20))
	h.start() // and so reads all in one batch
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
