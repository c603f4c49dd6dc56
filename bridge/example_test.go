package bridge_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/memstore"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// printer is a broker that prints what it takes.
type printer struct{}

func (printer) Send(_ context.Context, m bridge.Message) error {
	e, err := bridge.Decode(m.Data)
	if err != nil {
		return &bridge.RejectedError{ID: m.ID, Subject: m.Subject, Err: err}
	}
	fmt.Printf("%s: version %d\n", m.Subject, e.Version)
	return nil
}

func Example() {
	ctx := context.Background()
	quiet := slog.New(slog.DiscardHandler)
	store := memstore.New(memstore.Options{})
	b := bus.New(bus.Options{Journal: store.Journal(), Source: "cloudbus/eu1", Logger: quiet})
	engine, err := resources.New(resources.Options{Store: store, Bus: b, Listeners: []resources.Listener{listeners.Post()}})
	check(err)
	vms, err := resources.Register[vm.VM](engine, vm.Machine)
	check(err)

	relay, err := bridge.New(printer{}, bridge.Options{Name: "printer", Types: []string{"vm.>"}})
	check(err)
	manager, err := plugins.NewManager(plugins.Options{Bus: b, Logger: quiet})
	check(err)
	check(manager.Add(relay))
	check(manager.Start(ctx))

	web, err := vms.Create(ctx, vm.VM{Object: resources.Object{Tenant: "acme", Name: "web"}})
	check(err)
	_, err = vms.Fire(ctx, web.ID, vm.StartRequested)
	check(err)

	check(b.Flush(ctx)) // all is acknowledged
	check(manager.Close(ctx))
	check(b.Close(ctx))
	// Output:
	// cloudbus.acme.vm.created: version 1
	// cloudbus.acme.vm.state.starting: version 2
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
