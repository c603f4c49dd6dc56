package alerts_test

import (
	"slices"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/plugins/alerts"
	"github.com/cloudbus-go/cloudbus/plugins/plugintest"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

func TestContract(t *testing.T) {
	var store *gormstore.Store
	plugintest.Run(t, func() plugins.Plugin { return alerts.New(alerts.Options{}) },
		plugintest.Database(func(t testing.TB) (b *bus.Bus) { store, b = openStore(t, nil); return b }),
		plugintest.Config(`{"failure_rate": {"window": "1h"}}`),
		plugintest.Feed(func(t testing.TB, b *bus.Bus) {
			h := &house{t: t, bus: b}
			h.engine, h.vms = newVMs(t, store, b)
			h.outcomes(1, 7)
			h.fire(h.create(), vm.StartRequested)
			long := h.create()
			if _, err := h.vms.Fire(t.Context(), long, vm.MigrationRequested, resources.At(time.Now().Add(-30*time.Hour))); err != nil {
				t.Fatal(err)
			}
			if _, err := h.engine.ReportStuck(t.Context()); err != nil {
				t.Fatal(err)
			}
		}))
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
