package cascade_test

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/plugins/cascade"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/memstore"
	"github.com/cloudbus-go/cloudbus/resources/network"
	"github.com/cloudbus-go/cloudbus/resources/nic"
)

// A guard works on each store, with or without the plugin.
func ExampleNewGuard() {
	ctx := context.Background()
	store := memstore.New(memstore.Options{})
	b := bus.New(bus.Options{Journal: store.Journal(), Logger: slog.New(slog.DiscardHandler)})
	defer func() { _ = b.Close(ctx) }()
	guard, err := cascade.NewGuard(cascade.DefaultForbids()...)
	if err != nil {
		fmt.Println(err)
		return
	}
	engine, err := resources.New(resources.Options{Store: store, Bus: b, Listeners: []resources.Listener{guard}})
	if err != nil {
		fmt.Println(err)
		return
	}
	networks, _ := resources.Register[network.Network](engine, network.Machine)
	nics, _ := resources.Register[nic.NIC](engine, nic.Machine)
	_, _ = networks.Create(ctx, network.Network{Object: resources.Object{ID: "lan"}})
	_, _ = nics.Create(ctx, nic.NIC{Object: resources.Object{ID: "eth0"}, NetworkID: "lan"})
	_, _ = nics.Fire(ctx, "eth0", nic.ReservationRequested)

	_, err = networks.Fire(ctx, "lan", network.DeleteRequested)
	fmt.Println(err)
	_, _ = nics.Fire(ctx, "eth0", nic.CancelRequested)
	gone, err := networks.Fire(ctx, "lan", network.DeleteRequested)
	fmt.Println(gone.To, err)
	// Output:
	// resources: network/lan: listener "cascade" vetoed "delete_requested": network/lan can't become "deleted" while it is held by nic/eth0 (reserving) (network_id, rule network_in_use): release them first
	// deleted <nil>
}
