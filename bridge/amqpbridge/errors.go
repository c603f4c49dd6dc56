package amqpbridge

import (
	"errors"
	"fmt"
)

var (
	// ErrAway: there is no connection to the broker. The sink goes on trying.
	ErrAway = errors.New("amqpbridge: no connection to the broker")
	// ErrNoConfirm: the broker has not confirmed a message in time. It may have it nevertheless.
	ErrNoConfirm = errors.New("amqpbridge: no confirmation")
	// ErrNack: the broker couldn't take a message: a queue is full and refuses more, or has lost its disk or its majority.
	ErrNack = errors.New("amqpbridge: the broker refused a message for now")
	// ErrUnroutable: no queue is bound that takes a message, and Options.Mandatory says that one must.
	ErrUnroutable = errors.New("amqpbridge: no queue is bound for a message")
	// ErrClosed: the sink is closed, or was never opened.
	ErrClosed = errors.New("amqpbridge: closed")
	// ErrOpened: the sink was opened before. Each bridge, and each start of a server, has a sink of its own.
	ErrOpened = errors.New("amqpbridge: the sink was opened before, by this bridge or another: make one for each with New")
)

// BlockedError: the broker is there and takes no messages, because it has run short of something. The sink waits until it says that it takes them again.
type BlockedError struct {
	Reason string // the broker's own: "low on memory"
}

func (e *BlockedError) Error() string {
	return fmt.Sprintf("amqpbridge: the broker has blocked publishers: %s", e.Reason)
}

// ExchangeError: the exchange can't be used as it is, or can't be made. The sink looks at it again every few seconds.
type ExchangeError struct {
	Exchange string
	Err      error // what the broker says: *amqp091.Error
}

func (e *ExchangeError) Error() string {
	return fmt.Sprintf("amqpbridge: exchange %s: must be a durable topic exchange: %v", e.Exchange, e.Err)
}

func (e *ExchangeError) Unwrap() error { return e.Err }
