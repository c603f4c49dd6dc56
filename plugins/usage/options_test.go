package usage_test

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/plugins/usage"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/memstore"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

func start(t *testing.T, o usage.Options, b *bus.Bus) (*usage.Plugin, error) {
	t.Helper()
	m, err := plugins.NewManager(plugins.Options{Bus: b, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return at(3600) }})
	if err != nil {
		t.Fatal(err)
	}
	p := usage.New(o)
	if err := m.Add(p, plugins.Required()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return p, m.Start(t.Context())
}

func TestWrongOptions(t *testing.T) {
	running := fsm.States(vm.Running)
	for _, c := range []struct {
		name    string
		options usage.Options
		want    string
	}{
		{"no kind", usage.Options{Meters: []usage.Meter{{Name: "vm.on", States: running}}}, `meter "vm.on": name isn't .<what>`},
		{"other kind's name", usage.Options{Meters: []usage.Meter{{Kind: "vm", Name: "nic.on", States: running}}}, `name isn't vm.<what>`},
		{"name of three tokens", usage.Options{Meters: []usage.Meter{{Kind: "vm", Name: "vm.on.off", States: running}}}, `name isn't vm.<what>`},
		{"capitals", usage.Options{Meters: []usage.Meter{{Kind: "vm", Name: "vm.On", States: running}}}, `name isn't vm.<what>`},
		{"unknown kind", usage.Options{Meters: []usage.Meter{{Kind: "lb", Name: "lb.on", States: running}}}, `no machine for kind "lb" (known: network, nic, public_ip, snapshot, template, vm, volume)`},
		{"unknown state", usage.Options{Meters: []usage.Meter{{Kind: "vm", Name: "vm.on", States: fsm.States("on")}}}, `"on" is no steady state of vm`},
		{"transitional state", usage.Options{Meters: []usage.Meter{{Kind: "vm", Name: "vm.on", States: fsm.States(vm.Starting)}}}, `"starting" is no steady state of vm`},
		{"no state", usage.Options{Meters: []usage.Meter{{Kind: "vm", Name: "vm.on"}}}, `runs in no state`},
		{"twice", usage.Options{Meters: append(usage.DefaultMeters(), usage.DefaultMeters()[0])}, `meter "vm.allocated": is there twice`},
		{"nil machine", usage.Options{Machines: []*fsm.Machine{nil}}, `Options.Machines: one of them is nil`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, b := openStore(t)
			_, err := start(t, c.options, b)
			if e, ok := errors.AsType[*usage.OptionError](err); !ok || !strings.Contains(e.Error(), c.want) {
				t.Errorf("start: %v, want %s", err, c.want)
			}
		})
	}
}

func TestWithoutADatabase(t *testing.T) {
	b := bus.New(bus.Options{Logger: slog.New(slog.DiscardHandler), Journal: memstore.New(memstore.Options{}).Journal()})
	defer b.Close(t.Context())
	if _, err := start(t, usage.Options{}, b); !errors.Is(err, plugins.ErrNoDatabase) {
		t.Errorf("start: %v", err)
	}
}

// lamp is a kind from outside, of which light is billed.
type lamp struct {
	resources.Object
	Watts int64 `json:"watts" gorm:"column:watts;type:bigint;not null"`
}

var lampMachine = fsm.MustNew(fsm.Spec{
	Kind: "lamp", Initial: fsm.States("off"), Endless: true,
	Edges: []fsm.Edge{{From: fsm.States("off"), On: "switch_on", To: "on"}, {From: fsm.States("on"), On: "switch_off", To: "off"}},
})

func (*lamp) Migrations() fs.FS {
	return fstest.MapFS{"00001_lamps.sql": {Data: []byte(`-- +goose Up
CREATE TABLE lamps (id TEXT PRIMARY KEY, tenant TEXT NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL, origin TEXT NOT NULL, operation TEXT NOT NULL,
	version BIGINT NOT NULL, state_since BIGINT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, removed_at BIGINT NOT NULL, watts BIGINT NOT NULL);
`)}}
}

func newLamps(t *testing.T, store *gormstore.Store, b *bus.Bus) *resources.Kind[lamp] {
	t.Helper()
	engine, err := resources.New(resources.Options{Store: store, Bus: b, Listeners: []resources.Listener{listeners.Post()}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	lamps, err := resources.Register[lamp](engine, lampMachine)
	if err != nil {
		t.Fatal(err)
	}
	return lamps
}

func TestAKindFromOutside(t *testing.T) {
	store, b := openStore(t)
	lamps := newLamps(t, store, b)
	p, err := start(t, usage.Options{
		Machines: []*fsm.Machine{lampMachine},
		Meters: []usage.Meter{{Kind: "lamp", Name: "lamp.light", States: fsm.States("on"),
			Size: usage.SizeOf(func(l *lamp) usage.Size { return usage.Size{Units: l.Watts} })}},
	}, b)
	if err != nil {
		t.Fatal(err)
	}
	l, err := lamps.Create(t.Context(), lamp{Watts: 60}, resources.At(at(0)))
	if err != nil {
		t.Fatal(err)
	}
	for n, on := range []fsm.Trigger{"switch_on", "switch_off", "switch_on"} {
		if _, err := lamps.Fire(t.Context(), l.ID, on, resources.At(at(float64(n)))); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	report, err := p.Report(t.Context(), usage.Query{To: at(10)})
	if err != nil {
		t.Fatal(err)
	}
	want := usage.Row{Kind: "lamp", Meter: "lamp.light", Size: usage.Size{Units: 60}, Seconds: usage.Amount{Seconds: 9}, Total: usage.Amount{Seconds: 9}, Intervals: 2, Open: 1}
	if len(report.Rows) != 1 || report.Rows[0] != want {
		t.Errorf("rows %+v, want %+v", report.Rows, want)
	}
}

func TestSizeOfRefusesAnotherKind(t *testing.T) {
	size := usage.SizeOf(func(*lamp) usage.Size { return usage.Size{} })
	if _, err := size(&vm.VM{}); err == nil || !strings.Contains(err.Error(), "the resource is a *vm.VM, not a *usage_test.lamp") {
		t.Errorf("error %v", err)
	}
}
