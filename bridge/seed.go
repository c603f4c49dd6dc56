package bridge

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"sync"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/resources"
)

const (
	seedPage    = 256             // resources that are read at a time
	seedWorkers = 16              // of them that are sent at a time
	seedPause   = 5 * time.Second // before what couldn't be read is read again
	stripes     = 256
)

// seeder sends the states of all resources: at the start, and when the sink says that what it kept is gone.
type seeder struct {
	bridge *Bridge
	keeper StateKeeper
	rt     *plugins.Runtime
	seed   maphash.Seed
	sends  patience
	locks  [stripes]sync.Mutex // by resource: a message about one that is under way keeps another about it back
}

func newSeeder(b *Bridge, keeper StateKeeper, rt *plugins.Runtime) *seeder {
	return &seeder{bridge: b, keeper: keeper, rt: rt, seed: maphash.MakeSeed()}
}

// start begins to seed. The subscription must be there: what happens from now on is its business.
func (s *seeder) start() { s.rt.Go("seed", s.run) }

// sending is the context of a send. It ends as soon as the bridge begins to close: the next start sends all states again.
func (s *seeder) sending() context.Context { return s.sends.send(s.bridge.life.open) }

// run seeds until ctx ends, or the bridge closes.
func (s *seeder) run(ctx context.Context) error {
	ctx, cancel := within(ctx, s.bridge.life.open)
	defer cancel()
	for {
		wait := time.Duration(0)
		if err := s.all(ctx); err != nil && ctx.Err() == nil {
			s.bridge.log.Warn("states can't be read", "error", err, "again_in", seedPause)
			wait = seedPause
		}
		if !s.rest(ctx, wait) {
			return nil
		}
	}
}

// rest waits until it is time to seed again: after a while if that is given, or when the sink says so. false: ctx has ended.
func (s *seeder) rest(ctx context.Context, wait time.Duration) bool {
	var again <-chan time.Time
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		again = timer.C
	}
	select {
	case <-again:
		return true
	case <-s.keeper.Renewed():
		s.bridge.log.Info("the broker has lost states; sending those of all resources")
		return true
	case <-ctx.Done():
		return false
	}
}

// all sends the state of each resource.
func (s *seeder) all(ctx context.Context) error {
	engine := s.bridge.options.Engine
	for _, name := range engine.Kinds() {
		kind, err := engine.Kind(name)
		if err != nil {
			return err
		}
		if !s.bridge.options.sendsKind(name) {
			continue
		}
		if err := s.kind(ctx, kind); err != nil {
			return err
		}
	}
	return nil
}

// sendsKind reports whether states of a kind are sent.
func (o Options) sendsKind(kind string) bool {
	return len(o.Types) == 0 || slices.Contains(o.Types, kind+".>")
}

func (o Options) sendsTenant(tenant string) bool {
	return len(o.Tenants) == 0 || slices.Contains(o.Tenants, tenant)
}

func (s *seeder) kind(ctx context.Context, kind *resources.Handle) error {
	for after, more := "", true; more; {
		// What is read is read after this, so it holds all events up to here.
		_, seq, err := s.bridge.bus.Journal().Bounds(ctx)
		if err != nil {
			return err
		}
		items, next, err := kind.List(ctx, resources.Query{After: after, Limit: seedPage})
		if err != nil {
			return err
		}
		if err := s.page(ctx, kind, items, seq); err != nil {
			return err
		}
		after, more = next, next != ""
	}
	return nil
}

// page sends the states of some resources, several at a time.
func (s *seeder) page(ctx context.Context, kind *resources.Handle, items []any, seq uint64) error {
	work := make(chan any)
	var group sync.WaitGroup
	for range min(seedWorkers, len(items)) {
		group.Go(func() {
			for item := range work {
				s.one(ctx, kind, item, seq)
			}
		})
	}
	for _, item := range items {
		if ctx.Err() == nil {
			work <- item
		}
	}
	close(work)
	group.Wait()
	return ctx.Err()
}

// one sends a state. One that can't be sent is counted and logged; the resource's next event will show whether that is still so.
func (s *seeder) one(ctx context.Context, kind *resources.Handle, item any, seq uint64) {
	o := resources.ObjectOf(item)
	if !s.bridge.options.sendsTenant(o.Tenant) {
		return
	}
	err := s.send(ctx, kind, item, seq)
	switch {
	case err == nil:
		s.bridge.counts.seeded.Add(1)
	case !errors.Is(err, errClosing) && ctx.Err() == nil:
		s.bridge.counts.rejected.Add(1)
		s.bridge.log.Error("state can't be sent", "kind", kind.Name(), "id", o.ID, "error", err)
	}
}

// send sends a state. A panic of the sink, or of what a kind brings, is an error: these goroutines are not the bus's.
func (s *seeder) send(ctx context.Context, kind *resources.Handle, item any, seq uint64) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("bridge: panic: %v", r)
		}
	}()
	m, err := s.message(kind, item, seq)
	if err != nil {
		return err
	}
	// It goes on though the reader goes back in the journal meanwhile.
	return s.bridge.alone(ctx, m, s.sending, func() context.Context { return s.bridge.life.open })
}

// message returns a resource's state as of the journal's place seq, or later.
func (s *seeder) message(kind *resources.Handle, item any, seq uint64) (Message, error) {
	o, snapshot := resources.ObjectOf(item), kind.Snapshot(item)
	data, err := json.Marshal(snapshot)
	if err != nil {
		return Message{}, fmt.Errorf("bridge: state of %s/%s: %w", kind.Name(), o.ID, err)
	}
	e := bus.Event[bus.Raw]{Payload: data, Header: bus.Header{
		ID: snapshotID(s.bridge.bus.Source(), kind.Name(), o), Type: snapshot.EventType(), Schema: 1, Source: s.bridge.bus.Source(), Kind: kind.Name(), ResourceID: o.ID,
		Time: o.UpdatedAt, Seq: seq, Tenant: o.Tenant, Version: o.Version,
	}}
	return s.bridge.options.message(&e, true) // json.Marshal has written its data, too
}

// snapshotID is the same for the same state, whenever it is sent: a UUID of version 8, made of what tells states apart.
func snapshotID(source, kind string, o *resources.Object) (id bus.ID) {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %d %d", source, kind, o.ID, o.CreatedAt.UnixNano(), o.Version))
	copy(id[:], sum[:])
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return id
}

// alone relays a message; a state, while no other about its resource is under way.
func (b *Bridge) alone(ctx context.Context, m Message, sending, span func() context.Context) error {
	if s := b.seeder; s != nil {
		lock := &s.locks[maphash.String(s.seed, m.Subject)%stripes]
		lock.Lock()
		defer lock.Unlock()
	}
	return b.relay(ctx, m, sending, span)
}
