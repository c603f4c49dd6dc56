// Command billing is a subscriber that knows nothing of Cloudbus: it says when an instance was stopped, with nats.go and the SDK of CloudEvents.
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, cmp.Or(strings.Join(os.Args[1:], ","), nats.DefaultURL), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// run ends with ctx.
func run(ctx context.Context, url string, out io.Writer) error {
	conn, err := nats.Connect(url, nats.Name("billing"), nats.MaxReconnects(-1))
	if err != nil {
		return err
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		return err
	}
	// Its name is its place in the stream: after a restart it goes on where it was.
	consumer, err := js.CreateOrUpdateConsumer(ctx, "cloudbus", jetstream.ConsumerConfig{Durable: "billing", FilterSubject: "cloudbus.*.vm.state.stopped"})
	if err != nil {
		return err
	}
	consuming, err := consumer.Consume(func(m jetstream.Msg) {
		e, err := decode(m.Data())
		if err != nil {
			log.Printf("no CloudEvent on %s, not to be sent again: %v", m.Subject(), err)
			_ = m.Term()
			return
		}
		_, _ = fmt.Fprintf(out, "instance stopped: %s at %s (event %s)\n", strings.TrimPrefix(e.Subject(), "vm/"), e.Time().Format(time.RFC3339), e.ID())
		_ = m.Ack() // what isn't acknowledged comes again, with the same id
	})
	if err != nil {
		return err
	}
	<-ctx.Done()
	consuming.Drain()
	<-consuming.Closed()
	return conn.Flush()
}

// decode turns a panic of the SDK, which some JSON gets out of it, into an error: it would come back with the message, at each start.
func decode(data []byte) (e event.Event, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	if err := e.UnmarshalJSON(data); err != nil {
		return e, err
	}
	return e, e.Validate()
}
