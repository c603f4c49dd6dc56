package bus_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/bustest"
)

type noted struct {
	N      int    `json:"n"`
	Type   string `json:"type,omitempty"`
	Tenant string `json:"tenant,omitempty"`
	VM     string `json:"vm,omitempty"`
}

func (n noted) EventType() string {
	if n.Type == "" {
		return "test.noted"
	}
	return n.Type
}
func (n noted) Address() (tenant, kind, id string) {
	if n.VM == "" {
		return n.Tenant, "", ""
	}
	return n.Tenant, "vm", n.VM
}

func TestFirst(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	j := bustest.NewJournal()
	b := bus.New(bus.Options{Journal: j})
	if err := bus.Register[noted](b, "test.>", 1); err != nil {
		t.Fatal(err)
	}
	c := b.Client("c")
	var mu sync.Mutex
	got := map[string][]int{}
	note := func(name string, n int) error {
		mu.Lock()
		defer mu.Unlock()
		got[name] = append(got[name], n)
		return nil
	}
	must := func(_ *bus.Subscription, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(bus.Subscribe(c, func(_ context.Context, e bus.Event[noted]) error { return note("live", e.Payload.N) }))
	must(bus.Subscribe(c, func(_ context.Context, e bus.Event[any]) error { return note("any", e.Payload.(noted).N) }, bus.Type("test.*")))
	must(bus.Subscribe(c, func(_ context.Context, e bus.Event[bus.Raw]) error { return note("raw", len(e.Payload)) }))
	must(bus.Subscribe(c, func(_ context.Context, e bus.Event[noted]) error { return note("durable", e.Payload.N) }, bus.Durable("d")))
	must(bus.Subscribe(c, func(_ context.Context, e bus.Event[noted]) error { return note("from", e.Payload.N) }, bus.From(0)))
	must(bus.Subscribe(c, func(_ context.Context, e bus.Event[noted]) error { return note("block", e.Payload.N) }, bus.Queue(1, bus.Block(time.Second))))
	must(bus.SubscribeBatch(c, "b", func(_ context.Context, b bus.Batch[noted]) error {
		for _, e := range b.Events {
			note("batch", e.Payload.N)
		}
		return nil
	}))
	for i := range 10 {
		if err := bus.Publish(ctx, c, noted{N: i}); err != nil {
			t.Fatal(err)
		}
		if _, err := j.Append(ctx, noted{N: 100 + i}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	t.Log(got)
	mu.Unlock()
	for _, i := range b.Inspect().Subscriptions {
		t.Logf("%+v", i)
	}
	if err := b.Close(ctx); err != nil {
		t.Fatal(err)
	}
	t.Log(j.Cursor(context.Background(), "d"))
}
