package amqpbridge

import (
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"
)

// ensureExchange declares the exchange, or looks for it if it isn't ours to declare. Errors: *ExchangeError, ErrAway.
func ensureExchange(conn *amqp.Connection, o Options) error {
	err := onChannel(conn, func(c *amqp.Channel) error {
		if o.Passive {
			return lookFor(c, o.Exchange)
		}
		return c.ExchangeDeclare(o.Exchange, amqp.ExchangeTopic, true, false, false, false, nil)
	})
	if codeOf(err) == amqp.AccessRefused && !o.Passive {
		// A user who may publish needn't be one who may declare, and an exchange called amq.… can't be declared by anybody.
		if onChannel(conn, func(c *amqp.Channel) error { return lookFor(c, o.Exchange) }) == nil {
			return nil
		}
	}
	switch {
	case err == nil:
		return nil
	case codeOf(err) != 0:
		return &ExchangeError{Exchange: o.Exchange, Err: err}
	}
	return fmt.Errorf("%w: %w", ErrAway, err)
}

// lookFor fails if there is no such exchange; a broker compares nothing but the name.
func lookFor(c *amqp.Channel, exchange string) error {
	return c.ExchangeDeclarePassive(exchange, amqp.ExchangeTopic, true, false, false, false, nil)
}

// onChannel runs do on a channel of its own, for the broker ends a channel whose request fails.
func onChannel(conn *amqp.Connection, do func(*amqp.Channel) error) error {
	channel, err := conn.Channel()
	if err != nil {
		return err
	}
	defer func() { _ = channel.Close() }()
	return do(channel)
}
