package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	brokerPatience = 30 * time.Second
	streamName     = "cloudbus"
)

// broker is the NATS server of the parent; its streams are files.
type broker struct{ server *natsserver.Server }

func startBroker(dir string) (*broker, error) {
	s, err := natsserver.NewServer(&natsserver.Options{
		ServerName: "crashtest", Host: "127.0.0.1", Port: natsserver.RANDOM_PORT,
		JetStream: true, StoreDir: dir, NoSigs: true, NoLog: true, DisableJetStreamBanner: true,
	})
	if err != nil {
		return nil, fmt.Errorf("NATS server: %w", err)
	}
	s.Start()
	if !s.ReadyForConnections(brokerPatience) || !s.JetStreamEnabled() {
		s.Shutdown()
		return nil, errors.New("NATS server: it didn't come up")
	}
	return &broker{s}, nil
}

func (b *broker) url() string { return "nats://" + b.server.Addr().String() }

func (b *broker) stop() {
	b.server.Shutdown()
	b.server.WaitForShutdown()
}

// message is what lies in the stream.
type message struct {
	Place    uint64 // in the stream
	Seq      uint64 // of the event
	Event    string
	Type     string
	Resource string // kind/id
}

// read returns all messages of the stream, in its order.
func (b *broker) read(ctx context.Context) ([]message, error) {
	conn, err := nats.Connect("", nats.InProcessServer(b.server))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, err
	}
	stream, err := js.Stream(ctx, streamName)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	consumer, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{})
	if err != nil {
		return nil, err
	}
	return collect(consumer, stream.CachedInfo().State.Msgs)
}

func collect(consumer jetstream.Consumer, n uint64) ([]message, error) {
	all := make([]message, 0, n)
	messages, err := consumer.Messages()
	if err != nil {
		return nil, err
	}
	defer messages.Stop()
	for uint64(len(all)) < n {
		m, err := messages.Next(jetstream.NextMaxWait(brokerPatience))
		if err != nil {
			return nil, fmt.Errorf("read message %d of %d: %w", len(all)+1, n, err)
		}
		meta, err := m.Metadata()
		if err != nil {
			return nil, err
		}
		e, err := bridge.Decode(m.Data())
		if err != nil {
			return nil, fmt.Errorf("message %d: %w", meta.Sequence.Stream, err)
		}
		all = append(all, message{Place: meta.Sequence.Stream, Seq: e.Seq, Event: e.ID.String(), Type: e.Type, Resource: e.Subject()})
	}
	return all, nil
}
