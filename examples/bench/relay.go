package main

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/natsbridge"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/plugins"
)

const (
	relayed    = 100_000 // events of 10,000 resources
	relayedHot = 2_000   // events of one
)

// relays compares the way from the journal to JetStream with what nats.go does with as many ready messages.
func (b *bench) relays(dir string) (err error) {
	broker, err := startBroker(filepath.Join(dir, "relay-nats"))
	if err != nil {
		return err
	}
	defer broker.stop()
	err = b.relay(filepath.Join(dir, "relay.db"), broker, "journal to JetStream, 10000 resources", &log{events: relayed, resources: 10_000},
		"nats.go's PublishAsync of ready bytes", (*relaying).publishAsync, atLeast(0.6))
	if err != nil {
		return err
	}
	return b.relay(filepath.Join(dir, "hot.db"), broker, "journal to JetStream, one hot resource", &log{events: relayedHot, resources: 1},
		"nats.go's Publish of ready bytes, one after the other", (*relaying).publish, atLeast(0.8))
}

func (b *bench) relay(path string, broker *broker, name string, l *log, peer string, theirs func(*relaying) ([]float64, error), must bar) (err error) {
	if l.fleet, err = openFleet(path); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	if err := l.fill(); err != nil {
		return err
	}
	r := &relaying{log: l, broker: broker}
	if r.stream, err = broker.connect(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.stream.close()) }()
	if err := r.prepare(); err != nil {
		return err
	}
	return b.hold(contest{name: name, unit: "µs", contenders: []contender{
		{name: "ours", run: r.ours},
		{name: peer, run: func() ([]float64, error) { return theirs(r) }, bars: []bar{must}},
	}})
}

// relaying is a journal whose events go to a stream.
type relaying struct {
	*log
	broker *broker
	stream *stream
	ready  []*nats.Msg // what the bridge makes of the events
}

// prepare encodes all events.
func (r *relaying) prepare() error {
	for after := uint64(0); ; {
		records, err := r.store.Journal().Read(r.ctx, after, 1000)
		if err != nil {
			return err
		}
		if len(records) == 0 {
			return nil
		}
		for i := range records {
			e := bus.Event[bus.Raw]{Header: records[i].Header, Payload: bus.Raw(records[i].Data)}
			data, err := bridge.Encode(e)
			if err != nil {
				return err
			}
			subject, err := bridge.Subject(e.Tenant, e.Type)
			if err != nil {
				return err
			}
			r.ready = append(r.ready, &nats.Msg{Subject: subject, Data: data, Header: nats.Header{"Content-Type": {bridge.ContentType}, jetstream.MsgIDHeader: {e.ID.String()}}})
			after = e.Seq
		}
	}
}

// ours starts a bridge at the journal's first event.
func (r *relaying) ours() ([]float64, error) {
	if err := r.stream.renew(); err != nil {
		return nil, err
	}
	r.runs++
	relay, err := startRelay(r.fleet, r.broker, bridge.Options{Name: fmt.Sprintf("run%d", r.runs), Backlog: true})
	if err != nil {
		return nil, err
	}
	begun := time.Now()
	if err := relay.manager.Start(r.ctx); err != nil {
		return nil, err
	}
	err = r.bus.Flush(r.ctx)
	took := r.perEvent(begun)
	if err := errors.Join(err, relay.manager.Close(r.ctx), r.arrived()); err != nil {
		return nil, err
	}
	return took, r.store.Writer().Forget(r.ctx, relay.name)
}

func (r *relaying) arrived() error {
	n, err := r.stream.length()
	if err == nil && n != uint64(len(r.ready)) {
		err = fmt.Errorf("%d of %d events are in the stream", n, len(r.ready))
	}
	return err
}

// relayPlugin is a bridge and what runs it.
type relayPlugin struct {
	name    string
	manager *plugins.Manager
}

// startRelay makes a bridge that isn't started yet.
func startRelay(f *fleet, b *broker, o bridge.Options) (*relayPlugin, error) {
	sink, err := natsbridge.New(natsbridge.Options{URL: b.url()})
	if err != nil {
		return nil, err
	}
	relay, err := bridge.New(sink, o)
	if err != nil {
		return nil, err
	}
	manager, err := plugins.NewManager(plugins.Options{Bus: f.bus, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	return &relayPlugin{relay.Name(), manager}, manager.Add(relay, plugins.Required())
}

// publishAsync is what a publisher can do who keeps no order.
func (r *relaying) publishAsync() ([]float64, error) {
	if err := r.stream.renew(); err != nil {
		return nil, err
	}
	begun := time.Now()
	for _, m := range r.ready {
		if _, err := r.stream.js.PublishMsgAsync(m, jetstream.WithStallWait(patience)); err != nil {
			return nil, err
		}
	}
	<-r.stream.js.PublishAsyncComplete()
	took := r.perEvent(begun)
	return took, r.arrived()
}

func (r *relaying) publish() ([]float64, error) {
	if err := r.stream.renew(); err != nil {
		return nil, err
	}
	begun := time.Now()
	for _, m := range r.ready {
		if _, err := r.stream.js.PublishMsg(r.ctx, m); err != nil {
			return nil, err
		}
	}
	took := r.perEvent(begun)
	return took, r.arrived()
}
