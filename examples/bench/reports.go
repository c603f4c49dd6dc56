package main

import (
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/cloudbus-go/cloudbus/bridge/status"
	"github.com/cloudbus-go/cloudbus/bus"
)

const statusStream = "dcm-status"

// reports are what a provider says of VMs, in turns.
type reports struct {
	stream *stream
	ids    []string
	cycle  []status.Status // of each VM
	said   int             // so far
	at     time.Time
}

// renew makes the stream of reports anew.
func (r *reports) renew() error {
	return r.stream.makeAnew(jetstream.StreamConfig{Name: statusStream, Subjects: []string{"dcm.*"}})
}

// publish reports n times, as fast as the broker takes it.
func (r *reports) publish(n int) error {
	for range n {
		m, err := r.next()
		if err != nil {
			return err
		}
		if _, err := r.stream.js.PublishMsgAsync(m, jetstream.WithStallWait(patience)); err != nil {
			return err
		}
	}
	select {
	case <-r.stream.js.PublishAsyncComplete():
		return nil
	case <-time.After(patience):
		return fmt.Errorf("the broker hasn't acknowledged all of %d reports", n)
	}
}

func (r *reports) next() (*nats.Msg, error) {
	said := r.cycle[r.said/len(r.ids)%len(r.cycle)]
	r.at = r.at.Add(time.Microsecond)
	stamp := status.Stamp{Provider: "bench", ID: bus.NewID(r.at), Sequence: uint64(r.at.UnixNano())}
	l, err := status.Encode(stamp, status.Observation{ServiceType: "vm", ID: r.ids[r.said%len(r.ids)], Status: said, Message: "reported by the benchmark", Time: r.at})
	if err != nil {
		return nil, err
	}
	r.said++
	return &nats.Msg{Subject: l.Subject, Header: nats.Header(l.Header), Data: l.Data}, nil
}
