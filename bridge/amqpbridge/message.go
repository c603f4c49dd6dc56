package amqpbridge

import (
	"fmt"

	"github.com/cloudbus-go/cloudbus/bridge"
	amqp "github.com/rabbitmq/amqp091-go"
)

// attributePrefix stands before a CloudEvents attribute that is a header, see the package's doc.
const attributePrefix = "cloudEvents_"

// publishing is m as AMQP has it.
func publishing(m bridge.Message) amqp.Publishing {
	p := amqp.Publishing{
		ContentType:  m.ContentType,
		DeliveryMode: amqp.Persistent,
		MessageId:    m.ID,
		Timestamp:    m.Header.Time, // left out if it is zero
		Body:         m.Data,
	}
	if len(m.Attributes) > 0 {
		p.Headers = make(amqp.Table, len(m.Attributes))
		for _, a := range m.Attributes {
			p.Headers[attributePrefix+a.Name] = a.Value
		}
	}
	return p
}

// check finds what can't be sent to any broker: the client would end the connection over it.
func check(m bridge.Message) error {
	for _, short := range [...]struct{ name, value string }{
		{"routing key", m.Subject}, {"message-id", m.ID}, {"content-type", m.ContentType},
	} {
		if n := len(short.value); n > maxShort {
			return &bridge.RejectedError{ID: m.ID, Subject: m.Subject, Err: fmt.Errorf("amqpbridge: the %s has %d bytes, AMQP allows %d", short.name, n, maxShort)}
		}
	}
	return nil
}
