package examples_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/plugins/alerts"
	"github.com/cloudbus-go/cloudbus/plugins/usage"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
	"github.com/cloudbus-go/cloudbus/resources/network"
	"github.com/cloudbus-go/cloudbus/resources/nic"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"github.com/cloudbus-go/cloudbus/resources/volume"
)

// firstDatabase makes a database as the first release left it: testdata/first-schema.sql is the dump of a server's that was stopped while the
// VM web1 was starting. It has 28 events, all of them read by usage, alerts, the hypervisor and the bridge.
func firstDatabase(t *testing.T) (path string) {
	t.Helper()
	dump, err := os.ReadFile("testdata/first-schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "cloudbus.db")
	change(t, path, "PRAGMA journal_mode = WAL", string(dump))
	return path
}

// change runs statements on a database that nobody has open.
func change(t *testing.T, path string, texts ...string) {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	for _, text := range texts {
		if _, err := db.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// office is what a server has, without its broker.
type office struct {
	store   *gormstore.Store
	bus     *bus.Bus
	engine  *resources.Engine
	vms     *resources.Kind[vm.VM]
	usage   *usage.Plugin
	plugins *plugins.Manager
}

// openOffice opens all that today's binary has.
func openOffice(t *testing.T, path string) (o *office, err error) {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	o = &office{usage: usage.New(usage.Options{})}
	if o.store, err = sqlite.Open(path, sqlite.Options{Logger: quiet}); err != nil {
		return nil, err
	}
	atEnd(t, o.store.Close)
	o.bus = bus.New(bus.Options{Journal: o.store.Journal(), Logger: quiet})
	atEnd(t, o.bus.Close)
	o.engine, err = resources.New(resources.Options{Store: o.store, Bus: o.bus, Logger: quiet, Listeners: []resources.Listener{listeners.Post()}})
	if err != nil {
		return nil, err
	}
	o.vms, err = resources.Register[vm.VM](o.engine, vm.Machine)
	_, err2 := resources.Register[volume.Volume](o.engine, volume.Machine)
	_, err3 := resources.Register[nic.NIC](o.engine, nic.Machine)
	_, err4 := resources.Register[network.Network](o.engine, network.Machine)
	if err := errors.Join(err, err2, err3, err4); err != nil {
		return nil, err
	}
	if o.plugins, err = plugins.NewManager(plugins.Options{Bus: o.bus, Logger: quiet}); err != nil {
		return nil, err
	}
	for _, p := range []plugins.Plugin{o.usage, alerts.New(alerts.Options{})} {
		if err := o.plugins.Add(p, plugins.Required()); err != nil {
			return nil, err
		}
	}
	atEnd(t, o.plugins.Close)
	return o, o.plugins.Start(t.Context())
}

func atEnd(t *testing.T, stop func(context.Context) error) {
	t.Helper()
	t.Cleanup(func() {
		if err := stop(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
}

func (o *office) query(t *testing.T, text string) (rows []string) {
	t.Helper()
	if err := o.store.Writer().DB().Raw(text).Scan(&rows).Error; err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestADatabaseOfTheFirstReleaseIsTakenOver(t *testing.T) {
	o, err := openOffice(t, firstDatabase(t))
	if err != nil {
		t.Fatal(err)
	}
	const intervals = "SELECT meter || ' ' || resource_id || ' ' || (closed_seq <> 0) FROM usage_intervals ORDER BY opened_seq, meter"
	check := func(what string, got []string, want ...string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n%s, want\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	check("resources", o.states(t), "db1 running 3", "web1 starting 6", "web2 expunged 3", "root1 ready 3", "nic1 reserved 3", "net1 allocated 1")
	check("ledger", o.query(t, intervals), "vm.allocated web1 0", "vm.allocated web2 1", "vm.allocated db1 0", "vm.running web1 1",
		"volume.allocated root1 0", "nic.reserved nic1 0", "vm.running db1 0")
	cursors, err := o.store.Writer().Cursors(t.Context())
	at := map[string]uint64{}
	for _, c := range cursors {
		at[c.Name] = c.Seq
	}
	delete(at, alerts.EventsName) // is new: the first release had no rules over events
	if want := map[string]uint64{"alerts": 28, "bridge_nats": 28, "hypervisor": 28, "usage": 28}; err != nil || !maps.Equal(at, want) {
		t.Errorf("cursors %v, %v, want %v", at, err, want)
	}
	if events, changes := o.replay(t); events < 28 || changes != 19 {
		t.Errorf("%d events can be read, %d of them changes, want at least 28, and 19", events, changes)
	}

	if n, err := o.engine.ReportStuck(t.Context()); n != 1 || err != nil {
		t.Errorf("%d are stuck (%v), want web1", n, err)
	}
	ch, err := o.vms.Fire(t.Context(), "web1", vm.OperationSucceeded)
	if err != nil || ch.Version != 7 {
		t.Errorf("web1 goes on: version %d, %v", ch.Version, err)
	}
	if err := o.bus.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := o.query(t, intervals); len(got) != 8 || got[7] != "vm.running web1 0" {
		t.Errorf("ledger after the move: %q", got)
	}
	if first, last, err := o.store.Journal().Bounds(t.Context()); first != 1 || last < 30 || err != nil {
		t.Errorf("the journal has %d to %d (%v)", first, last, err)
	}
}

// states lists all resources, with their versions.
func (o *office) states(t *testing.T) (all []string) {
	t.Helper()
	for _, kind := range []string{"vm", "volume", "nic", "network"} {
		h, err := o.engine.Kind(kind)
		if err != nil {
			t.Fatal(err)
		}
		items, _, err := h.List(t.Context(), resources.Query{})
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range items {
			r := resources.ObjectOf(item)
			all = append(all, fmt.Sprintf("%s %s %d", r.ID, r.State, r.Version))
		}
	}
	return all
}

// replay reads the journal from its beginning, decoded.
func (o *office) replay(t *testing.T) (events, changes int) {
	t.Helper()
	c := o.bus.Client("test")
	_, err := bus.Subscribe(c, func(context.Context, bus.Event[any]) error { events++; return nil }, bus.From(0))
	_, err2 := bus.Subscribe(c, func(_ context.Context, e bus.Event[resources.AnyChanged]) error {
		if e.Payload.What().To == fsm.State("") {
			t.Errorf("%s of %s says no state", e.Type, e.Subject())
		}
		changes++
		return nil
	}, bus.From(0))
	if err := errors.Join(err, err2, o.bus.Flush(t.Context()), c.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	return events, changes
}

// A binary of yesterday must not touch what a newer one has changed.
func TestADatabaseOfANewerReleaseIsLeftAlone(t *testing.T) {
	for _, component := range []string{"journal", "resources", "kind_vm", "plugin_usage"} {
		t.Run(component, func(t *testing.T) {
			path := firstDatabase(t)
			if o, err := openOffice(t, path); err != nil {
				t.Fatal(err)
			} else if err := errors.Join(o.plugins.Close(t.Context()), o.bus.Close(t.Context()), o.store.Close(t.Context())); err != nil {
				t.Fatal(err)
			}
			change(t, path, "INSERT INTO goose_"+component+" (version_id, is_applied) VALUES (999, 1)")
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			t.Run("open", func(t *testing.T) {
				if _, err := openOffice(t, path); !errors.Is(err, journal.ErrNewerSchema) || !strings.Contains(err.Error(), "999") {
					t.Errorf("%v, want ErrNewerSchema that says which version", err)
				}
			})
			after, err := os.ReadFile(path)
			if err != nil || !slices.Equal(before, after) {
				t.Errorf("the file was changed (%v)", err)
			}
		})
	}
}
