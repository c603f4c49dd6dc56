package natsbridge_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge/natsbridge"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
)

func TestStreamIsCreatedAsPromised(t *testing.T) {
	t.Parallel()
	broker := newBroker(t).start()
	h := newHouse(t, database(t), natsbridge.Options{URL: broker.url(), MaxAge: time.Hour, MaxBytes: 1 << 20, MaxMsgs: 1000, Duplicates: time.Minute})
	eventually(t, h.published(0))
	stream, err := broker.jetStream().Stream(t.Context(), "cloudbus")
	must(t, err)
	c := stream.CachedInfo().Config
	if len(c.Subjects) != 1 || c.Subjects[0] != "cloudbus.>" || c.Storage != jetstream.FileStorage || c.Duplicates != time.Minute || c.MaxAge != time.Hour || c.MaxBytes != 1<<20 || c.MaxMsgs != 1000 {
		t.Errorf("stream %+v", c)
	}
}

func TestForeignStreamIsAnErrorInHealthUntilItIsRight(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change  func(*jetstream.StreamConfig)
		setting string
	}{
		"memory":     {func(c *jetstream.StreamConfig) { c.Storage = jetstream.MemoryStorage }, "storage"},
		"subjects":   {func(c *jetstream.StreamConfig) { c.Subjects = []string{"cloudbus.acme.>"} }, "subjects"},
		"work queue": {func(c *jetstream.StreamConfig) { c.Retention = jetstream.WorkQueuePolicy }, "retention"},
		"no acks":    {func(c *jetstream.StreamConfig) { c.NoAck = true }, "no_ack"},
		"async":      {func(c *jetstream.StreamConfig) { c.PersistMode = jetstream.AsyncPersistMode }, "persist_mode"},
		"transform": {func(c *jetstream.StreamConfig) {
			c.SubjectTransform = &jetstream.SubjectTransformConfig{Source: "cloudbus.>", Destination: "elsewhere.>"}
		}, "subject_transform"},
		"taken": {func(c *jetstream.StreamConfig) { c.Name = "other" }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			broker := newBroker(t).start()
			js := broker.jetStream()
			config := jetstream.StreamConfig{Name: "cloudbus", Subjects: []string{"cloudbus.>"}, Storage: jetstream.FileStorage}
			c.change(&config)
			_, err := js.CreateStream(t.Context(), config)
			must(t, err)

			h := newHouse(t, database(t), natsbridge.Options{URL: broker.url()})
			h.create("acme")
			eventually(t, func() error {
				var wrong *natsbridge.StreamError
				if err := h.bridge.Health(t.Context()); !errors.As(err, &wrong) || wrong.Setting != c.setting {
					return fmt.Errorf("health is %v", err)
				}
				return nil
			})
			must(t, js.DeleteStream(t.Context(), config.Name))
			eventually(t, h.published(1))
			eventually(t, func() error { return h.bridge.Health(t.Context()) })
		})
	}
}

func TestStreamThatIsDeletedIsMadeAnew(t *testing.T) {
	t.Parallel()
	broker := newBroker(t).start()
	h := newHouse(t, database(t), natsbridge.Options{URL: broker.url()})
	v := h.create("acme")
	eventually(t, h.published(1))
	must(t, broker.jetStream().DeleteStream(t.Context(), "cloudbus"))
	h.fire(v.ID, cycle...)
	eventually(t, h.published(5)) // the first one again
	inOrder(t, broker, 5)
}

func TestAnotherStreamThatTakesTheSubjectsIsNoAcknowledgement(t *testing.T) {
	t.Parallel()
	broker := newBroker(t).start()
	h := newHouse(t, database(t), natsbridge.Options{URL: broker.url()})
	v := h.create("acme")
	eventually(t, h.published(1))
	js := broker.jetStream()
	must(t, js.DeleteStream(t.Context(), "cloudbus"))
	_, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "other", Subjects: []string{"cloudbus.>"}})
	must(t, err)
	h.fire(v.ID, cycle...)
	eventually(t, func() error {
		var wrong *natsbridge.StreamError
		if err := h.bridge.Health(t.Context()); !errors.As(err, &wrong) {
			return fmt.Errorf("health is %v", err)
		}
		return nil
	})
	must(t, js.DeleteStream(t.Context(), "other"))
	eventually(t, h.published(5)) // the first one again
}

func TestNoJetStream(t *testing.T) {
	t.Parallel()
	broker := newBroker(t, func(o *server.Options) { o.JetStream = false }).start()
	h := newHouse(t, database(t), natsbridge.Options{URL: broker.url()})
	h.create("acme")
	eventually(t, func() error {
		var wrong *natsbridge.StreamError
		if err := h.bridge.Health(t.Context()); !errors.As(err, &wrong) {
			return fmt.Errorf("health is %v", err)
		}
		return nil
	})
}

func TestPublishedCountsByPattern(t *testing.T) {
	t.Parallel()
	broker := newBroker(t).start()
	h := newHouse(t, database(t), natsbridge.Options{URL: broker.url()})
	for _, tenant := range []string{"acme", "acme", ""} {
		h.fire(h.create(tenant).ID, vm.StartRequested)
	}
	eventually(t, h.published(6))
	for filter, want := range map[string]uint64{
		">": 6, "cloudbus.*.vm.created": 3, "cloudbus.acme.>": 4, "cloudbus._.vm.state.*": 1, "cloudbus.*.volume.>": 0,
	} {
		if got, err := h.sink.Published(t.Context(), filter); err != nil || got != want {
			t.Errorf("Published(%s) = %d, %v, want %d", filter, got, err, want)
		}
	}
}
