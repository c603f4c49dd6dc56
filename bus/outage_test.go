package bus_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// outage fails for a while.
type outage struct{ until time.Time }

func (o outage) err() error {
	if time.Now().Before(o.until) {
		return fmt.Errorf("disk is full: %w", bus.ErrOutage)
	}
	return nil
}

func TestDurableAnOutageOfTheDatabaseIsNoFailureOfTheEvent(t *testing.T) {
	for name, subscribe := range map[string]func(*world, outage, *[]int) (*bus.Subscription, error){
		"handler": func(w *world, o outage, got *[]int) (*bus.Subscription, error) {
			return bus.Subscribe(w.c, func(_ context.Context, e bus.Event[noted]) error {
				if err := o.err(); err != nil {
					return err
				}
				*got = append(*got, e.Payload.N)
				return nil
			}, bus.Durable("d"), bus.Retry(2, time.Millisecond))
		},
		"batch": func(w *world, o outage, got *[]int) (*bus.Subscription, error) {
			return bus.SubscribeBatch(w.c, "d", func(_ context.Context, b bus.Batch[noted]) error {
				if err := o.err(); err != nil {
					return err
				}
				for _, e := range b.Events {
					*got = append(*got, e.Payload.N)
				}
				return nil
			}, bus.Retry(2, time.Millisecond))
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(w *world) {
				var got []int
				sub, err := subscribe(w, outage{time.Now().Add(time.Hour)}, &got)
				if err != nil {
					t.Fatal(err)
				}
				w.record(1, 2, 3)
				time.Sleep(30 * time.Minute)
				if i := sub.Inspect(); i.State != "running" || i.Err == nil {
					t.Errorf("in the midst of the outage it is %s, its error %v", i.State, i.Err)
				}
				time.Sleep(30*time.Minute + 5*time.Second)
				w.flush()
				if !slices.Equal(got, []int{1, 2, 3}) {
					t.Errorf("handled %v", got)
				}
				if i := sub.Inspect(); i.Failed != 0 || i.Err != nil {
					t.Errorf("failed %d, its error %v", i.Failed, i.Err)
				}
			})
		})
	}
}

func TestDurableASubscriptionClosesInAnOutage(t *testing.T) {
	inBubble(t, func(w *world) {
		sub, err := bus.SubscribeBatch(w.c, "d", func(context.Context, bus.Batch[noted]) error { return bus.ErrOutage })
		if err != nil {
			t.Fatal(err)
		}
		w.record(1, 2, 3)
		time.Sleep(time.Minute)
		sub.Close()
		<-sub.Done()
		if err := sub.Err(); err != nil {
			t.Error(err)
		}
	})
}
