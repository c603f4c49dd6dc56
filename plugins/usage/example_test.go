package usage_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/plugins/usage"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// A VM is created at noon, runs from one to three, and is destroyed at four.
func Example() {
	if err := bill(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// from,to,tenant,kind,meter,resource_id,cpus,memory_mib,gib,units,seconds,intervals,open,corrections,total
	// 2026-05-01T00:00:00Z,2026-05-02T00:00:00Z,acme,vm,vm.allocated,,2,4096,0,0,14400,1,0,0,14400
	// 2026-05-01T00:00:00Z,2026-05-02T00:00:00Z,acme,vm,vm.running,,2,4096,0,0,7200,1,0,0,7200
}

func bill(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "usage")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	store, err := sqlite.Open(filepath.Join(dir, "cloud.db"), sqlite.Options{})
	if err != nil {
		return err
	}
	defer store.Close(ctx)
	b := bus.New(bus.Options{Journal: store.Journal()})
	defer b.Close(ctx)
	engine, err := resources.New(resources.Options{Store: store, Bus: b, Listeners: []resources.Listener{listeners.Post()}})
	if err != nil {
		return err
	}
	vms, err := resources.Register[vm.VM](engine, vm.Machine)
	if err != nil {
		return err
	}

	ledger := usage.New(usage.Options{})
	m, err := plugins.NewManager(plugins.Options{Bus: b, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	if err := m.Add(ledger, plugins.Required()); err != nil {
		return err
	}
	if err := m.Start(ctx); err != nil {
		return err
	}
	defer m.Close(ctx)

	may := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	v, err := vms.Create(ctx, vm.VM{Object: resources.Object{Tenant: "acme"}, CPUs: 2, MemoryMiB: 4096}, resources.At(may.Add(12*time.Hour)))
	if err != nil {
		return err
	}
	for _, step := range []struct {
		hour time.Duration
		on   fsm.Trigger
	}{{13, vm.ReportRunning}, {15, vm.ReportStopped}, {16, vm.DestroyRequested}} {
		if _, err := vms.Fire(ctx, v.ID, step.on, resources.At(may.Add(step.hour*time.Hour))); err != nil {
			return err
		}
	}
	if err := b.Flush(ctx); err != nil {
		return err
	}
	report, err := ledger.Report(ctx, usage.Query{From: may, To: may.AddDate(0, 0, 1)})
	if err != nil {
		return err
	}
	return report.WriteCSV(os.Stdout)
}
