package bridge_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/plugins"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres/postgrestest"
)

// markedSink is a sink of a broker that has everything it acknowledged, with stream sequences that are the journal's.
type markedSink struct {
	onMark func() // called by Mark

	mu    sync.Mutex
	away  error
	sent  []uint64
	marks int // calls of Mark
	looks int // calls of Holds
}

func (s *markedSink) set(away error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = away
}

func (s *markedSink) Send(_ context.Context, m bridge.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away == nil {
		s.sent = append(s.sent, m.Header.Seq)
	}
	return s.away
}

func (s *markedSink) Health(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.away
}

func (s *markedSink) Mark() (bridge.Mark, bool) {
	if s.onMark != nil {
		s.onMark()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.marks++
	if len(s.sent) == 0 {
		return bridge.Mark{}, false
	}
	last := s.sent[len(s.sent)-1]
	return bridge.Mark{Stream: "cloudbus", Created: time.Unix(1, 0), Seq: last, ID: fmt.Sprint(last)}, true
}

func (s *markedSink) Holds(context.Context, bridge.Mark) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looks++
	return true, nil
}

func (s *markedSink) OnConnect(func(context.Context) error) {}

// count returns how often Mark and Holds were called, and how much was sent.
func (s *markedSink) count() (marks, looks, sent int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.marks, s.looks, len(s.sent)
}

// server is one of several on a database, with a bridge.
type server struct {
	t      *testing.T
	store  *gormstore.Store
	bus    *bus.Bus
	bridge *bridge.Bridge
}

func newServer(t *testing.T, dsn string, sink bridge.Sink, now func() time.Time) *server {
	t.Helper()
	s := &server{t: t}
	log := slog.New(slog.DiscardHandler)
	var err error
	s.store, err = postgres.Open(dsn, postgres.Options{Logger: log, Lease: time.Second})
	must(t, err)
	s.bus = bus.New(bus.Options{Logger: log, Source: "cloudbus/test", Journal: s.store.Journal()})
	must(t, bus.Register[fact](s.bus, "thing.>", 1))
	s.bridge, err = bridge.New(sink, bridge.Options{})
	must(t, err)
	manager, err := plugins.NewManager(plugins.Options{Bus: s.bus, Logger: log, Now: now})
	must(t, err)
	must(t, manager.Add(s.bridge, plugins.Required()))
	must(t, manager.Start(t.Context()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := errors.Join(manager.Close(ctx), s.bus.Close(ctx), s.store.Close(ctx)); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func (s *server) record(n int) {
	s.t.Helper()
	for range n {
		must(s.t, s.store.Do(context.Background(), func(tx resources.StoreTx) error {
			_, err := tx.Append(fact{ID: "1", What: "counted"})
			return err
		}))
	}
}

// is is nil when the bridge's subscription is in a state; "" if there is none.
func (s *server) is(state string) func() error {
	return func() error {
		have := ""
		for _, i := range s.bus.Inspect().Subscriptions {
			if i.Name == s.bridge.Name() {
				have = i.State
			}
		}
		if have != state {
			return fmt.Errorf("the subscription is %q, want %q", have, state)
		}
		return nil
	}
}

func (s *server) cursor() (seq uint64) {
	s.t.Helper()
	must(s.t, s.store.Writer().DB().Raw("SELECT COALESCE(MAX(seq), 0) FROM journal_cursor WHERE name = ?", s.bridge.Name()).Scan(&seq).Error)
	return seq
}

func (s *server) checkpoint() (seq uint64) {
	s.t.Helper()
	must(s.t, s.store.Writer().DB().Raw("SELECT COALESCE(MAX(seq), 0) FROM bridge_checkpoints WHERE bridge = ?", s.bridge.Name()).Scan(&seq).Error)
	return seq
}

// other is a server on the same database that has taken the bridge over, as if the first hadn't answered for too long.
type other struct {
	journal *journal.Journal
	lease   bus.Lease
}

func (s *server) overtake(dsn string) other {
	s.t.Helper()
	store, err := postgres.Open(dsn, postgres.Options{Logger: slog.New(slog.DiscardHandler), Lease: time.Minute})
	must(s.t, err)
	s.t.Cleanup(func() { _ = store.Close(context.Background()) })
	o := other{journal: store.Writer()}
	expire := func(string) {
		o.exec(s.t, "UPDATE leases SET until = clock_timestamp() - interval '1 second' WHERE name = ?", s.bridge.Name())
	}
	expire("")
	o.lease, err = o.journal.Lease(context.Background(), s.bridge.Name(), expire)
	must(s.t, err)
	return o
}

func (o other) exec(t *testing.T, query string, args ...any) {
	t.Helper()
	must(t, o.journal.Do(context.Background(), func(tx *journal.Tx) error { return tx.DB().Exec(query, args...).Error }))
}

// The lease goes away, the other server goes back, and the lease comes again, all between two steps of a checkpoint.
func TestServersACheckpointOfAnEarlierTurnIsntStored(t *testing.T) {
	dsn := postgrestest.Schema(t)
	sink, marking, goOn, done := &markedSink{}, make(chan struct{}), make(chan struct{}), make(chan struct{})
	end := sync.OnceFunc(func() { close(done) })
	defer end()
	sink.onMark = func() {
		for _, step := range []chan struct{}{marking, goOn} {
			select {
			case step <- struct{}{}:
			case <-done:
			}
		}
	}
	s := newServer(t, dsn, sink, nil)
	<-marking
	s.record(9)
	eventually(t, func() error {
		if at := s.cursor(); at != 9 {
			return fmt.Errorf("the cursor is at %d", at)
		}
		return nil
	})
	<-goOn
	<-marking // that tick has read the cursor
	o := s.overtake(dsn)
	eventually(t, s.is("standby"))
	sink.set(errors.New("away"))
	o.exec(t, "UPDATE journal_cursor SET seq = 0 WHERE name = ?", s.bridge.Name())
	o.exec(t, "DELETE FROM bridge_checkpoints WHERE bridge = ? AND seq > 0", s.bridge.Name())
	must(t, o.lease.Release(t.Context()))
	eventually(t, s.is("running"))
	after, _, _ := sink.count()
	end()
	eventually(t, func() error {
		if marks, _, _ := sink.count(); marks <= after {
			return errors.New("it didn't go on")
		}
		return nil
	})
	sink.set(nil)
	eventually(t, func() error {
		if at := s.checkpoint(); at != 9 {
			return fmt.Errorf("the checkpoint is at %d", at)
		}
		return nil
	})
	if _, _, sent := sink.count(); sent != 18 {
		t.Errorf("%d were sent, want all nine twice", sent)
	}
}

func TestServersStandByThoughTheBrokerIsAway(t *testing.T) {
	dsn := postgrestest.Schema(t)
	sink := &markedSink{away: errors.New("away")}
	s := newServer(t, dsn, sink, nil)
	s.record(1)
	eventually(t, func() error { // the event waits
		var away *bridge.AwayError
		if err := s.bridge.Health(t.Context()); !errors.As(err, &away) || away.Behind != 1 {
			return fmt.Errorf("health is %w", err)
		}
		return nil
	})
	o := s.overtake(dsn)
	eventually(t, s.is("standby"))
	must(t, o.lease.Release(t.Context()))
	eventually(t, s.is("running"))
	sink.set(nil)
	eventually(t, func() error {
		if _, _, sent := sink.count(); sent != 1 {
			return fmt.Errorf("%d were sent, want 1", sent)
		}
		return nil
	})
}

// Two servers that both have to go back would else take the lease from each other whenever one gives it up for that.
func TestServersOneThatCantGoBackRests(t *testing.T) {
	dsn := postgrestest.Schema(t)
	sink := &markedSink{}
	var mu sync.Mutex
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := newServer(t, dsn, sink, func() time.Time { mu.Lock(); defer mu.Unlock(); return now })
	s.record(5)
	eventually(t, func() error {
		if at := s.checkpoint(); at != 5 {
			return fmt.Errorf("the checkpoint is at %d", at)
		}
		return nil
	})
	o := s.overtake(dsn)
	eventually(t, s.is("standby"))
	s.record(1)
	must(t, o.journal.SetCursor(t.Context(), s.bridge.Name(), 6)) // the other has sent one, and there is no checkpoint of it
	_, looked, _ := sink.count()

	t.Log("whoever gives the lease up loses it at once")
	o.exec(t, `CREATE FUNCTION snatch() RETURNS trigger AS $$ BEGIN
		NEW.holder := 'the third'; NEW.until := clock_timestamp() + interval '1 hour'; NEW.fence := OLD.fence + 1; RETURN NEW; END $$ LANGUAGE plpgsql`)
	must(t, o.lease.Release(t.Context()))
	o.exec(t, "CREATE TRIGGER snatch BEFORE UPDATE ON leases FOR EACH ROW WHEN (NEW.holder = '' AND OLD.holder <> '') EXECUTE FUNCTION snatch()")
	eventually(t, func() error {
		if _, looks, _ := sink.count(); looks < looked+3 {
			return fmt.Errorf("it looked %d times", looks-looked)
		}
		return s.is("")()
	})
	mu.Lock()
	now = now.Add(time.Minute)
	mu.Unlock()
	eventually(t, s.is("standby"))
	o.exec(t, "DROP TRIGGER snatch ON leases")
	o.exec(t, "UPDATE leases SET holder = '', until = '-infinity' WHERE holder = 'the third'")
	eventually(t, func() error {
		if _, _, sent := sink.count(); sent != 6 {
			return fmt.Errorf("%d were sent, want 6", sent)
		}
		return nil
	})
}
