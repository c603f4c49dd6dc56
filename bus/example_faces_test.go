package bus_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/bustest"
)

func ExampleStream() {
	ctx := context.Background()
	j := bustest.NewJournal() // in a program: package bus/journal
	b := bus.New(bus.Options{Journal: j})
	if err := bus.Register[Started](b, "vm.>", 1); err != nil {
		log.Fatal(err)
	}
	c := b.Client("mailer")
	read := func(until string) {
		for e, err := range bus.Stream[Started](ctx, c, bus.Durable("mailer"), bus.From(0)) {
			if err != nil {
				log.Fatal(err)
			}
			fmt.Println(e.Seq, e.Subject())
			if e.ResourceID == until {
				break // this one isn't done: it comes again
			}
		}
	}
	if _, err := j.Append(ctx, Started{VM: "a"}, Started{VM: "b"}, Started{VM: "c"}); err != nil {
		log.Fatal(err)
	}
	read("b")
	read("c")
	_ = b.Close(ctx)
	// Output:
	// 1 vm/a
	// 2 vm/b
	// 2 vm/b
	// 3 vm/c
}

func ExampleStream_gaps() {
	b := bus.New(bus.Options{})
	c := b.Client("screen")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stream := bus.Stream[Started](ctx, c, bus.Queue(2, bus.DropNewest))
	for _, id := range []string{"1", "2", "3", "4"} {
		_ = bus.Publish(ctx, c, Started{VM: id})
	}
	for e, err := range stream {
		var gap *bus.GapError
		switch {
		case errors.As(err, &gap):
			fmt.Println("missed", gap.Count)
			continue
		case err != nil:
			fmt.Println("over:", err)
			continue
		}
		fmt.Println("VM", e.Payload.VM)
		switch e.Payload.VM {
		case "2":
			_ = bus.Publish(ctx, c, Started{VM: "5"})
		case "5":
			cancel()
		}
	}
	_ = b.Close(context.Background())
	// Output:
	// VM 1
	// VM 2
	// missed 2
	// VM 5
	// over: context canceled
}

func ExampleAwait() {
	b := bus.New(bus.Options{})
	c := b.Client("console")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	running := bus.Await(ctx, c, func(e bus.Event[Started]) bool { return e.Payload.Host == "h7" }, bus.Resource("vm", "42"))
	_ = bus.Publish(ctx, c, Started{VM: "42", Host: "h7"}) // what causes the event: it can't be missed
	e, err := running()
	fmt.Println(e.Subject(), e.Payload.Host, err)
	_ = b.Close(ctx)
	// Output: vm/42 h7 <nil>
}

func ExampleOnce() {
	ctx := context.Background()
	b := bus.New(bus.Options{})
	c := b.Client("welcome")
	sub, err := bus.Once(c, func(_ context.Context, e bus.Event[Started]) error {
		fmt.Println("the first VM is", e.Payload.VM)
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	_ = bus.Publish(ctx, c, Started{VM: "1"})
	_ = bus.Publish(ctx, c, Started{VM: "2"})
	<-sub.Done()
	_ = b.Close(ctx)
	// Output: the first VM is 1
}

func ExampleChannel() {
	b := bus.New(bus.Options{})
	c := b.Client("console")
	ctx, cancel := context.WithCancel(context.Background())
	events, err := bus.Channel[Started](ctx, c)
	if err != nil {
		log.Fatal(err)
	}
	_ = bus.Publish(ctx, c, Started{VM: "42"})
	select {
	case e := <-events:
		fmt.Println(e.Subject())
	case <-time.After(time.Minute):
		fmt.Println("nothing happens")
	}
	cancel()
	for range events { //nolint:revive // until it is closed
	}
	_ = b.Close(context.Background())
	// Output: vm/42
}

func ExampleOnSlow() {
	ctx := context.Background()
	b := bus.New(bus.Options{Logger: quiet()})
	c := b.Client("billing")
	noticed := make(chan struct{})
	_, err := bus.Subscribe(c, func(context.Context, bus.Event[Started]) error {
		<-noticed
		return nil
	}, bus.Name("invoices"), bus.OnSlow(10*time.Millisecond, func(s bus.Slow) {
		if s.Over {
			fmt.Println(s.Subscription, "goes on")
			return
		}
		fmt.Println(s.Subscription, "is slow at", s.Event.Subject())
		close(noticed)
	}))
	if err != nil {
		log.Fatal(err)
	}
	_ = bus.Publish(ctx, c, Started{VM: "42"})
	_ = b.Close(ctx)
	// Output:
	// invoices is slow at vm/42
	// invoices goes on
}
