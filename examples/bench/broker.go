package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/cloudbus-go/cloudbus/bridge"
)

// broker is a NATS server inside this process, whose streams are files. It can go away and come back with them, on the same port.
type broker struct {
	options natsserver.Options
	server  *natsserver.Server
}

const brokerPatience = 30 * time.Second

func startBroker(dir string) (*broker, error) {
	b := &broker{options: natsserver.Options{
		Host: "127.0.0.1", Port: natsserver.RANDOM_PORT, JetStream: true, StoreDir: dir, NoSigs: true, NoLog: true, DisableJetStreamBanner: true,
	}}
	return b, b.start()
}

func (b *broker) start() error {
	o := b.options
	s, err := natsserver.NewServer(&o)
	if err != nil {
		return err
	}
	b.server = s
	s.Start()
	if !s.ReadyForConnections(brokerPatience) || !s.JetStreamEnabled() {
		b.stop()
		return errors.New("the embedded NATS server doesn't come up")
	}
	b.options.Port = o.Port
	return nil
}

func (b *broker) stop() {
	b.server.Shutdown()
	b.server.WaitForShutdown()
}

func (b *broker) url() string { return fmt.Sprintf("nats://127.0.0.1:%d", b.options.Port) }

// stream is where events are published, and a connection to it that is nobody's but the benchmark's.
type stream struct {
	conn *nats.Conn
	js   jetstream.JetStream
	ctx  context.Context
}

func (b *broker) connect() (*stream, error) {
	conn, err := nats.Connect(b.url())
	if err != nil {
		return nil, err
	}
	js, err := jetstream.New(conn)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return &stream{conn: conn, js: js, ctx: context.Background()}, nil
}

// renew makes the stream of events anew: a broker that knows the messages already would do less.
func (s *stream) renew() error {
	return s.makeAnew(jetstream.StreamConfig{Name: bridge.Root, Subjects: []string{bridge.Root + ".>"}, Duplicates: 10 * time.Minute, AllowDirect: true})
}

// makeAnew makes a stream in files, in the place of the one that is there.
func (s *stream) makeAnew(c jetstream.StreamConfig) error {
	if err := s.js.DeleteStream(s.ctx, c.Name); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
		return err
	}
	c.Storage = jetstream.FileStorage
	_, err := s.js.CreateStream(s.ctx, c)
	return err
}

// length is how many messages the stream holds.
func (s *stream) length() (uint64, error) {
	info, err := s.js.Stream(s.ctx, bridge.Root)
	if err != nil {
		return 0, err
	}
	return info.CachedInfo().State.Msgs, nil
}

func (s *stream) close() error {
	s.conn.Close()
	return nil
}
