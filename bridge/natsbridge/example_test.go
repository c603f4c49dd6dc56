package natsbridge_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/natsbridge"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/nats-io/nats-server/v2/server"
)

// A sink on a NATS server in the same process, used without a bridge.
func Example() {
	dir, err := os.MkdirTemp("", "natsbridge")
	check(err)
	defer os.RemoveAll(dir)
	broker, err := server.NewServer(&server.Options{DontListen: true, JetStream: true, StoreDir: dir, NoLog: true, NoSigs: true})
	check(err)
	broker.Start()
	defer broker.WaitForShutdown()
	defer broker.Shutdown()

	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	sink, err := natsbridge.New(natsbridge.Options{InProcess: broker})
	check(err)
	check(sink.Open(ctx, slog.New(slog.DiscardHandler)))
	check(sink.Ready(ctx))

	e := bus.Event[bus.Raw]{
		Header:  bus.Header{ID: bus.NewID(time.Now()), Type: "vm.state.running", Source: "cloudbus/eu1", Tenant: "acme"},
		Payload: bus.Raw(`{"to":"running"}`),
	}
	subject, err := bridge.Subject(e.Tenant, e.Type)
	check(err)
	data, err := bridge.Encode(e)
	check(err)
	message := bridge.Message{ID: e.ID.String(), Subject: subject, ContentType: bridge.ContentType, Data: data, Header: e.Header}
	check(sink.Send(ctx, message))
	check(sink.Send(ctx, message)) // a repeat: the stream keeps one

	n, err := sink.Published(ctx, "cloudbus.*.vm.>")
	check(err)
	fmt.Println(n, "on", subject)
	check(sink.Close(ctx))
	// Output: 1 on cloudbus.acme.vm.state.running
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
