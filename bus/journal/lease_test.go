package journal_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/postgres/postgrestest"
)

// take gets a lease that nobody else has.
func take(t testing.TB, j *journal.Journal, name string) bus.Lease {
	t.Helper()
	l, err := j.Lease(t.Context(), name, func(holder string) { t.Errorf("%q is held by %s", name, holder) })
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// wait waits for a channel to be closed.
func wait(t testing.TB, what string, ch <-chan struct{}) {
	t.Helper()
	select {
	case <-ch:
	case <-time.After(patience):
		t.Fatalf("%s: nothing after %v", what, patience)
	}
}

// expire ends a lease as time does, with its holder none the wiser.
func expire(t testing.TB, j *journal.Journal, name string) {
	t.Helper()
	err := j.Do(t.Context(), func(tx *journal.Tx) error {
		return tx.DB().Exec("UPDATE leases SET until = clock_timestamp() - interval '1 second' WHERE name = ?", name).Error
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestLeaseIsHeldByOneServer(t *testing.T) {
	dsn := postgrestest.Schema(t)
	first, second := server(t, dsn, postgres.Options{}), server(t, dsn, postgres.Options{})
	l := take(t, first, "mailer")
	if _, err := first.Lease(t.Context(), "mailer", nil); !errors.Is(err, bus.ErrLeaseHeld) {
		t.Errorf("the same server again: %v, want ErrLeaseHeld", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var holder string
	if _, err := second.Lease(ctx, "mailer", func(h string) { holder = h; cancel() }); !errors.Is(err, context.Canceled) || holder == "" {
		t.Errorf("another server: %v, held by %q", err, holder)
	}
	take(t, second, "biller")

	got := make(chan struct{})
	go func() {
		defer close(got)
		take2, err := second.Lease(t.Context(), "mailer", nil)
		if err != nil || take2 == nil {
			t.Errorf("after the release: %v", err)
		}
	}()
	if err := l.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	wait(t, "the second server takes over", got)
	if err := l.Release(t.Context()); err != nil {
		t.Errorf("released twice: %v", err)
	}
}

// A server that was stopped for longer than its lease still believes that it has it.
func TestStoppedServerStoresNothing(t *testing.T) {
	dsn := postgrestest.Schema(t)
	slow := postgres.Options{Lease: time.Hour} // so that the first doesn't find out by itself
	first, second := server(t, dsn, slow), server(t, dsn, slow)
	attach(t, first)
	notes(t, first, 5)
	l := take(t, first, "mailer")
	if err := first.SetCursor(t.Context(), "mailer", 2); err != nil {
		t.Fatal(err)
	}
	expire(t, second, "mailer")
	take(t, second, "mailer")
	if err := first.SetCursor(t.Context(), "mailer", 4); !errors.Is(err, bus.ErrLeaseLost) {
		t.Errorf("the first server's cursor: %v, want ErrLeaseLost", err)
	}
	wait(t, "the first server learns it", l.Lost())
	if seq, _, err := first.Cursor(t.Context(), "mailer"); seq != 2 || err != nil {
		t.Errorf("the cursor is at %d (%v), want 2", seq, err)
	}
	if err := second.SetCursor(t.Context(), "mailer", 3); err != nil {
		t.Errorf("the second server's cursor: %v", err)
	}
	if err := l.Release(t.Context()); err != nil {
		t.Error(err)
	}
	if err := first.SetCursor(t.Context(), "mailer", 5); !errors.Is(err, bus.ErrLeaseLost) {
		t.Errorf("a server without the lease: %v, want ErrLeaseLost", err)
	}
	if err := first.Rewind(t.Context(), "mailer", 1); !errors.Is(err, journal.ErrSubscribed) {
		t.Errorf("Rewind of what runs on another server: %v, want ErrSubscribed", err)
	}
}

func TestForgetLeavesNoLease(t *testing.T) {
	dsn := postgrestest.Schema(t)
	slow := postgres.Options{Lease: time.Hour} // so that the first doesn't find out by itself
	first, second := server(t, dsn, slow), server(t, dsn, slow)
	attach(t, first)
	notes(t, first, 5)
	take(t, first, "mailer")
	if err := first.SetCursor(t.Context(), "mailer", 2); err != nil {
		t.Fatal(err)
	}
	if err := second.Forget(t.Context(), "mailer"); !errors.Is(err, journal.ErrSubscribed) {
		t.Errorf("while another server runs it: %v, want ErrSubscribed", err)
	}
	expire(t, second, "mailer")
	if err := second.Forget(t.Context(), "mailer"); err != nil {
		t.Fatal(err)
	}
	left := -1
	if err := second.DB().Raw("SELECT count(*) FROM leases").Scan(&left).Error; err != nil || left != 0 {
		t.Errorf("%d leases are left (%v), want none", left, err)
	}

	// The name is new. Who had it is no less out of date for that.
	take(t, second, "mailer")
	if err := second.SetCursor(t.Context(), "mailer", 1); err != nil {
		t.Fatal(err)
	}
	if err := first.SetCursor(t.Context(), "mailer", 4); !errors.Is(err, bus.ErrLeaseLost) {
		t.Errorf("the first server's cursor: %v, want ErrLeaseLost", err)
	}
	if seq, _, err := second.Cursor(t.Context(), "mailer"); seq != 1 || err != nil {
		t.Errorf("the cursor is at %d (%v), want 1", seq, err)
	}
}

// Whoever stores a cursor keeps the lease until the transaction has ended: a new holder that read the cursor before would do it all again.
func TestTakeoverWaitsForTheCursorThatIsBeingStored(t *testing.T) {
	dsn := postgrestest.Schema(t)
	o := postgres.Options{Lease: 2 * time.Second, BusyTimeout: 100 * time.Millisecond}
	slow := o
	slow.Lease = time.Hour // so that the first doesn't extend what has expired
	first, second := server(t, dsn, slow), server(t, dsn, o)
	attach(t, first)
	notes(t, first, 5)
	take(t, first, "mailer")
	busy, taken := make(chan struct{}, 64), make(chan uint64, 1)
	err := first.Do(t.Context(), func(tx *journal.Tx) error {
		if err := journal.StoreCursor(tx, "mailer", 5); err != nil {
			return err
		}
		expire(t, second, "mailer")
		go func() {
			if _, err := second.Lease(context.Background(), "mailer", func(string) { busy <- struct{}{} }); err != nil {
				t.Error(err)
			}
			seq, _, err := second.Cursor(context.Background(), "mailer")
			if err != nil {
				t.Error(err)
			}
			taken <- seq
		}()
		<-busy
		select {
		case <-taken:
			t.Error("the lease was taken while its cursor was being stored")
		default:
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	select {
	case seq := <-taken:
		if seq != 5 {
			t.Errorf("the new holder starts at %d, want 5", seq)
		}
	case <-time.After(patience):
		t.Error("nobody took over")
	}
}

// Who moves or forgets the cursor of a name that nobody runs keeps everyone from taking the name: the new holder would go on at the old position.
func TestTakeoverWaitsForTheCursorThatIsBeingMoved(t *testing.T) {
	for name, ran := range map[string]bool{"of a name that was released": true, "of a name that never ran": false} {
		t.Run(name, func(t *testing.T) {
			dsn := postgrestest.Schema(t)
			o := postgres.Options{Lease: 2 * time.Second, BusyTimeout: 100 * time.Millisecond}
			first, second := server(t, dsn, o), server(t, dsn, o)
			if ran {
				if err := take(t, first, "mailer").Release(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			busy, taken := make(chan struct{}, 64), make(chan struct{})
			err := first.Do(t.Context(), func(tx *journal.Tx) error {
				if err := journal.KeepFree(tx, "mailer"); err != nil {
					return err
				}
				go func() {
					defer close(taken)
					if _, err := second.Lease(context.Background(), "mailer", func(string) { busy <- struct{}{} }); err != nil {
						t.Error(err)
					}
				}()
				select {
				case <-busy:
				case <-taken:
					t.Error("the name was taken while its cursor was being moved")
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			wait(t, "the name is taken afterwards", taken)
			if err := first.Rewind(t.Context(), "mailer", 0); !errors.Is(err, journal.ErrSubscribed) {
				t.Errorf("Rewind of what was taken: %v, want ErrSubscribed", err)
			}
		})
	}
}

func TestLeaseIsExtendedWhileItsServerLives(t *testing.T) {
	dsn := postgrestest.Schema(t)
	o := postgres.Options{Lease: 600 * time.Millisecond}
	first, second := server(t, dsn, o), server(t, dsn, o)
	l := take(t, first, "mailer")
	tries := make(chan struct{}, 1024)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = second.Lease(ctx, "mailer", func(string) { tries <- struct{}{} })
	}()
	for range 25 { // five leases' lengths
		select {
		case <-tries:
		case <-ended:
			t.Fatal("the second server took over")
		case <-l.Lost():
			t.Fatal("the first server lost its lease")
		case <-time.After(patience):
			t.Fatal("the second server doesn't try")
		}
	}
	cancel()
	<-ended
}

// patience is how long anything may take on a machine that has much else to do.
const patience = time.Minute

// server returns the journal of one of several servers on a database.
func server(t testing.TB, dsn string, o postgres.Options) *journal.Journal {
	t.Helper()
	o.Logger = slog.New(slog.DiscardHandler)
	store, err := postgres.Open(dsn, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return store.Writer()
}
