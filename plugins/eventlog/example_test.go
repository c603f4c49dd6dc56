package eventlog_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/plugins/eventlog"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// A VM fails to start. An operator looks for what is worth a warning.
func Example() {
	if err := look(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 3 warning vm.state.stopped vm/web-1 by user:42
	// 3 events, of which 1 tells of "no hosts left"
}

func look(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "eventlog")
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
	log := eventlog.New(eventlog.Options{})
	m, err := plugins.NewManager(plugins.Options{Bus: b, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	if err := m.Add(log, plugins.Required()); err != nil {
		return err
	}
	if err := m.Start(ctx); err != nil {
		return err
	}
	defer m.Close(ctx)

	if _, err := vms.Create(ctx, vm.VM{Object: resources.Object{ID: "web-1"}}); err != nil {
		return err
	}
	if _, err := vms.Fire(ctx, "web-1", vm.StartRequested); err != nil {
		return err
	}
	if _, err := vms.Fire(ctx, "web-1", vm.OperationFailed, resources.Actor("user:42"), resources.Reason("no hosts left")); err != nil {
		return err
	}
	if err := b.Flush(ctx); err != nil { // a server's log is behind by some milliseconds
		return err
	}
	page, err := log.List(ctx, eventlog.Query{Levels: []string{eventlog.Warning, eventlog.Error}})
	if err != nil {
		return err
	}
	for _, e := range page.Events {
		fmt.Println(e.Seq, e.Level, e.Type, e.Subject(), "by", e.Actor)
	}
	all, err := log.List(ctx, eventlog.Query{Kind: "vm", ResourceID: "web-1"})
	if err != nil {
		return err
	}
	some, err := log.List(ctx, eventlog.Query{Text: `"no hosts left"`})
	if err != nil {
		return err
	}
	fmt.Printf("%d events, of which %d tells of \"no hosts left\"\n", len(all.Events), len(some.Events))
	return nil
}
