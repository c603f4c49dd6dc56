package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres/postgrestest"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// named gives the sessions of a server a name to find them by, and returns what ends them as a restart of the database does.
func named(t testing.TB, dsn string) (string, func(which string) int) {
	t.Helper()
	name := fmt.Sprintf("test-%d", time.Now().UnixNano())
	db, err := sql.Open("pgx", postgrestest.Server(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return postgrestest.With(dsn, "application_name", name), func(which string) (n int) {
		t.Helper()
		query := "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1 AND query LIKE $2"
		if err := db.QueryRow(query, name, which).Scan(&n); err != nil {
			t.Error(err)
		}
		return n
	}
}

func TestWhatCantBeOpened(t *testing.T) {
	server := postgrestest.Server(t)
	for name, c := range map[string]struct {
		dsn  string
		o    postgres.Options
		want error
		says string
	}{
		"no DSN":              {dsn: "postgres://me:secret@host:port/x", says: "DSN"},
		"nobody answers":      {dsn: "postgres://me:secret@127.0.0.1:1/x", want: journal.ErrUnavailable},
		"no such database":    {dsn: strings.Replace(server, "/postgres?", "/cloudbus_nowhere?", 1), says: "cloudbus_nowhere"},
		"no such schema":      {dsn: postgrestest.With(server, "search_path", "cloudbus_nowhere"), says: "schema"},
		"a timeout too long":  {dsn: server, o: postgres.Options{BusyTimeout: time.Minute}, says: "BusyTimeout"},
		"a database for show": {dsn: postgrestest.With(postgrestest.Schema(t), "default_transaction_read_only", "on"), want: journal.ErrReadOnly},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := postgres.Open(c.dsn, c.o)
			if err == nil {
				_ = s.Close(t.Context())
			}
			if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v, want %v and %q", err, c.want, c.says)
			}
		})
	}
}

// A text that can't be stored is refused alone: members that share its transaction don't notice.
func TestTextThatCantBeStored(t *testing.T) {
	s := serve(t, postgrestest.Schema(t), postgres.Options{}, bus.Options{})
	var others sync.WaitGroup
	for i := range 8 {
		others.Go(func() { s.create(t, fmt.Sprintf("vm-%d", i)) })
	}
	for _, text := range []string{"a\x00b", "a\xffb"} {
		err := s.store.Writer().Do(t.Context(), func(tx *journal.Tx) error {
			return tx.DB().Exec("UPDATE vms SET hostname = ?", text).Error
		})
		if !errors.Is(err, journal.ErrText) {
			t.Errorf("%q: %v, want ErrText", text, err)
		}
		if _, err := s.vms.Create(t.Context(), vm.VM{Object: resources.Object{ID: "odd", Name: text}, CPUs: 1, MemoryMiB: 1}); err == nil {
			t.Errorf("%q was stored", text)
		}
	}
	others.Wait()
	if end := s.end(t); end != 8 {
		t.Errorf("%d events, want those of 8 VMs", end)
	}
}

// Pages go by the bytes of ids, whatever the order is that the database has for texts.
func TestIdsAreOrderedByTheirBytes(t *testing.T) {
	dsn := postgrestest.Schema(t)
	s := serve(t, dsn, postgres.Options{}, bus.Options{})
	s.write(t, `ALTER TABLE vms ALTER COLUMN id TYPE text COLLATE "und-x-icu"`)
	s.close(t)
	s = serve(t, dsn, postgres.Options{}, bus.Options{})
	ids := []string{"B", "Z-1", "Z1", "_", "a", "b"}
	for _, id := range []string{"b", "_", "Z1", "a", "B", "Z-1"} {
		s.create(t, id)
	}
	var got []string
	for after := ""; ; {
		page, err := s.vms.List(t.Context(), resources.Query{After: after, Limit: 2})
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Items) == 0 {
			break
		}
		for _, v := range page.Items {
			got = append(got, v.ID)
		}
		after = got[len(got)-1]
	}
	if !slices.Equal(got, ids) {
		t.Errorf("pages hold %v, want %v", got, ids)
	}
}

// Two servers lock the same rows in opposite order: the database ends one of the transactions, and it runs again.
func TestDeadlockIsTriedAgain(t *testing.T) {
	dsn := postgrestest.Schema(t)
	one, two := open(t, dsn, postgres.Options{}).Writer(), open(t, dsn, postgres.Options{}).Writer()
	if err := one.Do(t.Context(), func(tx *journal.Tx) error {
		return tx.DB().Exec("CREATE TABLE rows (k TEXT PRIMARY KEY, n BIGINT); INSERT INTO rows VALUES ('a', 0), ('b', 0)").Error
	}); err != nil {
		t.Fatal(err)
	}
	var met, all sync.WaitGroup
	met.Add(2)
	var runs atomic.Int64
	for j, keys := range map[*journal.Journal][]string{one: {"a", "b"}, two: {"b", "a"}} {
		var first sync.Once
		all.Go(func() {
			err := j.Do(t.Context(), func(tx *journal.Tx) error {
				runs.Add(1)
				if err := tx.DB().Exec("UPDATE rows SET n = n + 1 WHERE k = ?", keys[0]).Error; err != nil {
					return err
				}
				first.Do(func() { met.Done(); met.Wait() })
				return tx.DB().Exec("UPDATE rows SET n = n + 1 WHERE k = ?", keys[1]).Error
			})
			if err != nil {
				t.Errorf("%v: %v", keys, err)
			}
		})
	}
	all.Wait()
	var sum int64
	if err := one.DB().Raw("SELECT sum(n) FROM rows").Scan(&sum).Error; err != nil || sum != 4 || runs.Load() < 3 {
		t.Errorf("the rows were raised by %d (%v) in %d runs, want 4 in 3 or more", sum, err, runs.Load())
	}
}

// Who listens is cut off: the others' events come by polling, and by hints again when the connection is back.
func TestEventsComeWithoutHints(t *testing.T) {
	dsn := postgrestest.Schema(t)
	writer := serve(t, dsn, postgres.Options{}, bus.Options{})
	cut, kill := named(t, dsn)
	reader := serve(t, cut, postgres.Options{}, bus.Options{Poll: 50 * time.Millisecond})
	d := reader.follow(t)
	for round := range 3 {
		until(t, "somebody listens", func() bool { return kill("LISTEN%") > 0 })
		writer.create(t, fmt.Sprintf("vm-%d", round))
		d.until(t, "the reader", uint64(round+1))
	}
	d.wantRow(t, "the reader", 1, 3)
}

// The database ends all sessions of both servers, again and again: what was acknowledged is there, what was refused isn't,
// each bus shows all of it once, and each event is counted once.
func TestNothingIsLostWhenTheDatabaseRestarts(t *testing.T) {
	dsn, kill := named(t, postgrestest.Schema(t))
	first := serve(t, dsn, postgres.Options{}, bus.Options{Poll: 100 * time.Millisecond})
	second := serve(t, dsn, postgres.Options{}, bus.Options{Poll: 100 * time.Millisecond})
	first.write(t, "CREATE TABLE tally (seq BIGINT PRIMARY KEY, n BIGINT NOT NULL)")
	diaries := []*diary{first.follow(t), second.follow(t)}
	tallies := []*tally{first.tally(t), second.tally(t)}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	var all sync.WaitGroup
	var acknowledged, unknown atomic.Int64
	for n, s := range []*server{first, second} {
		for i := range 4 {
			id := fmt.Sprintf("vm-%d-%d", n, i)
			s.create(t, id)
			acknowledged.Add(1)
			all.Go(func() {
				for ctx.Err() == nil {
					s.step(t, id, &acknowledged, &unknown)
				}
			})
		}
	}
	killed := 0
	for ctx.Err() == nil {
		killed += kill("%")
		select {
		case <-time.After(300 * time.Millisecond):
		case <-ctx.Done():
		}
	}
	all.Wait()
	end := first.end(t)
	if lowest, highest := uint64(acknowledged.Load()), uint64(acknowledged.Load()+unknown.Load()); end < lowest || end > highest || killed == 0 {
		t.Errorf("%d events, want %d to %d (%d sessions were ended)", end, lowest, highest, killed)
	}
	for n, d := range diaries {
		d.until(t, fmt.Sprint("server ", n), end)
		d.wantRow(t, fmt.Sprint("server ", n), 1, end)
	}
	wantVersions(t, first, end)
	until(t, "all events are counted", func() bool {
		return max(tallies[0].sub.Inspect().Position, tallies[1].sub.Inspect().Position) >= end
	})
	second.wantTally(t, end)
	t.Logf("%d sessions were ended; %d moves were acknowledged, of %d the outcome isn't known", killed, acknowledged.Load(), unknown.Load())
}

// step moves a VM whose database may go away at any moment.
func (s *server) step(t testing.TB, id string, acknowledged, unknown *atomic.Int64) {
	ctx := context.Background()
	v, err := s.vms.Get(ctx, id)
	if errors.Is(err, journal.ErrUnavailable) {
		return
	}
	if err != nil {
		t.Error(err)
		return
	}
	on := map[fsm.State]fsm.Trigger{vm.Stopped: vm.StartRequested, vm.Running: vm.StopRequested}[v.State]
	if on == "" {
		on = vm.OperationSucceeded
	}
	switch _, err := s.vms.Fire(ctx, id, on); {
	case err == nil:
		acknowledged.Add(1)
	case errors.Is(err, journal.ErrOutcomeUnknown):
		unknown.Add(1)
	case errors.Is(err, journal.ErrUnavailable), errors.Is(err, resources.ErrConflict):
	default:
		t.Errorf("%s: %v", id, err)
	}
}
