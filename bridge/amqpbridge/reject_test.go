package amqpbridge_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/amqpbridge"
)

func TestOnlyTheMessageThatIsTooLargeIsRejected(t *testing.T) {
	t.Parallel()
	broker := newFakeBroker(t)
	broker.answer = func(p post) verdict {
		if p.size > 4096 {
			return verdict{code: replyPreconditionFailed, text: "PRECONDITION_FAILED - message size 8192 is larger than configured max size 4096"}
		}
		return verdict{}
	}
	broker.start()
	sink := readySink(t, amqpbridge.Options{URL: broker.url()})
	var sends sync.WaitGroup
	for i := range 16 {
		m := message(fmt.Sprint(i))
		if i == 5 {
			m.Data = make([]byte, 8192)
		}
		sends.Go(func() {
			err := untilSettled(t, sink, m)
			var rejected *bridge.RejectedError
			switch {
			case i != 5 && err != nil:
				t.Errorf("message %d: %v", i, err)
			case i == 5 && (!errors.As(err, &rejected) || rejected.ID != "5" || !strings.Contains(err.Error(), "larger")):
				t.Errorf("the message that is too large: %v", err)
			}
		})
	}
	sends.Wait()
	logins := broker.count(&broker.logins)
	var rejected *bridge.RejectedError
	if err := untilSettled(t, sink, bridge.Message{ID: "5", Subject: "cloudbus._.x", Data: make([]byte, 8192)}); !errors.As(err, &rejected) {
		t.Errorf("the same again: %v", err)
	}
	if again := broker.count(&broker.logins); again != logins {
		t.Errorf("the same message again cost a connection: %d logins, %d before", again, logins)
	}
}

// untilSettled repeats what may be repeated, as a bridge does.
func untilSettled(t testing.TB, sink *amqpbridge.Sink, m bridge.Message) (err error) {
	var rejected *bridge.RejectedError
	for range 20 {
		if err = send(t, sink, m); err == nil || errors.As(err, &rejected) {
			return err
		}
		if err := ready(t, sink); err != nil {
			return err
		}
	}
	return fmt.Errorf("tried 20 times: %w", err)
}

func TestMessageThatMayNotBePublishedThereDoesntHoldOthersUp(t *testing.T) {
	t.Parallel()
	broker := newFakeBroker(t)
	broker.answer = func(p post) verdict {
		if strings.Contains(p.key, "secret") {
			return verdict{code: replyAccessRefused, text: "ACCESS_REFUSED - access to topic refused"}
		}
		return verdict{}
	}
	broker.start()
	sink := readySink(t, amqpbridge.Options{URL: broker.url()})
	refused := message("1")
	refused.Subject = "cloudbus.secret.vm.created"
	for range 3 {
		must(t, ready(t, sink))
		var rejected *bridge.RejectedError
		if err := send(t, sink, refused); err == nil || errors.As(err, &rejected) || !strings.Contains(err.Error(), "ACCESS_REFUSED") {
			t.Errorf("Send: %v; it must say why, and may be tried again", err)
		}
	}
	must(t, untilSettled(t, sink, message("2")))
	if logins := broker.count(&broker.logins); logins > 2 {
		t.Errorf("%d logins: each attempt costs a connection", logins)
	}
}

func TestRoutingKeyOfMoreThan255BytesIsRejected(t *testing.T) {
	t.Parallel()
	broker := newFakeBroker(t).start()
	sink := readySink(t, amqpbridge.Options{URL: broker.url()})
	long := message("1")
	long.Subject = "cloudbus." + strings.Repeat("a", 255-len("cloudbus..vm.created")) + ".vm.created"
	must(t, send(t, sink, long))
	long.Subject = "cloudbus.a" + long.Subject[len("cloudbus."):]
	var rejected *bridge.RejectedError
	if err := send(t, sink, long); !errors.As(err, &rejected) || !strings.Contains(err.Error(), "256 bytes") {
		t.Errorf("Send on a routing key of %d bytes: %v", len(long.Subject), err)
	}
	must(t, sink.Health(t.Context()))
	if logins := broker.count(&broker.logins); logins != 1 {
		t.Errorf("%d logins", logins)
	}
}

func TestTooLargeForRabbitMQ(t *testing.T) {
	t.Parallel()
	server := rabbit(t)
	sink := readySink(t, amqpbridge.Options{URL: server, Exchange: exchange(t, server)})
	m := message("1")
	m.Data = make([]byte, 128<<20+1) // RabbitMQ's default is 128 MiB
	var rejected *bridge.RejectedError
	if err := untilSettled(t, sink, m); !errors.As(err, &rejected) || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("Send of 128 MiB and a byte: %v", err)
	}
	must(t, untilSettled(t, sink, message("2")))
}
