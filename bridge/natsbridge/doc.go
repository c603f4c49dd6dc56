// Package natsbridge is the NATS side of a bridge: it publishes events to a JetStream stream.
package natsbridge
