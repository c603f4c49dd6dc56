package memstore_test

import (
	"context"
	"fmt"
	"log"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/memstore"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

func Example() {
	ctx := context.Background()
	store := memstore.New(memstore.Options{})
	b := bus.New(bus.Options{Journal: store.Journal()})
	defer b.Close(ctx)
	engine, err := resources.New(resources.Options{Store: store, Bus: b, Listeners: []resources.Listener{listeners.Post()}})
	if err != nil {
		log.Fatal(err)
	}
	vms, err := resources.Register[vm.VM](engine, vm.Machine)
	if err != nil {
		log.Fatal(err)
	}
	v, err := vms.Create(ctx, vm.VM{CPUs: 2, MemoryMiB: 4096})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := vms.Fire(ctx, v.ID, vm.StartRequested); err != nil {
		log.Fatal(err)
	}
	records, err := store.Journal().Read(ctx, 0, 10)
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range records {
		fmt.Println(r.Seq, r.Type)
	}
	// Output:
	// 1 vm.created
	// 2 vm.state.starting
}
