package evbus_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/asaskevich/EventBus"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/evbus"
)

// Code written for EventBus takes ours as its own.
func Example() {
	b := bus.New(bus.Options{})
	defer b.Close(context.Background())
	var events EventBus.Bus = evbus.New(b, evbus.Options{})

	events.Subscribe("main:sum", func(a, b int) { fmt.Println(a + b) })
	events.SubscribeAsync("main:log", func(text string) { fmt.Println("log:", text) }, false)
	events.Publish("main:sum", 20, 22)
	events.Publish("main:log", "done")
	events.WaitAsync()
	// Output:
	// 42
	// log: done
}

// A handler may publish, and a panic hits nobody else.
func ExampleBus_PublishContext() {
	b := bus.New(bus.Options{})
	defer b.Close(context.Background())
	events := evbus.New(b, evbus.Options{Logger: silent})

	events.Subscribe("order", func(id string) { events.Publish("mail", "ordered "+id) })
	events.Subscribe("order", func(string) { panic("out of paper") })
	events.Subscribe("order", func(id string) { fmt.Println("packing", id) })
	events.Subscribe("mail", func(text string) { fmt.Println("mailing", text) })
	err := events.PublishContext(context.Background(), "order", "7")

	var p *bus.PanicError
	fmt.Println(errors.As(err, &p), p.Value)
	// Output:
	// mailing ordered 7
	// packing 7
	// true out of paper
}

type window struct{ name string }

func (w *window) Redraw() { fmt.Println("redraw", w.name) }

// Methods of two receivers are two handlers.
func ExampleBus_Unsubscribe() {
	b := bus.New(bus.Options{})
	defer b.Close(context.Background())
	events := evbus.New(b, evbus.Options{})

	left, right := &window{"left"}, &window{"right"}
	events.Subscribe("resized", left.Redraw)
	events.Subscribe("resized", right.Redraw)
	events.Unsubscribe("resized", right.Redraw)
	events.Publish("resized")
	fmt.Println(errors.Is(events.Unsubscribe("resized", right.Redraw), evbus.ErrNotSubscribed))
	// Output:
	// redraw left
	// true
}

// With Announce, subscribers of the bus below see what is published.
func ExampleCall() {
	b := bus.New(bus.Options{})
	defer b.Close(context.Background())
	events := evbus.New(b, evbus.Options{Name: "shop", Announce: true})

	bus.Subscribe(b.Client("audit"), func(_ context.Context, e bus.Event[evbus.Call]) error {
		fmt.Println(e.Type, e.Payload.Topic(), e.Payload.Args())
		return nil
	}, bus.Type("shop.order.>"))
	events.Publish("order.paid", 7, "EUR")
	b.Flush(context.Background())
	// Output: shop.order.paid order.paid [7 EUR]
}

// A struct of one's own is passed without reflection.
func ExampleDirect() {
	b := bus.New(bus.Options{})
	defer b.Close(context.Background())
	events := evbus.New(b, evbus.Options{})

	evbus.Direct[sold](events)
	events.Subscribe("sold", func(s sold) { fmt.Println(s.N, s.Item) })
	events.Publish("sold", sold{"pens", 3})
	// Output: 3 pens
}

// A foreign bus and ours tell each other, and nothing comes back.
func ExampleConnect() {
	b := bus.New(bus.Options{Source: "cloudbus/eu1"})
	defer b.Close(context.Background())
	legacy := EventBus.New()
	link, _ := evbus.Connect(b.Client("legacy"), legacy, evbus.LinkOptions{})
	defer link.Close(context.Background())

	evbus.Forward[sold](link, func(e bus.Event[sold]) (string, []any, bool) {
		return "sale", []any{e.Payload.Item, e.Payload.N}, true
	})
	link.Receive("sale", func(item string, n int) sold { return sold{item, n} })

	legacy.Subscribe("sale", func(item string, n int) { fmt.Println("legacy hears of", n, item) })
	bus.Subscribe(b.Client("stock"), func(_ context.Context, e bus.Event[sold]) error {
		fmt.Println("stock hears of", e.Payload.N, e.Payload.Item, "from", e.Source)
		return nil
	})
	legacy.Publish("sale", "pens", 3)
	b.Flush(context.Background())
	bus.Publish(context.Background(), b.Client("till"), sold{"ink", 1})
	b.Flush(context.Background())
	// Unordered output:
	// legacy hears of 3 pens
	// stock hears of 3 pens from cloudbus/eu1/legacy
	// stock hears of 1 ink from cloudbus/eu1
	// legacy hears of 1 ink
}
