package plugins_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/plugins"
)

// Greeting is a live event.
type Greeting struct{ Name string }

func (Greeting) EventType() string { return "door.greeted" }

// greeter counts greetings, and tells how many there were.
type greeter struct {
	plugins.Base
	rt    *plugins.Runtime
	words struct {
		Hello string `json:"hello"`
	}
}

func (*greeter) Name() string { return "greeter" }

func (g *greeter) Init(_ context.Context, rt *plugins.Runtime) error {
	g.rt = rt
	g.words.Hello = "Hello"
	if err := rt.Config(&g.words); err != nil {
		return err
	}
	return rt.Handle("GET /greetings", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		plugins.Respond(w, http.StatusOK, json.RawMessage(rt.Metrics().String()))
	}))
}

func (g *greeter) Subscribe(c *bus.Client) error {
	_, err := bus.Subscribe(c, func(_ context.Context, e bus.Event[Greeting]) error {
		g.rt.Metrics().Add("greetings", 1)
		fmt.Println(g.words.Hello, e.Payload.Name)
		return nil
	})
	return err
}

func Example() {
	ctx := context.Background()
	b := bus.New(bus.Options{})
	defer b.Close(ctx)
	m, err := plugins.NewManager(plugins.Options{Bus: b, Config: map[string]json.RawMessage{"greeter": json.RawMessage(`{"hello": "Good morning,"}`)}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := m.Add(&greeter{}); err != nil {
		fmt.Println(err)
		return
	}
	if err := m.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close(ctx)

	_ = bus.Publish(ctx, b.Client("door"), Greeting{"Ada"})
	_ = b.Flush(ctx)

	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/greetings", nil))
	fmt.Print(w.Body)
	// Output:
	// Good morning, Ada
	// {"greetings":1}
}

// A plugin that fails doesn't take the others, or the server, with it.
func ExampleManager_Status() {
	ctx := context.Background()
	b := bus.New(bus.Options{})
	defer b.Close(ctx)
	m, err := plugins.NewManager(plugins.Options{Bus: b, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		fmt.Println(err)
		return
	}
	broken := &guest{name: "broken", init: func(context.Context, *plugins.Runtime) error { panic("no licence") }}
	for _, p := range []plugins.Plugin{broken, &greeter{}} {
		if err := m.Add(p); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println("start:", m.Start(ctx))
	for _, s := range m.Status(ctx) {
		fmt.Println(s.Name, s.Running, s.Err)
	}
	fmt.Println("close:", m.Close(ctx))
	// Output:
	// start: <nil>
	// broken false plugins: broken: init: panic: no licence
	// greeter true <nil>
	// close: <nil>
}
