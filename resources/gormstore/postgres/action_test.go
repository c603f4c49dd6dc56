package postgres_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres/postgrestest"
	"github.com/cloudbus-go/cloudbus/resources/storetest"
)

// act begins an action on a server.
func (s *server) act(t testing.TB) (bus.ID, resources.Done) {
	t.Helper()
	ctx, done, err := s.engine.Action(t.Context(), "user:1", "vm", "start")
	if err != nil {
		t.Fatal(err)
	}
	started, _ := bus.Cause(ctx)
	id, err := bus.ParseID(started.CausationID)
	if err != nil {
		t.Fatal(err)
	}
	return id, done
}

// open lists the open actions, as a server sees them.
func (s *server) open(t testing.TB) (ids []bus.ID) {
	t.Helper()
	open, _, err := s.engine.Actions(t.Context(), resources.ActionQuery{})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range open {
		ids = append(ids, a.ID)
	}
	return ids
}

// ends reads the events of all actions, which are to be legal, and returns how each ended.
func (s *server) ends(t testing.TB) map[bus.ID]resources.Acted {
	t.Helper()
	page, err := s.store.Journal().Read(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var events []resources.Acted
	ends := map[bus.ID]resources.Acted{}
	for _, r := range page {
		if !strings.HasPrefix(r.Type, "action.") {
			continue
		}
		var a resources.Acted
		if err := json.Unmarshal(r.Data, &a); err != nil {
			t.Fatal(err)
		}
		if events = append(events, a); !a.EndedAt.IsZero() {
			ends[a.Action] = a
		}
	}
	storetest.WantActions(t, events)
	return ends
}

// run runs a server's engine until the test ends.
func (s *server) run(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- s.engine.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ran; err != nil {
			t.Errorf("run: %v", err)
		}
	})
}

func (s *server) presence(t testing.TB) string {
	t.Helper()
	name, err := s.store.OwnActions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func TestActionsOfLivingServersStayOpen(t *testing.T) {
	dsn := postgrestest.Schema(t)
	first, second := serve(t, dsn, postgres.Options{}, bus.Options{}), serve(t, dsn, postgres.Options{}, bus.Options{})
	one, oneDone := first.act(t)
	two, twoDone := second.act(t)
	for _, s := range []*server{first, second} {
		if closed, err := s.engine.CloseActions(t.Context()); err != nil || closed != 0 {
			t.Errorf("%d actions closed, %v", closed, err)
		}
		if got := s.open(t); !slices.Equal(got, []bus.ID{one, two}) {
			t.Errorf("open: %v, want those of both servers", got)
		}
	}
	if err := errors.Join(oneDone(nil), twoDone(nil)); err != nil {
		t.Error(err)
	}
	if ends := second.ends(t); len(ends) != 2 || ends[one].Owner == ends[two].Owner {
		t.Errorf("ends %+v", ends)
	}
}

func TestActionsOfAServerThatIsClosedAreClosedByAnother(t *testing.T) {
	dsn := postgrestest.Schema(t)
	o := postgres.Options{Lease: time.Hour} // nothing but the orderly end tells of it
	first, second := serve(t, dsn, o, bus.Options{}), serve(t, dsn, o, bus.Options{})
	id, done := first.act(t)
	waiting, err := first.engine.Schedule(t.Context(), "user:1", "vm", "stop")
	if err != nil {
		t.Fatal(err)
	}
	taken, err := second.engine.Scheduled(t.Context(), waiting.ID()) // by another server, whose it is from then on
	if err != nil {
		t.Fatal(err)
	}
	_, takenDone, err := taken.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	first.close(t)
	if closed, err := second.engine.CloseActions(t.Context()); err != nil || closed != 1 {
		t.Errorf("%d actions closed, %v, want 1", closed, err)
	}
	if err := done(nil); err == nil {
		t.Error("the closed server has recorded an end")
	}
	if err := takenDone(nil); err != nil {
		t.Error(err)
	}
	ends := second.ends(t)
	if end := ends[id]; end.Failure != resources.FailureAbandoned || end.Error != "the server stopped" {
		t.Errorf("it ended so: %+v", end)
	}
	if end := ends[waiting.ID()]; end.Status != resources.ActionSucceeded || end.Owner != second.presence(t) {
		t.Errorf("what the second server has taken over ended so: %+v", end)
	}
}

// A server is stopped for longer than its lease. Another closes its actions; when it comes back it is told so, and may act again.
func TestServerThatWasStoppedEndsNoActionTwice(t *testing.T) {
	dsn := postgrestest.Schema(t)
	first := serve(t, dsn, postgres.Options{Lease: time.Hour}, bus.Options{}) // it believes for an hour that it is there
	second := serve(t, dsn, postgres.Options{Lease: time.Second}, bus.Options{})
	id, done := first.act(t)
	late, lateDone := first.act(t)
	if err := lateDone(nil); err != nil {
		t.Fatal(err)
	}
	second.run(t)
	second.write(t, expire, first.presence(t))
	until(t, "the second server has closed the action", func() bool { return len(second.open(t)) == 0 })
	if err := done(nil); !errors.Is(err, resources.ErrActionClosed) {
		t.Errorf("the end that comes too late: %v, want ErrActionClosed", err)
	}

	// Its presence is out of date, as the transaction finds out; or the row is gone altogether.
	again, againDone := first.act(t)
	if err := againDone(nil); err != nil {
		t.Error(err)
	}
	second.write(t, "DELETE FROM leases WHERE name = ?", first.presence(t))
	gone, goneDone := first.act(t)
	if closed, err := second.engine.CloseActions(t.Context()); err != nil || closed != 0 {
		t.Errorf("%d actions of a server that is there again closed, %v", closed, err)
	}
	if err := goneDone(nil); err != nil {
		t.Error(err)
	}
	ends := second.ends(t)
	if ends[id].Failure != resources.FailureAbandoned || len(ends) != 4 {
		t.Errorf("ends %+v", ends)
	}
	for _, id := range []bus.ID{late, again, gone} {
		if ends[id].Status != resources.ActionSucceeded {
			t.Errorf("%s ended so: %+v", id, ends[id])
		}
	}
}

// While a server lives its lease is extended, however long its actions take.
func TestActionsOutliveTheLengthOfALease(t *testing.T) {
	dsn := postgrestest.Schema(t)
	o := postgres.Options{Lease: 3 * time.Second}
	first, second := serve(t, dsn, o, bus.Options{}), serve(t, dsn, o, bus.Options{})
	_, done := first.act(t)
	var expires time.Time
	look := func() (at time.Time) {
		if err := second.store.Writer().DB().Raw("SELECT until FROM leases WHERE name = ?", first.presence(t)).Row().Scan(&at); err != nil {
			t.Fatal(err)
		}
		return at
	}
	expires = look()
	until(t, "the lease is extended past its first end", func() bool { return look().After(expires.Add(o.Lease)) })
	if closed, err := second.engine.CloseActions(t.Context()); err != nil || closed != 0 {
		t.Errorf("%d actions closed, %v", closed, err)
	}
	if err := done(nil); err != nil {
		t.Error(err)
	}
}

func TestServersThatAreGoneAreForgotten(t *testing.T) {
	dsn := postgrestest.Schema(t)
	first, second := serve(t, dsn, postgres.Options{}, bus.Options{}), serve(t, dsn, postgres.Options{}, bus.Options{})
	first.presence(t)
	first.close(t)
	second.presence(t)
	var names []string
	if err := second.store.Writer().DB().Raw("SELECT name FROM leases").Scan(&names).Error; err != nil || !slices.Equal(names, []string{second.presence(t)}) {
		t.Errorf("leases %q (%v), want that of the second server", names, err)
	}
}
