package resources_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/memstore"
)

// Lamp is a kind: a struct that embeds Object.
type Lamp struct {
	resources.Object
	Watts int `json:"watts"`
}

// LampChanged is its event.
type LampChanged = resources.Changed[Lamp]

var lampMachine = fsm.MustNew(fsm.Spec{
	Kind: "lamp", Initial: fsm.States("off"), Final: fsm.States("broken"),
	Edges: []fsm.Edge{
		{From: fsm.States("off"), On: "switched_on", To: "on"},
		{From: fsm.States("on"), On: "switched_off", To: "off"},
		{From: fsm.States("off"), On: "switched_off", To: fsm.Same},
		{From: fsm.States("off", "on"), On: "dropped", To: "broken"},
	},
})

// newLamps is what a program does once: a store, a bus on its journal, an engine on both, and its kinds.
func newLamps(listen ...resources.Listener) (*resources.Kind[Lamp], *bus.Bus) {
	store := memstore.New(memstore.Options{})
	b := bus.New(bus.Options{Source: "example", Journal: store.Journal()})
	engine, err := resources.New(resources.Options{Store: store, Bus: b, Listeners: append([]resources.Listener{listeners.Post()}, listen...)})
	if err != nil {
		log.Fatal(err)
	}
	lamps, err := resources.Register[Lamp](engine, lampMachine)
	if err != nil {
		log.Fatal(err)
	}
	return lamps, b
}

func Example() {
	ctx := context.Background()
	lamps, b := newLamps()
	_, err := bus.Subscribe(b.Client("example"), func(_ context.Context, e bus.Event[LampChanged]) error {
		fmt.Println(e.Seq, e.Type, e.Subject(), "by", e.Actor)
		return nil
	}, bus.Durable("example"), bus.From(0))
	if err != nil {
		log.Fatal(err)
	}
	desk, err := lamps.Create(ctx, Lamp{Object: resources.Object{ID: "desk"}, Watts: 7}, resources.Actor("user:1"))
	if err != nil {
		log.Fatal(err)
	}
	if _, err := lamps.Fire(ctx, desk.ID, "switched_on", resources.Actor("user:2")); err != nil {
		log.Fatal(err)
	}
	if err := b.Flush(ctx); err != nil {
		log.Fatal(err)
	}
	_ = b.Close(ctx)
	// Output:
	// 1 lamp.created lamp/desk by user:1
	// 2 lamp.state.on lamp/desk by user:2
}

func ExampleKind_Fire() {
	ctx := context.Background()
	lamps, b := newLamps()
	defer b.Close(ctx)
	if _, err := lamps.Create(ctx, Lamp{Object: resources.Object{ID: "desk"}}); err != nil {
		log.Fatal(err)
	}
	c, err := lamps.Fire(ctx, "desk", "switched_on", lamps.Set(func(l *Lamp) error { l.Watts = 9; return nil }))
	fmt.Println(c.From, "→", c.To, c.Version, c.Resource.Watts, err)
	_, err = lamps.Fire(ctx, "desk", "switched_on")
	var refused *fsm.TransitionError
	fmt.Println(errors.As(err, &refused), refused.Allowed)
	// Output:
	// off → on 2 9 <nil>
	// true [switched_off dropped]
}

func ExampleKind_List() {
	ctx := context.Background()
	lamps, b := newLamps()
	defer b.Close(ctx)
	for i := range 5 {
		if _, err := lamps.Create(ctx, Lamp{Object: resources.Object{ID: fmt.Sprint("lamp-", i)}, Watts: i % 2}); err != nil {
			log.Fatal(err)
		}
	}
	query := resources.Query{Where: map[string]any{"watts": 0}, Limit: 2}
	for {
		page, err := lamps.List(ctx, query)
		if err != nil {
			log.Fatal(err)
		}
		for _, l := range page.Items {
			fmt.Println(l.ID)
		}
		if page.Next == "" {
			break
		}
		query.After = page.Next
		fmt.Println("next page")
	}
	// Output:
	// lamp-0
	// lamp-2
	// next page
	// lamp-4
}

// A listener can say no; nothing has happened then.
func ExampleListener() {
	ctx := context.Background()
	careful := listeners.Funcs{
		ListenerName: "careful",
		OnBefore: func(_ context.Context, c resources.Change) error {
			if c.Trigger == "dropped" {
				return errors.New("lamps are fragile")
			}
			return nil
		},
	}
	lamps, b := newLamps(careful)
	defer b.Close(ctx)
	if _, err := lamps.Create(ctx, Lamp{Object: resources.Object{ID: "desk"}}); err != nil {
		log.Fatal(err)
	}
	_, err := lamps.Fire(ctx, "desk", "dropped")
	fmt.Println(err)
	// Output:
	// resources: lamp/desk: listener "careful" vetoed "dropped": lamps are fragile
}

func ExampleKind_CreateBatch() {
	ctx := context.Background()
	lamps, b := newLamps()
	defer b.Close(ctx)
	made, err := lamps.CreateBatch(ctx, []Lamp{{Object: resources.Object{ID: "desk"}}, {Object: resources.Object{ID: "hall"}}}, resources.Actor("import"))
	fmt.Println(len(made), err)
	_, err = lamps.CreateBatch(ctx, []Lamp{{Object: resources.Object{ID: "attic"}}, {Object: resources.Object{ID: "desk"}}})
	fmt.Println(err)
	// Output:
	// 2 <nil>
	// resources: number 1 of the batch: resources: exists already: lamp/desk
}

func ExampleKind_Purge() {
	ctx := context.Background()
	lamps, b := newLamps()
	defer b.Close(ctx)
	if _, err := lamps.Create(ctx, Lamp{Object: resources.Object{ID: "desk"}}); err != nil {
		log.Fatal(err)
	}
	if _, err := lamps.Fire(ctx, "desk", "dropped"); err != nil {
		log.Fatal(err)
	}
	done, err := lamps.Purge(ctx, 0)
	fmt.Println(done.Removed, done.Kept, err)
	records, err := b.Journal().Read(ctx, 0, 10)
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range records {
		fmt.Println(r.Type)
	}
	// Output:
	// 1 0 <nil>
	// lamp.created
	// lamp.state.broken
	// lamp.removed
}
