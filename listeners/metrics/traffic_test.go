package metrics_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/listeners/metrics"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

func (r *rig) tell(n int) {
	r.t.Helper()
	for range n {
		if err := bus.Publish(ctx, r.bus.Client("teller"), told{}); err != nil {
			r.t.Fatal(err)
		}
	}
	if err := r.bus.Flush(ctx); err != nil {
		r.t.Fatal(err)
	}
}

// Each request of an event stream makes a subscription that the bus names: client/1, client/2, …
func TestSubscriptionsWithoutANameAreOneSeriesThatNeverFalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, metrics.Options{}, nil)
		c := r.bus.Client("http")
		delivered := func(n string) {
			t.Helper()
			r.want(`cloudbus_subscription_delivered_total{client="http",mode="live",subscription=""} ` + n)
		}
		open := func() *bus.Subscription {
			s, err := bus.Subscribe(c, func(context.Context, bus.Event[told]) error { return nil })
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		first, second := open(), open()
		r.tell(10)
		delivered("20")
		first.Close()
		<-first.Done()
		delivered("20")
		r.tell(1)
		delivered("21")
		third := open()
		r.tell(1)
		delivered("23")
		for _, s := range []*bus.Subscription{second, third} {
			s.Close()
			<-s.Done()
		}
		delivered("23")
		r.want(`cloudbus_subscriptions{client="http",mode="live",state="running",subscription=""} 0`,
			`cloudbus_subscription_queue_capacity_events{client="http",mode="live",subscription=""} 0`)
		r.close()
	})
}

func TestSubscriptionsOfOneNameAreOneSeries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, metrics.Options{}, nil)
		c := r.bus.Client("c")
		for range 2 {
			if _, err := bus.Subscribe(c, func(context.Context, bus.Event[told]) error { return nil }, bus.Name("same"), bus.Queue(8, bus.DropOldest)); err != nil {
				t.Fatal(err)
			}
		}
		r.tell(3)
		r.want(`cloudbus_subscription_delivered_total{client="c",mode="live",subscription="same"} 6`,
			`cloudbus_subscription_queue_capacity_events{client="c",mode="live",subscription="same"} 16`,
			`cloudbus_subscriptions{client="c",mode="live",state="running",subscription="same"} 2`)
		r.close()
	})
}

func TestQueueLagAndHaltAreSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, metrics.Options{}, nil)
		gate := make(chan struct{})
		c := r.bus.Client("c")
		_, err := bus.Subscribe(c, func(_ context.Context, e bus.Event[vm.Changed]) error {
			<-gate
			return errors.New("no")
		}, bus.Durable("slow"), bus.Retry(1, time.Millisecond), bus.OnFailure(bus.Halt))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := bus.Subscribe(c, func(context.Context, bus.Event[vm.Changed]) error { <-gate; return nil }, bus.Name("live"), bus.Queue(4, bus.DropOldest)); err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
			r.create(id)
			synctest.Wait()
		}
		time.Sleep(3 * time.Second)
		r.want(
			`cloudbus_subscription_lag_events{client="c",mode="durable",subscription="slow"} 8`,
			`cloudbus_subscription_running_seconds{client="c",mode="durable",subscription="slow"} 3`,
			`cloudbus_subscription_queued_events{client="c",mode="live",subscription="live"} 4`,
			`cloudbus_subscription_oldest_event_seconds{client="c",mode="live",subscription="live"} 3`,
			`cloudbus_subscription_dropped_total{client="c",mode="live",subscription="live"} 3`,
			`cloudbus_journal_events_total 8`,
		)
		r.wantNone(`cloudbus_subscription_lag_events{client="c",mode="live"`)
		close(gate)
		time.Sleep(time.Second)
		r.want(`cloudbus_subscriptions{client="c",mode="durable",state="halted",subscription="slow"} 1`,
			`cloudbus_subscription_failures_total{client="c",mode="durable",subscription="slow"} 1`)
		r.close()
	})
}
