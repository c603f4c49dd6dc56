package all_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/all"
	"github.com/cloudbus-go/cloudbus/resources/container"
	"github.com/cloudbus-go/cloudbus/resources/memstore"
	"github.com/cloudbus-go/cloudbus/resources/publicip"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.DiscardHandler)

func engineOn(t testing.TB, store resources.Store, log *slog.Logger) *resources.Engine {
	t.Helper()
	b := bus.New(bus.Options{Logger: log, Source: "test", Journal: store.Journal()})
	t.Cleanup(func() {
		if err := b.Close(context.Background()); err != nil {
			t.Errorf("close the bus: %v", err)
		}
	})
	e, err := resources.New(resources.Options{Store: store, Bus: b, Logger: log, Listeners: []resources.Listener{listeners.Post()}})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestRegisterAddsEveryKind(t *testing.T) {
	e := engineOn(t, memstore.New(memstore.Options{}), quiet)
	if err := all.Register(e); err != nil {
		t.Fatal(err)
	}
	want := []string{"cluster", "container", "host", "host_admin", "network", "nic", "public_ip", "snapshot", "template", "vm", "volume"}
	if got := e.Kinds(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, m := range all.Machines() {
		if h, err := e.Kind(m.Kind()); err != nil || h.Machine() != m {
			t.Errorf("%s: %v, its machine isn't the one that Machines lists", m.Kind(), err)
		}
	}
}

// TestEveryKindIsAmongThem: a folder with a machine is a kind, and nobody is to forget it.
func TestEveryKindIsAmongThem(t *testing.T) {
	files, err := filepath.Glob("../*/machine.go")
	if err != nil || len(files) != len(all.Machines()) {
		t.Errorf("%d folders with a machine (%v), but %d machines: %q", len(files), err, len(all.Machines()), files)
	}
	for _, m := range all.Machines() {
		if _, err := os.Stat(filepath.Join("..", strings.ReplaceAll(m.Kind(), "_", ""), "machine.go")); err != nil {
			t.Error(err)
		}
	}
}

func TestMachinesIsTheCallersList(t *testing.T) {
	all.Machines()[0] = nil
	if all.Machines()[0] != vm.Machine {
		t.Error("the caller's list is everybody's")
	}
}

func TestRegisterLeavesWhatIsThere(t *testing.T) {
	e := engineOn(t, memstore.New(memstore.Options{}), quiet)
	if _, err := resources.Register[vm.VM](e, vm.Machine, resources.Limit(vm.Migrating, 6*time.Hour)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := all.Register(e); err != nil {
			t.Fatal(err)
		}
	}
	h, err := e.Kind(vm.Kind)
	if err != nil {
		t.Fatal(err)
	}
	if limit, _ := h.Machine().Limit(vm.Migrating); limit != 6*time.Hour {
		t.Errorf("the limit of a migration is %v, want that of who registered first, 6h", limit)
	}
	if got := len(e.Kinds()); got != len(all.Machines()) {
		t.Errorf("%d kinds, want %d", got, len(all.Machines()))
	}
}

func TestRegisterRefuses(t *testing.T) {
	var invalid *resources.InvalidError
	if err := all.Register(nil); !errors.As(err, &invalid) {
		t.Errorf("no engine: %v, want an *InvalidError", err)
	}
	e := engineOn(t, memstore.New(memstore.Options{}), quiet)
	if err := all.Register(e, nil); !errors.As(err, &invalid) {
		t.Errorf("an option that is nil: %v, want an *InvalidError", err)
	}
	if got := e.Kinds(); len(got) != 0 {
		t.Errorf("registered all the same: %q", got)
	}
	// Of all kinds only VMs know how to pause.
	if err := all.Register(e, resources.Limit(vm.Pausing, time.Hour)); !errors.As(err, &invalid) {
		t.Errorf("a limit that most kinds can't have: %v, want an *InvalidError", err)
	}
	if got := e.Kinds(); !slices.Equal(got, []string{"vm"}) {
		t.Errorf("registered %q, want those that take the options", got)
	}
}

// TestPurgeIsForKindsThatEnd: with one option for all, what has no end has nothing to purge, and that is no error.
func TestPurgeIsForKindsThatEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		e := engineOn(t, memstore.New(memstore.Options{}), slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn})))
		containers, err := resources.Register[container.Container](e, container.Machine, resources.PurgeAfter(time.Hour))
		ips, err2 := resources.Register[publicip.PublicIP](e, publicip.Machine, resources.PurgeAfter(time.Hour))
		if err := errors.Join(err, err2, all.Register(e, resources.PurgeAfter(time.Hour))); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- e.Run(ctx) }()
		_, err = containers.Create(ctx, container.Container{Object: resources.Object{ID: "web"}})
		_, err2 = ips.Create(ctx, publicip.PublicIP{Object: resources.Object{ID: "ip"}})
		_, err3 := containers.Fire(ctx, "web", container.ReportDeleted)
		if err := errors.Join(err, err2, err3); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		if _, err := containers.Get(ctx, "web"); !errors.Is(err, resources.ErrNotFound) {
			t.Errorf("a container that was deleted 3 hours ago: %v, want ErrNotFound", err)
		}
		if _, err := ips.Get(ctx, "ip"); err != nil {
			t.Errorf("an address: %v", err)
		}
		cancel()
		<-ended
		if log.Len() > 0 {
			t.Errorf("logged:\n%s", log.String())
		}
	})
}
