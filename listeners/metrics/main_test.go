package metrics_test

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	"go.uber.org/goleak"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/listeners/metrics"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/memstore"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	ctx   = context.Background()
	quiet = slog.New(slog.DiscardHandler)
)

// rig is an engine in memory that is watched.
type rig struct {
	t        *testing.T
	registry *prometheus.Registry
	metrics  *metrics.Metrics
	bus      *bus.Bus
	engine   *resources.Engine
	vms      *resources.Kind[vm.VM]
}

// newRig makes one; wrap, which may be nil, gets its store.
func newRig(t *testing.T, o metrics.Options, wrap func(resources.Store) resources.Store, more ...resources.Listener) *rig {
	t.Helper()
	r := &rig{t: t, registry: prometheus.NewPedanticRegistry()}
	o.Registerer = r.registry
	var store resources.Store = memstore.New(memstore.Options{})
	if wrap != nil {
		store = wrap(store)
	}
	r.bus = bus.New(bus.Options{Logger: quiet, Source: "test", Journal: store.Journal()})
	var err error
	if r.metrics, err = metrics.New(o); err != nil {
		t.Fatal(err)
	}
	all := append([]resources.Listener{listeners.Post(), r.metrics}, more...)
	if r.engine, err = resources.New(resources.Options{Store: store, Bus: r.bus, Logger: quiet, Listeners: all}); err != nil {
		t.Fatal(err)
	}
	if r.vms, err = resources.Register[vm.VM](r.engine, vm.Machine); err != nil {
		t.Fatal(err)
	}
	if err := r.metrics.Watch(r.engine); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) close() {
	r.t.Helper()
	if err := errors.Join(r.metrics.Close(ctx), r.bus.Close(ctx)); err != nil {
		r.t.Error(err)
	}
}

func (r *rig) create(id string) {
	r.t.Helper()
	if _, err := r.vms.Create(ctx, vm.VM{Object: resources.Object{ID: id, Tenant: "acme"}}); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) fire(id string, on fsm.Trigger, opts ...resources.Option) {
	_, _ = r.vms.Fire(ctx, id, on, opts...)
}

// scrape returns the page.
func (r *rig) scrape() string {
	r.t.Helper()
	families, err := r.registry.Gather()
	if err != nil {
		r.t.Fatal(err)
	}
	var page strings.Builder
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&page, f); err != nil {
			r.t.Fatal(err)
		}
	}
	return page.String()
}

// want checks that lines are on the page, and that lines without a value aren't.
func (r *rig) want(lines ...string) {
	r.t.Helper()
	page := "\n" + r.scrape()
	for _, line := range lines {
		if there := strings.Contains(page, "\n"+line+"\n"); !there {
			name, _, _ := strings.Cut(line, "{")
			r.t.Errorf("not on the page: %s\nthere is\n%s", line, grep(page, name))
		}
	}
}

// wantNone checks that nothing begins like that.
func (r *rig) wantNone(begin string) {
	r.t.Helper()
	if page := "\n" + r.scrape(); strings.Contains(page, "\n"+begin) {
		r.t.Errorf("on the page:\n%s", grep(page, begin))
	}
}

func grep(page, text string) string {
	var found []string
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, text) {
			found = append(found, line)
		}
	}
	return strings.Join(found, "")
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (rewrite it with -update):\n%s", path, got)
	}
}
