package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bridge/natsbridge"
	"github.com/cloudbus-go/cloudbus/bridge/status"
	"github.com/cloudbus-go/cloudbus/plugins"
)

const (
	reported      = 10_000  // VMs that are reported
	reportsOnce   = 100_000 // reports of a turn
	consumerTakes = 3_000   // of them, by the peer: it would take minutes for all
	userRate      = 500     // moves a second of users, of other VMs
)

// ingests compares what takes providers' reports with a consumer that does the least that can be done with one, and users' moves meanwhile
// with those when nobody reports.
func (b *bench) ingests(dir string) (err error) {
	broker, err := startBroker(filepath.Join(dir, "ingest-nats"))
	if err != nil {
		return err
	}
	defer broker.stop()
	in, err := b.openIngest(dir, broker)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close()) }()
	pragmas, err := in.pragmas()
	if err != nil {
		return err
	}
	asDCM, err := openAsDCM(filepath.Join(dir, "dcm.db"))
	if err != nil {
		return err
	}
	dcm, err := consume(asDCM, "dcm", in.said)
	if err != nil {
		return err
	}
	asOurs, err := openAsOurs(filepath.Join(dir, "dcm-tuned.db"), pragmas)
	if err != nil {
		return err
	}
	tuned, err := consume(asOurs, "tuned", in.said)
	if err != nil {
		return err
	}
	const one = "decode, validate, update a row, acknowledge, one by one"
	for _, said := range []struct {
		what  string
		cycle []status.Status
	}{
		{"each changes its VM", []status.Status{status.Running, status.Stopped}},
		{"each says what is known", []status.Status{status.Running}},
	} {
		in.said.cycle = said.cycle
		err = b.hold(contest{name: fmt.Sprintf("a report of a provider, %d over %d VMs, %s", reportsOnce, reported, said.what), unit: "µs", rounds: min(b.rounds, 3), contenders: []contender{
			{name: "ours, with all checks", run: in.turn},
			{name: one + ", as DCM's", run: func() ([]float64, error) { return dcm.turn(in.said) }, bars: []bar{atLeast(10)}},
			{name: one + ", our database settings", run: func() ([]float64, error) { return tuned.turn(in.said) }},
		}})
		if err != nil {
			return err
		}
	}
	if err := errors.Join(dcm.stop(), tuned.stop()); err != nil {
		return err
	}
	in.said.cycle = []status.Status{status.Running, status.Stopped}
	return b.usersBeside(in)
}

// usersBeside has users move VMs while reports come in, and while none do, in turns.
func (b *bench) usersBeside(in *ingesting) error {
	users := &traffic{fleet: in.users(), rate: userRate}
	return b.hold(contest{name: fmt.Sprintf("Fire's p99 of users, %d moves a second, beside %d reports", userRate, reportsOnce), unit: "µs", rounds: min(b.rounds, 3), contenders: []contender{
		{name: "ours", run: func() ([]float64, error) {
			if err := in.said.publish(reportsOnce); err != nil {
				return nil, err
			}
			over, failed := make(chan struct{}), make(chan error, 1)
			go func() {
				failed <- in.drain()
				close(over)
			}()
			p99, err := users.window(over)
			return []float64{p99}, errors.Join(err, <-failed)
		}},
		{name: "ours, nobody reports", run: func() ([]float64, error) {
			p99, err := users.window(after(5 * time.Second))
			return []float64{p99}, err
		}, bars: []bar{atMost(2)}},
	}})
}

// ingesting is a fleet whose VMs are reported.
type ingesting struct {
	*fleet
	said    *reports
	plugin  *status.Ingest
	manager *plugins.Manager
	carrier *natsbridge.Transport
	gate    sync.RWMutex // locked while nothing is taken
}

func (b *bench) openIngest(dir string, broker *broker) (_ *ingesting, err error) {
	b.say(fmt.Sprintf("a database of %d VMs", 2*reported))
	quiet := slog.New(slog.DiscardHandler)
	in := &ingesting{}
	in.gate.Lock()
	if in.carrier, err = natsbridge.NewTransport(natsbridge.TransportOptions{URL: broker.url(), Logger: quiet}); err != nil {
		return nil, err
	}
	if in.plugin, err = status.NewIngest(status.IngestOptions{Transport: gated{in.carrier, &in.gate}}); err != nil {
		return nil, err
	}
	if in.fleet, err = b.populate(filepath.Join(dir, "ingest.db"), 2*reported, in.plugin.Listener()); err != nil {
		return nil, err
	}
	in.plugin.Use(in.engine)
	s, err := broker.connect()
	if err != nil {
		return nil, err
	}
	in.said = &reports{stream: s, ids: in.ids[:reported], at: time.Now()}
	if err := in.said.renew(); err != nil {
		return nil, err
	}
	if in.manager, err = plugins.NewManager(plugins.Options{Bus: in.bus, Logger: quiet}); err != nil {
		return nil, err
	}
	if err := in.manager.Add(in.plugin, plugins.Required()); err != nil {
		return nil, err
	}
	return in, in.manager.Start(in.ctx)
}

// users returns the fleet of the VMs that nobody reports.
func (in *ingesting) users() *fleet {
	f := &fleet{store: in.store, bus: in.bus, engine: in.engine, vms: in.vms, ctx: in.ctx}
	f.take(in.ids[reported:])
	return f
}

// turn takes reports that are in the stream already, and returns the µs of one.
func (in *ingesting) turn() ([]float64, error) {
	if err := in.said.publish(reportsOnce); err != nil {
		return nil, err
	}
	waiting := float64(in.said.said) - float64(in.plugin.Stats().Received)
	begun := time.Now()
	err := in.drain()
	return []float64{float64(time.Since(begun).Microseconds()) / waiting}, err
}

// drain returns when all that was reported is applied.
func (in *ingesting) drain() error {
	in.gate.Unlock()
	defer in.gate.Lock()
	deadline := time.Now().Add(patience)
	for {
		switch done := in.plugin.Stats(); {
		case done.Stale+done.Duplicate+done.Held+done.Refused+done.Vetoed+done.Dropped > 0 || len(done.Rejected) > 0:
			return fmt.Errorf("not all is applied: %+v", done)
		case done.Applied == uint64(in.said.said):
			return nil
		case time.Now().After(deadline):
			return fmt.Errorf("%d of %d reports are applied", done.Applied, in.said.said)
		}
		time.Sleep(time.Millisecond)
	}
}

func (in *ingesting) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	in.gate.Unlock()
	return errors.Join(in.manager.Close(ctx), in.carrier.Close(ctx), in.said.stream.close(), in.fleet.close())
}

// gated holds back what is received while its lock is held.
type gated struct {
	bridge.Transport
	gate *sync.RWMutex
}

func (g gated) Receive(ctx context.Context, in bridge.Inlet, handle func(context.Context, []bridge.Delivery) error) error {
	return g.Transport.Receive(ctx, in, func(ctx context.Context, batch []bridge.Delivery) error {
		g.gate.RLock()
		defer g.gate.RUnlock()
		return handle(ctx, batch)
	})
}
