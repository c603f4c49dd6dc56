package journal_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
)

// owned is an event about a resource.
type owned struct {
	N  int    `json:"n"`
	VM string `json:"vm"`
}

func (owned) EventType() string                    { return "own.made" }
func (o owned) Address() (tenant, kind, id string) { return "", "vm", o.VM }

func TestSubscribeParksTheCulpritTogetherWithTheCursor(t *testing.T) {
	j, c := withBus(t, newPath(t))
	if err := bus.Register[owned](c.Bus(), "own.>", 1); err != nil {
		t.Fatal(err)
	}
	err := j.Do(t.Context(), func(tx *journal.Tx) error {
		for n, vm := range []string{"a", "b", "a", "c", "a"} {
			if _, err := tx.Append(owned{N: n + 1, VM: vm}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var broken atomic.Bool
	broken.Store(true)
	_, err = journal.Subscribe(c, "counter", func(_ context.Context, tx *journal.Tx, batch []bus.Event[owned]) error {
		for _, e := range batch {
			if err := tx.DB().Exec("INSERT INTO seen (n, seq) VALUES (?, ?)", e.Payload.N, e.Seq).Error; err != nil {
				return err
			}
			if e.Payload.N == 1 && broken.Load() {
				return errNo
			}
		}
		return nil
	}, bus.From(0), bus.Retry(2, time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	flush(t, c)
	if got := seen(t, j); !slices.Equal(got, []int{2, 4}) {
		t.Errorf("seen %v, want 2 and 4", got)
	}
	wantCursor(t, j, "counter", 5)
	if got, err := c.Bus().Replay(t.Context(), "counter", "vm", "a"); err != nil || got.Left != 3 || !errors.Is(got.Err, errNo) {
		t.Errorf("replay of what still fails: %+v, %v", got, err)
	}
	exec(t, j, "DELETE FROM journal WHERE seq <= 3") // the parked ones have copies of their own
	broken.Store(false)
	if got, err := c.Bus().Replay(t.Context(), "counter", "", ""); err != nil || got.Done != 3 || got.Err != nil {
		t.Errorf("replay: %+v, %v", got, err)
	}
	if got := seen(t, j); !slices.Equal(got, upTo(5)) {
		t.Errorf("seen %v, want each of 5 once", got)
	}
	if all, err := j.Parked(t.Context(), bus.ParkedQuery{}); err != nil || len(all) != 0 {
		t.Errorf("still parked: %v, %v", all, err)
	}
}

func TestForgetRemovesWhatIsParked(t *testing.T) {
	j, c := withBus(t, newPath(t))
	appendMade(t, j, 1, 3)
	if err := errors.Join(j.SetCursor(t.Context(), "gone", 3), j.Park(t.Context(), "gone", bus.Parking{Seq: 2, Tries: 1})); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Bus().Discard(t.Context(), "gone", 3); n != 0 || err != nil {
		t.Errorf("discarded %d, %v", n, err)
	}
	if err := j.Forget(t.Context(), "gone"); err != nil {
		t.Fatal(err)
	}
	if all, err := j.Parked(t.Context(), bus.ParkedQuery{Subscription: "gone"}); err != nil || len(all) != 0 {
		t.Errorf("still parked: %v, %v", all, err)
	}
}
