// Command billing is a subscriber that knows nothing of Cloudbus: it says when an instance was stopped, with nats.go and the SDK of CloudEvents.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	conn := must(nats.Connect(append(os.Args, nats.DefaultURL)[1], nats.Name("billing"), nats.MaxReconnects(-1)))
	defer conn.Close()
	js := must(jetstream.New(conn))
	// Its name is its place in the stream: after a restart it goes on where it was.
	consumer := must(js.CreateOrUpdateConsumer(ctx, "cloudbus", jetstream.ConsumerConfig{Durable: "billing", FilterSubject: "cloudbus.*.vm.state.stopped"}))
	messages := must(consumer.Messages())
	context.AfterFunc(ctx, messages.Drain)
	for {
		m, err := messages.Next()
		if err != nil && ctx.Err() != nil {
			return
		}
		e, err := decode(must(m, err).Data())
		if err != nil {
			log.Printf("no CloudEvent on %s, not to be sent again: %v", m.Subject(), err)
			_ = m.Term()
			continue
		}
		must(fmt.Printf("instance stopped: %s at %s (event %s)\n", strings.TrimPrefix(e.Subject(), "vm/"), e.Time().Format(time.RFC3339), e.ID()))
		_ = m.Ack() // what isn't acknowledged comes again, with the same id
	}
}

// decode turns a panic of the SDK, which some JSON gets out of it, into an error: it would come back with the message, at each start.
func decode(data []byte) (e event.Event, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	if err = e.UnmarshalJSON(data); err == nil {
		err = e.Validate()
	}
	return e, err
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal("billing: ", err)
	}
	return v
}
