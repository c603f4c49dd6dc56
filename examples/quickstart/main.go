// Command quickstart declares a kind of resource, listens to its changes and fires triggers. It needs no database.
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/memstore"
)

// Database is a managed resource: an Object and columns of its own.
type Database struct {
	resources.Object
	Engine string `json:"engine"`
}

var machine = fsm.MustNew(fsm.Spec{
	Kind: "database", Initial: fsm.States("stopped"), Final: fsm.States("deleted"),
	Limits: map[fsm.State]time.Duration{"starting": 10 * time.Minute}, // what has a limit is on its way
	Edges: []fsm.Edge{
		{From: fsm.States("stopped"), On: "start_requested", To: "starting"},
		{From: fsm.States("stopped"), On: "delete_requested", To: "deleted"},
		{From: fsm.States("starting"), On: fsm.OperationSucceeded, To: "running"},
		{From: fsm.States("starting"), On: fsm.OperationFailed, To: fsm.Origin},
		{From: fsm.States("running"), On: "stop_requested", To: "stopped"},
	},
})

func main() {
	ctx := context.Background()
	store := memstore.New(memstore.Options{})
	b := bus.New(bus.Options{Journal: store.Journal()})
	engine := must(resources.New(resources.Options{Store: store, Bus: b, Listeners: []resources.Listener{listeners.Post()}}))
	databases := must(resources.Register[Database](engine, machine))

	must(bus.Subscribe(b.Client("console"), func(_ context.Context, e bus.Event[resources.Changed[Database]]) error {
		fmt.Println(e.Seq, e.Type, e.Subject(), e.Payload.Resource.Engine)
		return nil
	}))
	must(databases.Create(ctx, Database{Object: resources.Object{ID: "orders"}, Engine: "postgres"}))
	start := must(databases.Fire(ctx, "orders", "start_requested"))
	must(databases.Fire(ctx, "orders", fsm.OperationSucceeded, resources.Operation(start.Operation)))
	_, refused := databases.Fire(ctx, "orders", "delete_requested")

	must(b, b.Close(ctx)) // waits until everyone has handled what was there
	fmt.Println(refused)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
