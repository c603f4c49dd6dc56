package amqpbridge_test

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/amqpbridge"
	"github.com/cloudbus-go/cloudbus/bridge/sinktest"
)

func TestSink(t *testing.T) {
	t.Parallel()
	server := rabbit(t)
	sinktest.Run(t, func(t *testing.T) *sinktest.Broker { return openBroker(t, server) })
}

// openBroker is an exchange of the test's own on RabbitMQ, a queue that gets all of it, and a way to it that can be cut.
func openBroker(t *testing.T, server string) *sinktest.Broker {
	way, err := url.Parse(server)
	must(t, err)
	p := newProxy(t, way.Host)
	name := exchange(t, server)
	channel := client(t, server)
	must(t, channel.ExchangeDeclare(name, "topic", true, false, false, false, nil))
	queue, err := channel.QueueDeclare("", false, false, true, false, nil)
	must(t, err)
	must(t, channel.QueueBind(queue.Name, "#", name, false, nil))
	var all []sinktest.Received
	return &sinktest.Broker{
		New: func() (bridge.Sink, error) {
			way.Host = p.address
			return amqpbridge.New(amqpbridge.Options{URL: way.String(), Exchange: name})
		},
		Received: func(context.Context) ([]sinktest.Received, error) {
			for {
				d, found, err := channel.Get(queue.Name, true)
				if err != nil || !found {
					return all, err
				}
				all = append(all, sinktest.Received{
					ID: d.MessageId, Subject: d.RoutingKey, ContentType: d.ContentType, Attributes: attributes(d.Headers), Data: d.Body,
				})
			}
		},
		Stop:  p.stop,
		Start: p.start,
		Hang:  p.hang,
	}
}

func attributes(headers map[string]any) []bridge.Attribute {
	var all []bridge.Attribute
	for name, value := range headers {
		if name, ours := strings.CutPrefix(name, "cloudEvents_"); ours {
			text, _ := value.(string)
			all = append(all, bridge.Attribute{Name: name, Value: text})
		}
	}
	return all
}
