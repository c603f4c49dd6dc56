package main

import (
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/cloudbus-go/cloudbus/bridge"
)

// inspect reads the whole stream: each event of the journal is there once, and those of one resource are in their order.
func (b *bench) inspect(f *fleet, k *broker) (err error) {
	s, err := k.connect()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	_, recorded, err := f.store.Journal().Bounds(f.ctx)
	if err != nil {
		return err
	}
	length, err := s.length()
	if err != nil {
		return err
	}
	c := census{ids: map[string]bool{}, versions: map[string]uint64{}}
	if err := s.each(int(length), c.count); err != nil {
		return err
	}
	c.missing = int(recorded) - len(c.ids)
	for _, r := range []struct {
		name  string
		count int
	}{{"missing in the stream", c.missing}, {"twice in the stream", c.twice}, {"out of order in the stream", c.disordered}} {
		b.rows = append(b.rows, row{group: b.group, name: fmt.Sprintf("events %s, of %d", r.name, recorded), unit: "", ours: float64(r.count), bar: bar{sort: absolute}})
	}
	return nil
}

// census counts what must not be.
type census struct {
	ids      map[string]bool
	versions map[string]uint64 // the last of each resource

	missing, twice, disordered int
}

func (c *census) count(m jetstream.Msg) error {
	e, err := bridge.Decode(m.Data())
	if err != nil {
		return err
	}
	if id := e.ID.String(); c.ids[id] {
		c.twice++
	} else {
		c.ids[id] = true
	}
	if e.Version != c.versions[e.ResourceID]+1 {
		c.disordered++
	}
	c.versions[e.ResourceID] = e.Version
	return nil
}

// each reads the stream's first n messages.
func (s *stream) each(n int, do func(jetstream.Msg) error) error {
	consumer, err := s.js.OrderedConsumer(s.ctx, bridge.Root, jetstream.OrderedConsumerConfig{})
	if err != nil {
		return err
	}
	messages, err := consumer.Messages()
	if err != nil {
		return err
	}
	defer messages.Stop()
	for range n {
		m, err := messages.Next()
		if err != nil {
			return err
		}
		if err := do(m); err != nil {
			return err
		}
	}
	return nil
}
