package amqpbridge_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/amqpbridge"
	"github.com/cloudbus-go/cloudbus/bus"
	amqp "github.com/rabbitmq/amqp091-go"
)

// rabbit returns the URL of a real RabbitMQ, or skips the test.
func rabbit(t testing.TB) string {
	t.Helper()
	server := os.Getenv("CLOUDBUS_TEST_AMQP")
	if server == "" {
		t.Skip("NOT TESTED: CLOUDBUS_TEST_AMQP names no RabbitMQ (amqp://guest:guest@127.0.0.1:5672/)")
	}
	return server
}

// client is a connection of the test's own.
func client(t testing.TB, server string) *amqp.Channel {
	t.Helper()
	conn, err := amqp.Dial(server)
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	channel, err := conn.Channel()
	must(t, err)
	return channel
}

// exchange is a name that nobody else has, of an exchange that is deleted at the end of the test.
func exchange(t testing.TB, server string) string {
	t.Helper()
	name := "cloudbus-test-" + bus.NewID(time.Now()).String()
	t.Cleanup(func() {
		conn, err := amqp.Dial(server)
		must(t, err)
		defer conn.Close()
		channel, err := conn.Channel()
		must(t, err)
		must(t, channel.ExchangeDelete(name, false, false))
	})
	return name
}

// consume binds a queue of the test's own.
func consume(t testing.TB, c *amqp.Channel, exchange, pattern string) <-chan amqp.Delivery {
	t.Helper()
	queue, err := c.QueueDeclare("", false, true, true, false, nil)
	must(t, err)
	key, err := amqpbridge.BindingKey(pattern)
	must(t, err)
	must(t, c.QueueBind(queue.Name, key, exchange, false, nil))
	deliveries, err := c.Consume(queue.Name, "", true, true, false, false, nil)
	must(t, err)
	return deliveries
}

func next(t testing.TB, from <-chan amqp.Delivery) amqp.Delivery {
	t.Helper()
	select {
	case d := <-from:
		return d
	case <-time.After(10 * time.Second):
		t.Fatal("no message came")
		return amqp.Delivery{}
	}
}

func event() bus.Event[bus.Raw] {
	return bus.Event[bus.Raw]{
		Header: bus.Header{
			ID: bus.NewID(time.Now()), Type: "vm.created", Source: "cloudbus/test", Tenant: "acmé", Kind: "vm", ResourceID: "1",
			Time: time.Unix(1700000000, 123456789), Seq: 7, Version: 1 << 40,
		},
		Payload: bus.Raw(`{"name":"web"}`),
	}
}

func TestMessagesLieOnTheBrokerAsTheBindingSays(t *testing.T) {
	t.Parallel()
	server := rabbit(t)
	name := exchange(t, server)
	sink := readySink(t, amqpbridge.Options{URL: server, Exchange: name})
	channel := client(t, server)
	must(t, channel.ExchangeDeclare(name, "topic", true, false, false, false, nil)) // fails if it is any different
	from := consume(t, channel, name, "vm.>")

	e := event()
	subject, err := bridge.Subject(e.Tenant, e.Type)
	must(t, err)
	data, err := bridge.Encode(e)
	must(t, err)
	contentType, attributes, payload, err := bridge.EncodeBinary(e)
	must(t, err)
	for _, m := range []bridge.Message{
		{ID: e.ID.String(), Subject: subject, ContentType: bridge.ContentType, Data: data, Header: e.Header},
		{ID: e.ID.String(), Subject: subject, ContentType: contentType, Attributes: attributes, Data: payload, Header: e.Header},
	} {
		must(t, send(t, sink, m))
		d := next(t, from)
		if d.RoutingKey != subject || d.MessageId != m.ID || d.ContentType != m.ContentType || d.DeliveryMode != amqp.Persistent ||
			d.Timestamp.Unix() != e.Time.Unix() || !bytes.Equal(d.Body, m.Data) {
			t.Errorf("message %+v", d)
		}
		if len(d.Headers) != len(m.Attributes) {
			t.Errorf("headers %v, want those of %v", d.Headers, m.Attributes)
		}
		for _, a := range m.Attributes {
			if got := d.Headers["cloudEvents_"+a.Name]; got != a.Value {
				t.Errorf("header cloudEvents_%s is %v, want %q", a.Name, got, a.Value)
			}
		}
	}
}

func TestUnroutableOnRabbitMQ(t *testing.T) {
	t.Parallel()
	server := rabbit(t)
	name := exchange(t, server)
	sink := readySink(t, amqpbridge.Options{URL: server, Exchange: name})
	must(t, send(t, sink, message("1"))) // acknowledged, and gone
	mandatory := readySink(t, amqpbridge.Options{URL: server, Exchange: name, Mandatory: true})
	if err := send(t, mandatory, message("1")); !errors.Is(err, amqpbridge.ErrUnroutable) {
		t.Errorf("Send without a queue: %v", err)
	}
	from := consume(t, client(t, server), name, ">")
	must(t, send(t, mandatory, message("1")))
	next(t, from)
}

func TestForeignExchangeOnRabbitMQ(t *testing.T) {
	t.Parallel()
	server := rabbit(t)
	name := exchange(t, server)
	channel := client(t, server)
	must(t, channel.ExchangeDeclare(name, "fanout", true, false, false, false, nil))
	sink := newSink(t, amqpbridge.Options{URL: server, Exchange: name})
	eventually(t, func() error {
		var wrong *amqpbridge.ExchangeError
		if err := sink.Health(t.Context()); !errors.As(err, &wrong) || !strings.Contains(err.Error(), "'topic' but current is 'fanout'") {
			return fmt.Errorf("health is %w", err)
		}
		return nil
	})
	passive := readySink(t, amqpbridge.Options{URL: server, Exchange: name, Passive: true})
	must(t, send(t, passive, message("1")))
	must(t, channel.ExchangeDelete(name, false, false))
	must(t, ready(t, sink))
	must(t, send(t, sink, message("1")))
}

func TestPassiveLooksForAnExchangeAndMakesNone(t *testing.T) {
	t.Parallel()
	server := rabbit(t)
	sink := newSink(t, amqpbridge.Options{URL: server, Exchange: exchange(t, server), Passive: true})
	eventually(t, func() error {
		var wrong *amqpbridge.ExchangeError
		if err := sink.Health(t.Context()); !errors.As(err, &wrong) || !strings.Contains(err.Error(), "NOT_FOUND") {
			return fmt.Errorf("health is %w", err)
		}
		return nil
	})
}

func TestReservedExchangeIsUsedAsItIs(t *testing.T) {
	t.Parallel()
	sink := readySink(t, amqpbridge.Options{URL: rabbit(t), Exchange: "amq.topic"})
	must(t, send(t, sink, message("1")))
}

func TestExchangeDeletedOnRabbitMQ(t *testing.T) {
	t.Parallel()
	server := rabbit(t)
	name := exchange(t, server)
	sink := readySink(t, amqpbridge.Options{URL: server, Exchange: name})
	must(t, send(t, sink, message("1")))
	must(t, client(t, server).ExchangeDelete(name, false, false))
	eventually(t, func() error { return send(t, sink, message("2")) })
}

func TestWrongLoginOnRabbitMQ(t *testing.T) {
	t.Parallel()
	server, err := url.Parse(rabbit(t))
	must(t, err)
	wrong := func(change func(*url.URL)) string {
		u := *server
		change(&u)
		return u.String()
	}
	for name, c := range map[string]struct{ url, says string }{
		"password": {wrong(func(u *url.URL) { u.User = url.UserPassword("guest", "hush") }), "username or password"},
		"vhost":    {wrong(func(u *url.URL) { u.Path = "/nowhere" }), "vhost"},
		"port":     {wrong(func(u *url.URL) { u.Host = "127.0.0.1:1" }), "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sink := newSink(t, amqpbridge.Options{URL: c.url})
			eventually(t, func() error {
				err := sink.Health(t.Context())
				if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hush") {
					return fmt.Errorf("health is %w", err)
				}
				return nil
			})
		})
	}
}

// TestMemoryAlarmOfRabbitMQ needs a broker that nobody else uses: CLOUDBUS_TEST_AMQP_CTL is the command that rules it, "rabbitmqctl" or with options.
func TestMemoryAlarmOfRabbitMQ(t *testing.T) {
	server := rabbit(t)
	ctl := strings.Fields(os.Getenv("CLOUDBUS_TEST_AMQP_CTL"))
	if len(ctl) == 0 {
		t.Skip("NOT TESTED: CLOUDBUS_TEST_AMQP_CTL names no command that may raise the memory alarm of this RabbitMQ; TestBlockedBrokerDoesntBlockUs has it against a fake")
	}
	watermark := func(fraction string) {
		if out, err := exec.Command(ctl[0], append(ctl[1:], "set_vm_memory_high_watermark", fraction)...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	name := exchange(t, server)
	sink := readySink(t, amqpbridge.Options{URL: server, Exchange: name})
	from := consume(t, client(t, server), name, ">")
	must(t, send(t, sink, message("1")))
	watermark("0.000000001")
	defer watermark("0.4")
	var blocked *amqpbridge.BlockedError
	eventually(t, func() error { // the alarm takes a moment to reach the connections
		if err := sendPromptly(t, sink, message("2")); !errors.As(err, &blocked) {
			return fmt.Errorf("Send: %w", err)
		}
		return nil
	})
	if err := sink.Health(t.Context()); !errors.As(err, &blocked) || !strings.Contains(err.Error(), "memory") {
		t.Errorf("health is %v", err)
	}
	watermark("0.4")
	must(t, ready(t, sink))
	must(t, send(t, sink, message("2")))
	must(t, send(t, sink, message("3")))
	for got := ""; got != "3"; {
		d := next(t, from)
		if d.MessageId < got {
			t.Errorf("message %s came after %s", d.MessageId, got)
		}
		got = d.MessageId
	}
}
