package bus_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/bustest"
)

// Started is a payload: it says what happened, and to what.
type Started struct {
	VM   string `json:"vm"`
	Host string `json:"host"`
}

func (Started) EventType() string                    { return "vm.state.running" }
func (s Started) Address() (tenant, kind, id string) { return "acme", "vm", s.VM }

func Example() {
	ctx := context.Background()
	b := bus.New(bus.Options{Source: "cloudbus/eu1"})
	c := b.Client("billing")

	_, err := bus.Subscribe(c, func(_ context.Context, e bus.Event[Started]) error {
		fmt.Printf("%s: %s of %s runs on %s\n", e.Type, e.Subject(), e.Tenant, e.Payload.Host)
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := bus.Publish(ctx, c, Started{VM: "42", Host: "h7"}); err != nil {
		log.Fatal(err)
	}
	if err := b.Close(ctx); err != nil { // waits until all is handled
		log.Fatal(err)
	}
	// Output: vm.state.running: vm/42 of acme runs on h7
}

func ExampleSubscribe_filters() {
	ctx := context.Background()
	b := bus.New(bus.Options{})
	c := b.Client("audit")

	show := func(_ context.Context, e bus.Event[any]) error {
		fmt.Println(e.Subject())
		return nil
	}
	_, err := bus.Subscribe(c, show, bus.Type("vm.>"), bus.Tenant("acme"), bus.Where(func(h bus.Header) bool { return h.ResourceID != "41" }))
	if err != nil {
		log.Fatal(err)
	}
	for _, id := range []string{"40", "41", "42"} {
		_ = bus.Publish(ctx, c, Started{VM: id})
	}
	_ = b.Close(ctx)
	// Output:
	// vm/40
	// vm/42
}

func ExampleDurable() {
	ctx := context.Background()
	j := bustest.NewJournal() // in a program: package bus/journal
	run := func(name string) {
		b := bus.New(bus.Options{Journal: j})
		if err := bus.Register[Started](b, "vm.>", 1); err != nil {
			log.Fatal(err)
		}
		_, err := bus.Subscribe(b.Client("mailer"), func(_ context.Context, e bus.Event[Started]) error {
			fmt.Printf("%s: %d is %s\n", name, e.Seq, e.Subject())
			return nil
		}, bus.Durable("mailer"))
		if err != nil {
			log.Fatal(err)
		}
		_, _ = j.Append(ctx, Started{VM: name})
		_ = b.Flush(ctx)
		_ = b.Close(ctx)
	}
	run("first")
	run("second")
	// Output:
	// first: 1 is vm/first
	// second: 2 is vm/second
}

func ExampleOnGap() {
	ctx := context.Background()
	b := bus.New(bus.Options{})
	c := b.Client("screen")
	busy, begun := make(chan struct{}), make(chan struct{}, 1)

	_, err := bus.Subscribe(c, func(_ context.Context, e bus.Event[Started]) error {
		begun <- struct{}{}
		<-busy
		fmt.Println("VM", e.Payload.VM)
		return nil
	}, bus.Queue(2, bus.DropOldest), bus.OnGap(func(_ context.Context, g bus.Gap) { fmt.Println("missed", g.Count) }))
	if err != nil {
		log.Fatal(err)
	}
	_ = bus.Publish(ctx, c, Started{VM: "1"})
	<-begun // it is at work: what comes now waits
	for _, id := range []string{"2", "3", "4", "5"} {
		_ = bus.Publish(ctx, c, Started{VM: id})
	}
	go func() {
		for range begun { //nolint:revive // lets the others go on
		}
	}()
	close(busy)
	_ = b.Close(ctx)
	close(begun)
	// Output:
	// VM 1
	// missed 2
	// VM 4
	// VM 5
}

func ExampleOptionError() {
	b := bus.New(bus.Options{Journal: bustest.NewJournal()})
	defer func() { _ = b.Close(context.Background()) }()
	_, err := bus.Subscribe(b.Client("mailer"), func(context.Context, bus.Event[Started]) error { return nil },
		bus.Durable("mailer"), bus.Queue(100, bus.DropOldest))
	var wrong *bus.OptionError
	fmt.Println(errors.As(err, &wrong), err)
	// Output: true bus: option DropOldest excludes Durable: what comes from the journal is never dropped, merged or waited for
}

func ExampleSanitised() {
	type login struct {
		User     string
		Password string `cloudbus:"secret"`
	}
	v, _ := bus.Sanitised(login{User: "ada", Password: "x"})
	fmt.Printf("%+v\n", v)
	// Output: {User:ada Password:}
}
