package sqlite_test

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// Each move is a row and an event, while 32 callers fill up the disk: both are there or neither is, and what was acknowledged is.
func TestDiskThatFillsUpAmidMoves(t *testing.T) {
	c := openCloud(t, filepath.Join(t.TempDir(), "cloud.db"))
	const n = 32
	ids := c.create(t, n)
	var pages int
	if err := c.store.Writer().DB().Raw("PRAGMA page_count").Scan(&pages).Error; err != nil {
		t.Fatal(err)
	}
	err := c.store.Writer().Do(t.Context(), func(tx *journal.Tx) error {
		var limit int
		return tx.DB().Raw("PRAGMA max_page_count = " + strconv.Itoa(pages+20)).Row().Scan(&limit)
	})
	if err != nil {
		t.Fatal(err)
	}
	power := []fsm.Trigger{vm.StartRequested, vm.OperationSucceeded, vm.StopRequested, vm.OperationSucceeded}
	versions := make([]atomic.Uint64, n) // that were acknowledged
	var wg sync.WaitGroup
	for i, id := range ids {
		versions[i].Store(1)
		wg.Go(func() {
			for step := 0; ; step++ {
				ch, err := c.vms.Fire(t.Context(), id, power[step%len(power)])
				if err == nil {
					versions[i].Store(ch.Change.Version)
					continue
				}
				if !errors.Is(err, journal.ErrFull) {
					t.Errorf("%v, want ErrFull", err)
				}
				return
			}
		})
	}
	wg.Wait()
	records, err := c.store.Writer().Read(t.Context(), 0, 100_000) // which refuses holes
	if err != nil {
		t.Fatal(err)
	}
	events := map[string]uint64{}
	for _, r := range records {
		if events[r.ResourceID]++; events[r.ResourceID] != r.Version {
			t.Errorf("event %d of %s says version %d", events[r.ResourceID], r.ResourceID, r.Version)
		}
	}
	moved := uint64(0)
	for i, id := range ids {
		v, err := c.vms.Get(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if want := versions[i].Load(); v.Version != want || events[id] != want {
			t.Errorf("%s is at version %d with %d events, acknowledged was %d", id, v.Version, events[id], want)
		}
		moved += v.Version - 1
	}
	if moved == 0 {
		t.Error("the disk was full from the beginning")
	}
}

// A handler that fires from inside its transaction is told at once; one that does so after it, as durable ones do, moves what it likes.
func TestHandlersThatFire(t *testing.T) {
	c := openCloud(t, filepath.Join(t.TempDir(), "cloud.db"))
	ids := c.create(t, 8)
	inside := make(chan error, 100)
	exactly, err := journal.Subscribe(c.bus.Client("inside"), "inside", func(ctx context.Context, _ *journal.Tx, batch []bus.Event[vm.Changed]) error {
		_, err := c.vms.Fire(ctx, batch[0].Payload.ResourceID, vm.StopRequested)
		inside <- err
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = bus.Subscribe(c.bus.Client("outside"), func(ctx context.Context, e bus.Event[vm.Changed]) error {
		if e.Payload.To != vm.Starting {
			return nil
		}
		_, err := c.vms.Fire(ctx, e.Payload.ResourceID, vm.OperationSucceeded)
		return err
	}, bus.Durable("outside"))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for _, id := range ids {
		wg.Go(func() {
			if _, err := c.vms.Fire(t.Context(), id, vm.StartRequested); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := c.bus.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		v, err := c.vms.Get(t.Context(), id)
		if err != nil || v.State != vm.Running {
			t.Errorf("%s: %v, %v, want running", id, v, err)
		}
	}
	exactly.Close()
	<-exactly.Done()
	close(inside)
	told := 0
	for err := range inside {
		if told++; !errors.Is(err, resources.ErrInWriter) {
			t.Errorf("a Fire in the transaction: %v, want ErrInWriter", err)
		}
	}
	if told == 0 {
		t.Error("nobody fired in a transaction")
	}
}
