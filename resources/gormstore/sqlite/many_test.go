package sqlite_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// many names how many VMs there are to be, such as 1000000, in the environment of a run that has time. It prints what it took.
const many = "CLOUDBUS_TEST_MANY"

func howMany(t *testing.T) int {
	n := 20_000
	if testing.Short() {
		n = 2_000
	}
	if text := os.Getenv(many); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil || n < 1000 {
			t.Fatalf("%s=%q: want a number from 1000", many, text)
		}
	}
	return n
}

func TestManyResourcesAreListedAndMovedAndKeepNoMemory(t *testing.T) {
	n := howMany(t)
	c := openCloud(t, filepath.Join(t.TempDir(), "cloud.db"))
	c.create(t, 1000)
	heap, goroutines := memory(), runtime.NumGoroutine()

	began := time.Now()
	for made := 1000; made < n; made += 1000 {
		c.create(t, min(1000, n-made))
	}
	t.Logf("%d VMs made, %.0f a second", n, float64(n-1000)/time.Since(began).Seconds())

	began = time.Now()
	ids := make([]string, 0, n)
	for q := (resources.Query{Limit: 1000}); ; {
		page, err := c.vms.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range page.Items {
			if len(ids) > 0 && v.ID <= ids[len(ids)-1] {
				t.Fatalf("%s is listed after %s", v.ID, ids[len(ids)-1])
			}
			ids = append(ids, v.ID)
		}
		if q.After = page.Next; q.After == "" {
			break
		}
	}
	if len(ids) != n {
		t.Fatalf("%d VMs are listed, want %d", len(ids), n)
	}
	t.Logf("listed by pages of 1,000, %v a page", (time.Since(began) / time.Duration(n/1000)).Round(time.Microsecond))

	began = time.Now()
	moved := c.fireAtRandom(t, ids, 2000)
	t.Logf("%d fired at, chosen at random, %v each", moved, (time.Since(began) / time.Duration(moved)).Round(time.Microsecond))

	if now := runtime.NumGoroutine(); now > goroutines+20 {
		t.Errorf("%d goroutines, %d with 1,000 VMs", now, goroutines)
	}
	const tail = 16 << 20 // the newest events, which the bus keeps in memory
	if grown := memory() - heap; grown > tail+4<<20+int64(n)*8 {
		t.Errorf("the heap grew by %d KiB with %d VMs", grown>>10, n)
	}
}

// fireAtRandom starts VMs and returns how many it started.
func (c *cloud) fireAtRandom(t *testing.T, ids []string, moves int) (moved int) {
	t.Helper()
	chosen := map[string]bool{}
	for range moves {
		chosen[ids[rand.IntN(len(ids))]] = true
	}
	work := make(chan string, len(chosen))
	for id := range chosen {
		work <- id
	}
	close(work)
	var busy sync.WaitGroup
	for range 16 {
		busy.Go(func() {
			for id := range work {
				if _, err := c.vms.Fire(t.Context(), id, vm.StartRequested); err != nil {
					t.Error(err)
				}
			}
		})
	}
	busy.Wait()
	counts, err := c.vms.Handle().CountStates(t.Context())
	if err != nil || counts[vm.Starting] != int64(len(chosen)) {
		t.Errorf("%d are starting (%v), want %d", counts[vm.Starting], err, len(chosen))
	}
	return len(chosen)
}

// memory is the heap after everything that can be collected was.
func memory() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// The search for what is stuck goes by an index, so that starting costs no more with many resources.
func TestTheSearchForStuckResourcesDoesNotGrowWithThem(t *testing.T) {
	if testing.Short() {
		t.Skip("it makes many VMs")
	}
	n := howMany(t)
	search := func(vms int) time.Duration {
		c := openCloud(t, filepath.Join(t.TempDir(), fmt.Sprintf("%d.db", vms)))
		for made := 0; made < vms; made += 1000 {
			c.create(t, 1000)
		}
		best := time.Hour
		for range 50 {
			began := time.Now()
			if _, err := c.store.Overdue(t.Context(), c.vms.Handle().Info(), vm.Starting, time.Now(), 64); err != nil {
				t.Fatal(err)
			}
			if _, err := c.store.NextStay(t.Context(), c.vms.Handle().Info(), vm.Starting, time.Now()); err != nil {
				t.Fatal(err)
			}
			best = min(best, time.Since(began))
		}
		return best
	}
	few, all := search(1000), search(n)
	t.Logf("%v among 1,000 VMs, %v among %d", few, all, n)
	if all > 5*few { // a scan takes 20 times as long; the bench has the exact figure
		t.Errorf("looking for what is stuck takes %v among %d VMs, %v among 1,000", all, n, few)
	}
}
