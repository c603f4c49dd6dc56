package natsbridge_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/natsbridge"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/memstore"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// news is an event of some 450 bytes about one of many resources.
type news struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

func (news) EventType() string                    { return "news.told" }
func (n news) Address() (tenant, kind, id string) { return "acme", "news", n.ID }

const benchResources = 10_000

// BenchmarkRelay sends a backlog from a journal in memory to JetStream with file storage; one operation is one event.
func BenchmarkRelay(b *testing.B) {
	broker := newBroker(b).start()
	log := slog.New(slog.DiscardHandler)
	store := memstore.New(memstore.Options{Keep: b.N + 1})
	events := bus.New(bus.Options{Logger: log, Source: "cloudbus/bench", Journal: store.Journal()})
	must(b, bus.Register[news](events, "news.>", 1))
	text := fmt.Sprintf("%0*d", 400, 0)
	must(b, store.Do(context.Background(), func(tx resources.StoreTx) error {
		for n := range b.N {
			if _, err := tx.Append(news{ID: fmt.Sprint(n % benchResources), Text: text}); err != nil {
				return err
			}
		}
		return nil
	}))
	sink, err := natsbridge.New(natsbridge.Options{URL: broker.url()})
	must(b, err)
	relay, err := bridge.New(sink, bridge.Options{Backlog: true})
	must(b, err)
	manager, err := plugins.NewManager(plugins.Options{Bus: events, Logger: log})
	must(b, err)
	must(b, manager.Add(relay, plugins.Required()))
	b.ResetTimer()
	must(b, manager.Start(context.Background()))
	must(b, events.Flush(context.Background()))
	b.StopTimer()
	must(b, manager.Close(context.Background()))
	must(b, events.Close(context.Background()))
}

// BenchmarkPublishAsync is what nats.go does with as many ready messages.
func BenchmarkPublishAsync(b *testing.B) {
	broker := newBroker(b).start()
	conn, err := nats.Connect(broker.url())
	must(b, err)
	defer conn.Close()
	js, err := jetstream.New(conn, jetstream.WithPublishAsyncMaxPending(1024))
	must(b, err)
	_, err = js.CreateStream(context.Background(), jetstream.StreamConfig{Name: "cloudbus", Subjects: []string{"cloudbus.>"}, Storage: jetstream.FileStorage, Duplicates: 10 * time.Minute})
	must(b, err)
	data := make([]byte, 800)
	b.ResetTimer()
	for n := range b.N {
		_, err := js.PublishAsync("cloudbus.acme.news.told", data, jetstream.WithMsgID(fmt.Sprintf("0198c0de-0000-7000-8000-%012d", n)), jetstream.WithStallWait(time.Minute))
		must(b, err)
	}
	<-js.PublishAsyncComplete()
}
