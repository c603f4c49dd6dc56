package main

import (
	"errors"
	"os"
)

// bridged compares what leaves the process, and what comes in: encoding, the relay to JetStream, reports of providers, an outage of the broker.
func (b *bench) bridged() (err error) {
	dir, err := os.MkdirTemp("", "cloudbus-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := b.encoding(); err != nil {
		return err
	}
	if err := b.relays(dir); err != nil {
		return err
	}
	if err := b.ingests(dir); err != nil {
		return err
	}
	if err := b.flap(); err != nil {
		return err
	}
	return b.outage(dir)
}
