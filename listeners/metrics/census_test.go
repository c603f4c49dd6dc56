package metrics_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners/metrics"
	"github.com/cloudbus-go/cloudbus/resources"
)

// counter is a store that counts how often it is asked to count, and does so as it is told.
type counter struct {
	resources.Store
	asked atomic.Int64
	mu    sync.Mutex
	how   func(ctx context.Context) error // nil: as the store does
}

func (c *counter) set(how func(context.Context) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.how = how
}

func (c *counter) CountStates(ctx context.Context, k *resources.Info) (map[fsm.State]int64, error) {
	c.asked.Add(1)
	c.mu.Lock()
	how := c.how
	c.mu.Unlock()
	if how != nil {
		if err := how(ctx); err != nil {
			return nil, err
		}
	}
	return c.Store.CountStates(ctx, k)
}

// newCounted is a rig whose store counts as it is told; asked counts from the end of Register on.
func newCounted(t *testing.T, o metrics.Options) (*rig, *counter) {
	t.Helper()
	c := &counter{}
	r := newRig(t, o, func(s resources.Store) resources.Store { c.Store = s; return c })
	c.asked.Store(0)
	return r, c
}

func waitFor(d time.Duration) func(context.Context) error {
	return func(ctx context.Context) error {
		select {
		case <-time.After(d):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func stopped(n string) string { return `cloudbus_resources{kind="vm",state="stopped"} ` + n }

func TestResourcesAreCountedOnceHoweverManyScrape(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, c := newCounted(t, metrics.Options{CountEvery: 10 * time.Second})
		c.set(waitFor(100 * time.Millisecond))
		r.create("a")
		var storm sync.WaitGroup
		for range 50 {
			storm.Go(func() { r.want(stopped("1")) })
		}
		storm.Wait()
		if n := c.asked.Load(); n != 1 {
			t.Errorf("the store counted %d times for 50 scrapes at once", n)
		}
		r.create("b")
		time.Sleep(9 * time.Second)
		r.want(stopped("1"))
		time.Sleep(time.Second)
		r.want(stopped("2"))
		if n := c.asked.Load(); n != 2 {
			t.Errorf("the store counted %d times", n)
		}
		r.close()
	})
}

func TestCountingTakesATwentiethOfTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, c := newCounted(t, metrics.Options{CountEvery: time.Second, CountWait: 5 * time.Second})
		c.set(waitFor(2 * time.Second))
		for range 600 {
			r.scrape()
			time.Sleep(time.Second)
		}
		if n := c.asked.Load(); n < 10 || n > 16 {
			t.Errorf("the store counted %d times in ten minutes, 2 s each", n)
		}
		r.close()
	})
}

func TestAScrapeNeverHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, c := newCounted(t, metrics.Options{CountEvery: time.Second, CountWait: 50 * time.Millisecond, CountLimit: time.Minute})
		r.create("a")
		r.want(stopped("1"))
		r.create("b")
		time.Sleep(time.Second)
		c.set(waitFor(time.Hour))
		for range 5 {
			begun := time.Now()
			r.want(stopped("1"), `cloudbus_resources_counting_failures_total{kind="vm"} 0`)
			if took := time.Since(begun); took != 50*time.Millisecond {
				t.Errorf("the scrape took %v", took)
			}
		}
		if n := c.asked.Load(); n != 2 {
			t.Errorf("%d counts were begun while one was under way", n-1)
		}
		time.Sleep(time.Minute)
		r.want(stopped("1"), `cloudbus_resources_counting_failures_total{kind="vm"} 1`, `cloudbus_resources_counting_seconds{kind="vm"} 60`)
		c.set(nil)
		time.Sleep(20 * time.Minute)
		r.want(stopped("2"), `cloudbus_resources_counting_failures_total{kind="vm"} 1`)
		r.close()
	})
}

func TestACountThatFailsIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, c := newCounted(t, metrics.Options{CountEvery: time.Second})
		for i, how := range []func(context.Context) error{
			func(context.Context) error { return errors.New("disk on fire") },
			func(context.Context) error { panic("disk on fire") },
		} {
			c.set(how)
			r.want(`cloudbus_resources_counting_failures_total{kind="vm"} ` + string(rune('1'+i)))
			r.wantNone("cloudbus_resources{")
			r.wantNone("cloudbus_resources_counted_timestamp_seconds{")
			time.Sleep(time.Second)
		}
		c.set(nil)
		r.create("a")
		r.want(stopped("1"), `cloudbus_resources_counting_failures_total{kind="vm"} 2`, `cloudbus_resources_counted_timestamp_seconds{kind="vm"} 9.46684802e+08`)
		r.close()
	})
}

func TestCloseEndsACount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, c := newCounted(t, metrics.Options{CountWait: time.Millisecond})
		c.set(waitFor(time.Hour))
		r.scrape()
		begun := time.Now()
		r.close()
		if took := time.Since(begun); took != 0 {
			t.Errorf("Close took %v", took)
		}

		r, c = newCounted(t, metrics.Options{CountWait: time.Millisecond})
		deaf := make(chan struct{})
		c.set(func(context.Context) error { <-deaf; return nil })
		r.scrape()
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if err := r.metrics.Close(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close beside a store that doesn't hear: %v", err)
		}
		close(deaf)
		r.close()
	})
}
