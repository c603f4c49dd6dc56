//go:build ignore

// Logsin exits with 0 if a RabbitMQ lets one log in at the URL it is given, and open a channel.
package main

import (
	"fmt"
	"os"

	amqp "github.com/rabbitmq/amqp091-go"
)

func main() {
	if err := ask(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func ask(url string) error {
	conn, err := amqp.DialConfig(url, amqp.Config{Dial: amqp.DefaultDial(5e9)})
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	_, err = conn.Channel()
	return err
}
