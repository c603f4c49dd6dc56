package postgres_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres/postgrestest"
)

// becomes waits for a state of a subscription.
func becomes(t testing.TB, s *bus.Subscription, state string) bus.Info {
	t.Helper()
	limit := time.Now().Add(patience)
	for {
		i := s.Inspect()
		if i.State == state {
			return i
		}
		if time.Now().After(limit) {
			t.Fatalf("%s is %s, want %s (%+v)", i.Name, i.State, state, i)
		}
		time.Sleep(time.Millisecond) // there is nothing to be told by
	}
}

// mail subscribes durably under one name and notes what it gets.
func (s *server) mail(t testing.TB, d *diary) *bus.Subscription {
	t.Helper()
	sub, err := bus.Subscribe(s.bus.Client("mail"), func(_ context.Context, e bus.Event[any]) error {
		d.note(e.Seq)
		return nil
	}, bus.Durable("mailer"))
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

func TestDurableNameMovesAtOnceWhenItsServerStops(t *testing.T) {
	dsn := postgrestest.Schema(t)
	o := postgres.Options{Lease: time.Hour} // nothing but the release lets it move
	first, second := serve(t, dsn, o, bus.Options{}), serve(t, dsn, o, bus.Options{})
	d := newDiary()
	one, two := first.mail(t, d), second.mail(t, d)
	if i := one.Inspect(); i.State != "running" {
		t.Errorf("on the first server it is %s", i.State)
	}
	if i := becomes(t, two, "standby"); i.RunsAt == "" {
		t.Error("nobody says where it runs")
	}
	for _, id := range []string{"a", "b", "c"} {
		second.create(t, id)
	}
	d.until(t, "the first server", 3)
	if err := second.bus.Flush(t.Context()); err != nil {
		t.Errorf("Flush waits for what another server handles: %v", err)
	}
	first.close(t)
	becomes(t, two, "running")
	second.create(t, "d")
	d.until(t, "the second server", 4)
	d.wantRow(t, "both together", 1, 4)
}

// A name that is new begins where the first of the servers to subscribe saw it begin.
func TestNewNameBeginsOnceAmongServers(t *testing.T) {
	dsn := postgrestest.Schema(t)
	first, second := serve(t, dsn, postgres.Options{}, bus.Options{}), serve(t, dsn, postgres.Options{}, bus.Options{})
	d := newDiary()
	first.create(t, "before")
	first.mail(t, d)
	first.create(t, "between")
	second.mail(t, d)
	first.close(t)
	second.create(t, "after")
	d.until(t, "the second server", 3)
	d.wantRow(t, "both together", 2, 3)
}

// tally counts each event in the database, and lets a test stop the handler in its transaction.
type tally struct {
	server *server
	sub    *bus.Subscription
	stop   atomic.Bool
	in, on chan struct{}
}

func (s *server) tally(t testing.TB) *tally {
	t.Helper()
	c := &tally{server: s, in: make(chan struct{}), on: make(chan struct{})}
	var err error
	c.sub, err = journal.Subscribe(s.bus.Client("tally"), "tally", func(_ context.Context, tx *journal.Tx, batch []bus.Event[any]) error {
		for _, e := range batch {
			if err := tx.DB().Exec("INSERT INTO tally (seq, n) VALUES (?, 1) ON CONFLICT (seq) DO UPDATE SET n = tally.n + 1", e.Seq).Error; err != nil {
				return err
			}
		}
		if c.stop.CompareAndSwap(true, false) {
			close(c.in)
			<-c.on
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// wantTally makes sure that each event was counted once.
func (s *server) wantTally(t testing.TB, end uint64) {
	t.Helper()
	var n, sum int64
	if err := s.store.Writer().DB().Raw("SELECT count(*), coalesce(sum(n), 0) FROM tally").Row().Scan(&n, &sum); err != nil {
		t.Fatal(err)
	}
	if n != int64(end) || sum != n {
		t.Errorf("%d events were counted %d times, want each of %d once", n, sum, end)
	}
}

// write runs statements on the writer.
func (s *server) write(t testing.TB, text string, args ...any) {
	t.Helper()
	if err := s.store.Writer().Do(t.Context(), func(tx *journal.Tx) error { return tx.DB().Exec(text, args...).Error }); err != nil {
		t.Fatal(err)
	}
}

const expire = "UPDATE leases SET until = clock_timestamp() - interval '1 second' WHERE name = ?"

// A server is stopped in its handler for longer than its lease. Another takes over; what the first then goes on with is undone.
func TestServerThatWasStoppedDoesNothingTwice(t *testing.T) {
	dsn := postgrestest.Schema(t)
	// The first believes for an hour in what it has; it has the handler's locks for as long as a member may run.
	o := postgres.Options{Lease: time.Hour, MemberLimit: patience, BusyTimeout: patience / 2}
	first := serve(t, dsn, o, bus.Options{})
	o.Lease = time.Second
	second := serve(t, dsn, o, bus.Options{})
	first.write(t, "CREATE TABLE tally (seq BIGINT PRIMARY KEY, n BIGINT NOT NULL)")
	one := first.tally(t)
	two := second.tally(t)
	becomes(t, two.sub, "standby")
	second.create(t, "a")
	until(t, "the first event is counted", func() bool { return one.sub.Inspect().Position >= 1 })

	one.stop.Store(true)
	second.create(t, "b")
	wait(t, "the first server's handler runs", one.in)
	second.write(t, expire, "tally")
	// The first's row of the second event is locked; the second server's handler waits for it, until the first is told and undone.
	becomes(t, two.sub, "running")
	close(one.on)
	becomes(t, one.sub, "standby")
	second.create(t, "c")
	until(t, "the second server has counted all", func() bool { return two.sub.Inspect().Position >= 3 })
	second.wantTally(t, 3)
	if n := one.sub.Inspect().Delivered; n != 1 {
		t.Errorf("the first server says it has handled %d events, want 1", n)
	}
}

// until waits for what nobody tells of.
func until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	limit := time.Now().Add(patience)
	for !holds() {
		if time.Now().After(limit) {
			t.Fatalf("%s: not after %v", what, patience)
		}
		time.Sleep(time.Millisecond)
	}
}

// wait waits for a channel to be closed.
func wait(t testing.TB, what string, ch <-chan struct{}) {
	t.Helper()
	select {
	case <-ch:
	case <-time.After(patience):
		t.Fatalf("%s: not after %v", what, patience)
	}
}

// What runs on another server claims its cursors, the one of its horizon too.
func TestNameThatRunsOnAnotherServerIsClaimed(t *testing.T) {
	dsn := postgrestest.Schema(t)
	first, second := serve(t, dsn, postgres.Options{}, bus.Options{}), serve(t, dsn, postgres.Options{}, bus.Options{})
	first.mail(t, newDiary())
	if err := first.store.Writer().SetCursor(t.Context(), "mailer"+journal.HorizonSuffix, 0); err != nil {
		t.Fatal(err)
	}
	running := func() (n int) {
		t.Helper()
		all, err := second.store.Writer().Claims(t.Context())
		if err != nil || len(all) != 2 {
			t.Fatalf("claims %+v, %v", all, err)
		}
		for _, c := range all {
			if c.Running {
				n++
			}
		}
		return n
	}
	if n := running(); n != 2 {
		t.Errorf("%d of 2 cursors are claimed while the subscription runs", n)
	}
	first.close(t)
	if n := running(); n != 0 {
		t.Errorf("%d of 2 cursors are claimed though the subscription has ended", n)
	}
}
