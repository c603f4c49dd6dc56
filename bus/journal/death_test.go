package journal_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	osexec "os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
)

// step is an event of one of three machines. Its handler ends the process at number deadly.
type step struct {
	N  int    `json:"n"`
	VM string `json:"vm"`
}

func (step) EventType() string { return "step.made" }

func (s step) Address() (tenant, kind, id string) { return "", "vm", s.VM }

const (
	steps     = 30
	deadly    = 10
	deadTries = 3
)

// lethal ways end the process as a handler may: by itself, or by what the system does to it.
var lethal = map[string]func(c *bus.Client) error{
	"durable": func(c *bus.Client) error {
		return durableSteps(c, func() { os.Exit(3) })
	},
	"lanes": func(c *bus.Client) error {
		return durableSteps(c, kill, bus.Lanes(3))
	},
	"exactly once": func(c *bus.Client) error {
		_, err := journal.Subscribe(c, "d", func(_ context.Context, tx *journal.Tx, events []bus.Event[step]) error {
			for _, e := range events {
				if e.Payload.N == deadly {
					kill()
				}
				if err := tx.DB().Exec("INSERT INTO done VALUES (?, ?)", e.Payload.N, e.Payload.VM).Error; err != nil {
					return err
				}
			}
			return nil
		}, bus.Retry(deadTries, time.Millisecond))
		return err
	},
}

// kill ends the process from outside, so that nothing of it runs on.
func kill() {
	if p, err := os.FindProcess(os.Getpid()); err == nil {
		_ = p.Kill()
	}
	select {}
}

func durableSteps(c *bus.Client, die func(), opts ...bus.Option) error {
	j, ok := c.Bus().Journal().(*journal.Journal)
	if !ok {
		return bus.ErrNoJournal
	}
	_, err := bus.Subscribe(c, func(ctx context.Context, e bus.Event[step]) error {
		if e.Payload.N == deadly {
			die()
		}
		return j.Do(ctx, func(tx *journal.Tx) error {
			return tx.DB().Exec("INSERT INTO done VALUES (?, ?)", e.Payload.N, e.Payload.VM).Error
		})
	}, append(opts, bus.Durable("d"), bus.Retry(deadTries, time.Millisecond))...)
	return err
}

// withSteps opens the database and runs something on it.
func withSteps(path string, run func(store *gormstore.Store, b *bus.Bus) error) error {
	store, err := sqlite.Open(path, sqlite.Options{})
	if err != nil {
		return err
	}
	b := bus.New(bus.Options{Logger: slog.New(slog.DiscardHandler), Journal: store.Journal()})
	err = bus.Register[step](b, "step.>", 1)
	if err == nil {
		err = run(store, b)
	}
	ctx := context.Background()
	return errors.Join(err, b.Close(ctx), store.Close(ctx))
}

func prepareSteps(store *gormstore.Store, _ *bus.Bus) error {
	return store.Writer().Do(context.Background(), func(tx *journal.Tx) error {
		if err := tx.DB().Exec("CREATE TABLE done (n INTEGER, vm TEXT)").Error; err != nil {
			return err
		}
		for n := range steps {
			if _, err := tx.Append(step{N: n + 1, VM: fmt.Sprint("vm-", n%3)}); err != nil {
				return err
			}
		}
		return tx.DB().Exec("INSERT INTO journal_cursor (name, seq, updated_at) VALUES ('d', 0, 0)").Error
	})
}

// TestFailureCountsTheDeathOfTheProcess runs itself as the process that dies.
func TestFailureCountsTheDeathOfTheProcess(t *testing.T) {
	if path := os.Getenv("CLOUDBUS_TEST_DIES_AT"); path != "" {
		err := withSteps(path, func(_ *gormstore.Store, b *bus.Bus) error {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			return errors.Join(lethal[os.Getenv("CLOUDBUS_TEST_DIES_IN")](b.Client("test")), b.Flush(ctx))
		})
		if err != nil {
			t.Fatal("lives: ", err)
		}
		return
	}
	for way := range lethal {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			path := newPath(t)
			if err := withSteps(path, prepareSteps); err != nil {
				t.Fatal(err)
			}
			deaths := dieUntilItLives(t, way, path)
			if deaths == 0 || deaths > deadTries+1 {
				t.Errorf("the process died %d times, want 1 to %d", deaths, deadTries+1)
			}
			if err := withSteps(path, func(store *gormstore.Store, b *bus.Bus) error { return checkSteps(t, store, b, way == "exactly once") }); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func dieUntilItLives(t *testing.T, way, path string) (deaths int) {
	t.Helper()
	for ; deaths <= deadTries+2; deaths++ {
		cmd := osexec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFailureCountsTheDeathOfTheProcess$")
		cmd.Env = append(os.Environ(), "CLOUDBUS_TEST_DIES_AT="+path, "CLOUDBUS_TEST_DIES_IN="+way)
		out, err := cmd.CombinedOutput()
		if err == nil {
			return deaths
		}
		if strings.Contains(string(out), "lives: ") || strings.Contains(string(out), "DATA RACE") {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	return deaths
}

// checkSteps: the deadly event is parked, and what follows of its machine; all others were handled, each machine's in order.
func checkSteps(t *testing.T, store *gormstore.Store, b *bus.Bus, once bool) error {
	parked, err := b.Parked(context.Background(), bus.ParkedQuery{Subscription: "d"})
	if err != nil {
		return err
	}
	var seqs, want []uint64
	for _, e := range parked {
		seqs = append(seqs, e.Seq)
	}
	for n := deadly; n <= steps; n += 3 {
		want = append(want, uint64(n))
	}
	if !slices.Equal(seqs, want) {
		t.Errorf("parked are %v, want %v", seqs, want)
	} else if e := parked[0]; e.Tries != deadTries || !strings.Contains(e.Reason, "died 3 times") {
		t.Errorf("parked after %d tries because of %q", e.Tries, e.Reason)
	}
	var done []step
	if err := store.Writer().DB().Raw("SELECT n, vm FROM done ORDER BY rowid").Scan(&done).Error; err != nil {
		return err
	}
	last, all := make(map[string]int), 0
	seen := make(map[int]bool)
	for _, s := range done {
		if seen[s.N] {
			if once {
				t.Errorf("%d was handled twice", s.N)
			}
			continue // again, after a death: at least once
		}
		if s.N <= last[s.VM] {
			t.Errorf("%s: %d was handled after %d", s.VM, s.N, last[s.VM])
		}
		seen[s.N], last[s.VM] = true, s.N
		all++
	}
	if all != steps-len(want) {
		t.Errorf("%d events were handled, want %d", all, steps-len(want))
	}
	return nil
}
