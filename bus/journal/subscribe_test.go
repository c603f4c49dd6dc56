package journal_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
)

// made is a registered payload.
type made struct {
	N int `json:"n"`
}

func (made) EventType() string { return "note.made" }

type batch = []bus.Event[made]

// withBus opens a database and a bus on it, and a table of what was seen.
func withBus(t *testing.T, path string) (*journal.Journal, *bus.Client) {
	t.Helper()
	store, err := sqlite.Open(path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b := bus.New(bus.Options{Logger: slog.New(slog.DiscardHandler), Journal: store.Journal()})
	t.Cleanup(func() {
		if err := errors.Join(b.Close(context.Background()), store.Close(context.Background())); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	if err := bus.Register[made](b, "note.>", 1); err != nil {
		t.Fatal(err)
	}
	exec(t, store.Writer(), "CREATE TABLE IF NOT EXISTS seen (n INTEGER PRIMARY KEY, seq INTEGER)")
	return store.Writer(), b.Client("test")
}

func newPath(t *testing.T) string { return filepath.Join(t.TempDir(), "cloud.db") }

func appendMade(t *testing.T, j *journal.Journal, from, to int) {
	t.Helper()
	err := j.Do(context.Background(), func(tx *journal.Tx) error {
		for n := from; n <= to; n++ {
			if _, err := tx.Append(made{N: n}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// see writes each event of a batch to the table, which takes each once.
func see(_ context.Context, tx *journal.Tx, events batch) error {
	for _, e := range events {
		if err := tx.DB().Exec("INSERT INTO seen VALUES (?, ?)", e.Payload.N, e.Seq).Error; err != nil {
			return err
		}
	}
	return nil
}

func subscribe(t *testing.T, c *bus.Client, name string, fn func(context.Context, *journal.Tx, batch) error, opts ...bus.Option) *bus.Subscription {
	t.Helper()
	sub, err := journal.Subscribe(c, name, fn, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

func flush(t *testing.T, c *bus.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := c.Bus().Flush(ctx); err != nil {
		t.Fatalf("flush: %v", err)
	}
}

func done(t *testing.T, sub *bus.Subscription) error {
	t.Helper()
	select {
	case <-sub.Done():
	case <-time.After(20 * time.Second):
		t.Fatal("the subscription doesn't end")
	}
	return sub.Err()
}

func seen(t *testing.T, j *journal.Journal) (ns []int) {
	t.Helper()
	if err := j.DB().Table("seen").Order("n").Pluck("n", &ns).Error; err != nil {
		t.Fatal(err)
	}
	return ns
}

func upTo(n int) (ns []int) {
	for i := 1; i <= n; i++ {
		ns = append(ns, i)
	}
	return ns
}

func TestSubscribeExactlyOnceAcrossRestarts(t *testing.T) {
	path := newPath(t)
	for round := range 3 {
		t.Run(fmt.Sprint("round ", round), func(t *testing.T) {
			j, c := withBus(t, path)
			if round == 0 {
				subscribe(t, c, "counter", see, bus.From(0))
			}
			appendMade(t, j, round*1000+1, round*1000+700)
			if round > 0 {
				subscribe(t, c, "counter", see)
			}
			appendMade(t, j, round*1000+701, round*1000+1000)
			flush(t, c)
			if got := seen(t, j); !slices.Equal(got, upTo((round+1)*1000)) {
				t.Errorf("%d events were seen, want each of %d once", len(got), (round+1)*1000)
			}
			wantCursor(t, j, "counter", uint64(round+1)*1000)
		})
	}
}

func TestSubscribeCommitsWhatComesBeforeTheCulprit(t *testing.T) {
	for name, culprit := range map[string]func() error{
		"error": func() error { return errNo },
		"panic": func() error { panic(errNo) },
	} {
		t.Run(name, func(t *testing.T) {
			j, c := withBus(t, newPath(t))
			appendMade(t, j, 1, 300)
			sub := subscribe(t, c, "counter", func(ctx context.Context, tx *journal.Tx, events batch) error {
				if err := see(ctx, tx, events); err != nil {
					return err
				}
				for _, e := range events {
					if e.Payload.N == 137 {
						return culprit()
					}
				}
				return nil
			}, bus.From(0), bus.Retry(2, time.Millisecond), bus.OnFailure(bus.Halt))
			if err := done(t, sub); !errors.Is(err, errNo) {
				t.Errorf("the subscription ended with %v, want the handler's error", err)
			}
			if got := seen(t, j); !slices.Equal(got, upTo(136)) {
				t.Errorf("seen: %v, want 1 to 136", got)
			}
			wantCursor(t, j, "counter", 136)
		})
	}
}

func TestSubscribeRetriesOnlyTheCulprit(t *testing.T) {
	j, c := withBus(t, newPath(t))
	appendMade(t, j, 1, 100)
	var failures atomic.Int32
	subscribe(t, c, "counter", func(ctx context.Context, tx *journal.Tx, events batch) error {
		if len(events) == 1 && events[0].Payload.N == 50 && failures.Add(1) < 3 {
			return errNo
		}
		if len(events) > 1 && events[0].Payload.N <= 50 && events[len(events)-1].Payload.N >= 50 {
			return errNo
		}
		return see(ctx, tx, events)
	}, bus.From(0), bus.Retry(5, time.Millisecond))
	flush(t, c)
	if got := seen(t, j); !slices.Equal(got, upTo(100)) {
		t.Errorf("seen: %v, want each of 100 once", got)
	}
	if n := failures.Load(); n != 3 {
		t.Errorf("the culprit was tried %d times alone, want 3", n)
	}
}

func TestHandlerThatFiresGetsErrInWriter(t *testing.T) {
	j, c := withBus(t, newPath(t))
	appendMade(t, j, 1, 1)
	inner := make(chan error, 3)
	subscribe(t, c, "firing", func(ctx context.Context, tx *journal.Tx, events batch) error {
		inner <- j.Do(ctx, func(*journal.Tx) error { return nil })
		inner <- c.Bus().Flush(ctx)
		inner <- c.Close(ctx)
		return nil
	}, bus.From(0))
	flush(t, c)
	for _, what := range []string{"Do", "Flush", "Close"} {
		if err := <-inner; !errors.Is(err, bus.ErrInWriter) {
			t.Errorf("%s in a handler: %v, want ErrInWriter", what, err)
		}
	}
}

func TestHandlersEventsNameTheirCause(t *testing.T) {
	j, c := withBus(t, newPath(t))
	appendMade(t, j, 1, 1)
	subscribe(t, c, "echo", func(_ context.Context, tx *journal.Tx, events batch) error {
		_, err := tx.Append(made{N: -events[0].Payload.N})
		return err
	}, bus.From(0), bus.Where(func(h bus.Header) bool { return h.CausationID == "" }))
	flush(t, c)
	flush(t, c) // the echo too
	records, err := j.Read(t.Context(), 0, 10)
	if err != nil || len(records) != 2 {
		t.Fatalf("%v, %v", records, err)
	}
	if records[1].CausationID != records[0].ID.String() {
		t.Errorf("the echo's cause is %q, want %s", records[1].CausationID, records[0].ID)
	}
	wantCursor(t, j, "echo", 2)
}

func TestCursorMovesOverWhatFiltersRefuse(t *testing.T) {
	j, c := withBus(t, newPath(t))
	appendMade(t, j, 1, 600)
	subscribe(t, c, "picky", see, bus.From(0), bus.Where(func(h bus.Header) bool { return h.Seq == 5 }))
	flush(t, c)
	if got := seen(t, j); !slices.Equal(got, []int{5}) {
		t.Errorf("seen: %v, want 5", got)
	}
	wantCursor(t, j, "picky", 600)
}

func TestStopCommitsAndEnds(t *testing.T) {
	j, c := withBus(t, newPath(t))
	appendMade(t, j, 1, 3)
	sub := subscribe(t, c, "once", func(ctx context.Context, tx *journal.Tx, events batch) error {
		if err := see(ctx, tx, events); err != nil {
			return err
		}
		return fmt.Errorf("enough: %w", bus.Stop)
	}, bus.From(0))
	if err := done(t, sub); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if got := seen(t, j); !slices.Equal(got, upTo(1)) {
		t.Errorf("seen: %v, want the batch of one that comes first", got)
	}
	wantCursor(t, j, "once", 1)
}

func TestBatchesBeginWithOneAndFollowTheHandlersPace(t *testing.T) {
	j, c := withBus(t, newPath(t))
	appendMade(t, j, 1, 600)
	var quick, slow []int
	subscribe(t, c, "slow", func(_ context.Context, _ *journal.Tx, events batch) error {
		if events[len(events)-1].Payload.N <= 200 {
			quick = append(quick, len(events))
			return nil
		}
		slow = append(slow, len(events))
		for start := time.Now(); time.Since(start) < 6*time.Millisecond; {
			runtime.Gosched()
		}
		return nil
	}, bus.From(0))
	flush(t, c)
	if quick[0] != 1 || slices.Max(quick) < 16 {
		t.Errorf("a quick handler got batches of %v, want one and then more", quick)
	}
	for i := 1; i < len(quick); i++ {
		if quick[i] > 2*quick[i-1] && quick[i] > slices.Max(quick[:i]) {
			t.Errorf("a quick handler got batches of %v, want each at most twice the one before", quick)
		}
	}
	if len(slow) < 5 || slices.Max(slow[3:]) > slow[0]/4 {
		t.Errorf("a slow handler got batches of %v, want them to shrink", slow)
	}
}

func TestRewindReplays(t *testing.T) {
	j, c := withBus(t, newPath(t))
	appendMade(t, j, 1, 5)
	sub := subscribe(t, c, "counter", see, bus.From(0))
	flush(t, c)
	if err := j.Rewind(t.Context(), "counter", 0); !errors.Is(err, journal.ErrSubscribed) {
		t.Errorf("while it runs: %v, want ErrSubscribed", err)
	}
	sub.Close()
	if err := done(t, sub); err != nil {
		t.Fatal(err)
	}
	exec(t, j, "DELETE FROM seen WHERE n > 2")
	if err := j.Rewind(t.Context(), "counter", 2); err != nil {
		t.Fatal(err)
	}
	subscribe(t, c, "counter", see)
	flush(t, c)
	if got := seen(t, j); !slices.Equal(got, upTo(5)) {
		t.Errorf("seen: %v, want 1 to 5", got)
	}
}

func TestRewindRefusesARunningDurable(t *testing.T) {
	j, c := withBus(t, newPath(t))
	appendMade(t, j, 1, 5)
	handle := func(context.Context, bus.Event[made]) error { return nil }
	sub, err := bus.Subscribe(c, handle, bus.Durable("mailer"), bus.From(0))
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Rewind(t.Context(), "mailer", 1); !errors.Is(err, journal.ErrSubscribed) {
		t.Errorf("while it runs: %v, want ErrSubscribed", err)
	}
	sub.Close()
	if err := done(t, sub); err != nil {
		t.Fatal(err)
	}
	if err := j.Rewind(t.Context(), "mailer", 1); err != nil {
		t.Error(err)
	}
	wantCursor(t, j, "mailer", 1)
}

func TestSubscribeRefuses(t *testing.T) {
	_, c := withBus(t, newPath(t))
	live := bus.New(bus.Options{Logger: slog.New(slog.DiscardHandler)})
	defer func() { _ = live.Close(context.Background()) }()
	for name, test := range map[string]struct {
		client *bus.Client
		fn     func(context.Context, *journal.Tx, batch) error
		opts   []bus.Option
		want   string
	}{
		"a bus without this journal": {live.Client("x"), see, nil, "no journal"},
		"no handler":                 {c, nil, nil, "nil"},
		"lanes":                      {c, see, []bus.Option{bus.Lanes(2)}, "Lanes"},
		"a queue":                    {c, see, []bus.Option{bus.Queue(1, bus.DropOldest)}, "DropOldest"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := journal.Subscribe(test.client, "x", test.fn, test.opts...)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want it to speak of %q", err, test.want)
			}
		})
	}
}
