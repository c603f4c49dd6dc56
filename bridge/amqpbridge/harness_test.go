package amqpbridge_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/amqpbridge"
	"github.com/cloudbus-go/cloudbus/bus"
)

// prompt is how long something may take that doesn't wait for a broker, on a machine under load.
const prompt = 5 * time.Second

// newSink returns an open sink, which is closed at the end of the test.
func newSink(t testing.TB, o amqpbridge.Options) *amqpbridge.Sink {
	t.Helper()
	sink, err := amqpbridge.New(o)
	must(t, err)
	must(t, sink.Open(t.Context(), slog.New(slog.DiscardHandler)))
	t.Cleanup(func() { must(t, sink.Close(context.Background())) })
	return sink
}

// readySink is one whose broker is there.
func readySink(t testing.TB, o amqpbridge.Options) *amqpbridge.Sink {
	t.Helper()
	sink := newSink(t, o)
	must(t, ready(t, sink))
	return sink
}

func ready(t testing.TB, sink *amqpbridge.Sink) error {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := sink.Ready(ctx); err != nil {
		return fmt.Errorf("%w: health is %w", err, sink.Health(ctx))
	}
	return nil
}

// send is one attempt, as a bridge makes it.
func send(t testing.TB, sink *amqpbridge.Sink, m bridge.Message) error {
	ctx, cancel := context.WithTimeout(t.Context(), bridge.SendTimeout)
	defer cancel()
	return sink.Send(ctx, m)
}

// sendPromptly is one that must not wait for the broker.
func sendPromptly(t testing.TB, sink *amqpbridge.Sink, m bridge.Message) error {
	t.Helper()
	began := time.Now()
	err := send(t, sink, m)
	if took := time.Since(began); took > prompt {
		t.Errorf("Send took %v", took)
	}
	return err
}

func message(id string) bridge.Message {
	return bridge.Message{
		ID: id, Subject: "cloudbus.acme.vm.created", ContentType: bridge.ContentType, Data: []byte(`{"id":"` + id + `"}`),
		Header: bus.Header{Type: "vm.created", Tenant: "acme", Time: time.Unix(1700000000, 5)},
	}
}

// eventually waits until ok returns nil.
func eventually(t testing.TB, ok func() error) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ok()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not in time: %v", err)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
