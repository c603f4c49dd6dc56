package natsbridge_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/natsbridge"
	"github.com/cloudbus-go/cloudbus/bridge/sinktest"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/nats-io/nats.go/jetstream"
)

func TestStateSink(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(context.Context, jetstream.JetStream) error{
		"deleted": func(ctx context.Context, js jetstream.JetStream) error { return js.DeleteStream(ctx, bridge.StateRoot) },
		"purged": func(ctx context.Context, js jetstream.JetStream) error {
			stream, err := js.Stream(ctx, bridge.StateRoot)
			if err == nil {
				err = stream.Purge(ctx)
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sinktest.RunState(t, func(t *testing.T) *sinktest.Broker {
				b := newBroker(t).start()
				return &sinktest.Broker{
					New: func() (bridge.Sink, error) { return natsbridge.New(natsbridge.Options{URL: b.url(), State: true}) },
					Received: func(context.Context) ([]sinktest.Received, error) {
						var all []sinktest.Received
						for _, m := range b.messagesOf(bridge.StateRoot) {
							all = append(all, received(m.Subject, m.Header, m.Data))
						}
						return all, nil
					},
					Lose: func() error { return lose(t.Context(), b.jetStream()) },
				}
			})
		})
	}
}

// A consumer that knows nothing of Cloudbus lists the states, then follows, by nats.go alone.
func TestStatesAreListedThenFollowed(t *testing.T) {
	t.Parallel()
	b := newBroker(t).start()
	sink, err := natsbridge.New(natsbridge.Options{URL: b.url(), State: true})
	must(t, err)
	must(t, sink.Open(t.Context(), discard))
	defer sink.Close(t.Context())
	must(t, sink.Ready(t.Context()))
	seq := uint64(0)
	send := func(id, what string, version uint64) {
		seq++
		must(t, sink.Send(t.Context(), stateMessage(t, id, what, seq, version)))
	}
	send("1", "created", 1)
	send("2", "created", 1)
	send("1", "state.running", 2)

	stream, err := b.jetStream().Stream(t.Context(), "cloudbus-state")
	must(t, err)
	consumer, err := stream.OrderedConsumer(t.Context(), jetstream.OrderedConsumerConfig{FilterSubjects: []string{"cloudbus-state.acme.vm.*"}})
	must(t, err)
	next := func(subject, eventType string) {
		t.Helper()
		m, err := consumer.Next(jetstream.FetchMaxWait(10 * time.Second))
		must(t, err)
		e, err := bridge.DecodeLetter(bridge.Letter{Header: m.Headers(), Data: m.Data()})
		if err != nil || m.Subject() != subject || e.Type != eventType {
			t.Errorf("%s %s, %v, want %s %s", m.Subject(), e.Type, err, subject, eventType)
		}
	}
	next("cloudbus-state.acme.vm.2", "vm.created")
	next("cloudbus-state.acme.vm.1", "vm.state.running")
	send("2", "removed", 2)
	next("cloudbus-state.acme.vm.2", "vm.removed")
	gone, err := stream.GetLastMsgForSubject(t.Context(), "cloudbus-state.acme.vm.2")
	must(t, err)
	if ttl := gone.Header.Get(jetstream.MsgTTLHeader); ttl == "" {
		t.Error("what is gone stays for ever")
	}
}

func TestForeignStreamOfStatesIsAnError(t *testing.T) {
	t.Parallel()
	b := newBroker(t).start()
	_, err := b.jetStream().CreateStream(t.Context(), jetstream.StreamConfig{Name: "cloudbus-state", Subjects: []string{"cloudbus-state.>"}})
	must(t, err)
	sink, err := natsbridge.New(natsbridge.Options{URL: b.url(), State: true})
	must(t, err)
	must(t, sink.Open(t.Context(), discard))
	defer sink.Close(t.Context())
	eventually(t, func() error {
		var wrong *natsbridge.StreamError
		if err := sink.Health(t.Context()); !errors.As(err, &wrong) || wrong.Setting != "max_msgs_per_subject" {
			return fmt.Errorf("health is %v", err)
		}
		return nil
	})
}

func stateMessage(t *testing.T, id, what string, seq, version uint64) bridge.Message {
	t.Helper()
	h := bus.Header{
		ID: bus.NewID(time.Now()), Type: "vm." + what, Source: "cloudbus/test", Tenant: "acme", Kind: "vm", ResourceID: id, Seq: seq, Version: version, Time: time.Now(),
	}
	m, err := bridge.NewMessage(bus.Event[bus.Raw]{Header: h, Payload: bus.Raw("{}")}, bridge.Options{State: true})
	must(t, err)
	return m
}
