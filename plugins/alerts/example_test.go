package alerts_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/plugins/alerts"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// A VM has been starting for an hour, which is longer than the ten minutes that its machine allows.
func Example() {
	if err := watch(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// alert.stuck.raised: vm/web-1 has been starting since 2026-05-01T11:00:00Z, longer than the limit of 10m0s
	// alert.stuck.cleared
}

func watch(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "alerts")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	store, err := sqlite.Open(filepath.Join(dir, "cloud.db"), sqlite.Options{})
	if err != nil {
		return err
	}
	defer store.Close(ctx)
	noon := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	b := bus.New(bus.Options{Journal: store.Journal(), Now: func() time.Time { return noon }})
	defer b.Close(ctx)
	engine, err := resources.New(resources.Options{Store: store, Bus: b, Listeners: []resources.Listener{listeners.Post()}})
	if err != nil {
		return err
	}
	vms, err := resources.Register[vm.VM](engine, vm.Machine)
	if err != nil {
		return err
	}

	config := map[string]json.RawMessage{"alerts": json.RawMessage(`{"failure_rate": {"window": "10m", "min_failures": 20}}`)}
	m, err := plugins.NewManager(plugins.Options{Bus: b, Config: config, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	if err := m.Add(alerts.New(alerts.Options{}), plugins.Required()); err != nil {
		return err
	}
	if err := m.Start(ctx); err != nil {
		return err
	}
	defer m.Close(ctx)
	raised := make(chan alerts.Notice)
	_, err = bus.Subscribe(b.Client("pager"), func(_ context.Context, e bus.Event[alerts.Notice]) error { raised <- e.Payload; return nil })
	if err != nil {
		return err
	}

	if _, err := vms.Create(ctx, vm.VM{Object: resources.Object{ID: "web-1"}}, resources.At(noon.Add(-2*time.Hour))); err != nil {
		return err
	}
	if _, err := vms.Fire(ctx, "web-1", vm.StartRequested, resources.At(noon.Add(-time.Hour))); err != nil {
		return err
	}
	if _, err := engine.ReportStuck(ctx); err != nil { // a server has engine.Run do it when something is due
		return err
	}
	n := <-raised
	fmt.Printf("%s: %s\n", n.EventType(), n.Message)
	if _, err := vms.Fire(ctx, "web-1", vm.OperationSucceeded); err != nil {
		return err
	}
	fmt.Println((<-raised).EventType())
	return nil
}
