package bridge_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/resources/memstore"
)

func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var blip atomic.Bool
		var broken atomic.Bool
		broken.Store(true)
		reject := tooLarge("big", &broken)
		sink := &fakeSink{send: func(ctx context.Context, m bridge.Message) error {
			if blip.CompareAndSwap(false, true) {
				return errors.New("a blip")
			}
			return reject(ctx, m)
		}}
		h := newHouse(t, memstore.New(memstore.Options{}), sink, bridge.Options{})
		for id := range 20 {
			h.record(fact{ID: fmt.Sprint(id), What: "created"})
		}
		h.record(fact{ID: "big", What: "created"})
		must(t, h.bus.Flush(t.Context()))
		time.Sleep(time.Second) // the bubble's: the second in which they were sent is over
		bytes := 0
		for _, m := range sink.messages() {
			bytes += len(m.Data)
		}
		var got map[string]float64
		must(t, json.Unmarshal([]byte(h.manager.Metrics().Get("bridge_nats").String()), &got))
		for name, want := range map[string]float64{
			"sent": 20, "bytes": float64(bytes), "retries": 1, "rejected": 3, "foreign": 0, "parked": 1, "in_flight": 0, "lag": 0, "rate": 2,
		} {
			if v, ok := got[name]; !ok || v != want {
				t.Errorf("%s is %v, want %v (all: %v)", name, v, want, got)
			}
		}
		time.Sleep(11 * time.Second)
		if s := h.bridge.Stats(); s.Rate != 0 || s.Sent != 20 {
			t.Errorf("stats after a quiet while: %+v", s)
		}
	})
}

func TestStatsBeforeTheStart(t *testing.T) {
	b, err := bridge.New(&fakeSink{}, bridge.Options{})
	must(t, err)
	if s := b.Stats(); s != (bridge.Stats{}) {
		t.Errorf("stats %+v", s)
	}
}

func TestLagAndInFlightWhileTheBrokerIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		sink := &fakeSink{send: func(ctx context.Context, _ bridge.Message) error {
			select {
			case <-release:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}}
		h := newHouse(t, memstore.New(memstore.Options{}), sink, bridge.Options{Lanes: 4})
		for n := range 10 {
			h.record(fact{ID: "1", What: "created", N: n})
		}
		synctest.Wait()
		if s := h.bridge.Stats(); s.InFlight != 1 || s.Lag != 10 {
			t.Errorf("stats %+v, want one of the resource's ten messages in flight", s)
		}
		close(release)
		must(t, h.bus.Flush(t.Context()))
	})
}

func TestWindowBoundsTheBytesUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const window = 1000
		var most, now, size atomic.Int64
		sink := &fakeSink{send: func(ctx context.Context, m bridge.Message) error {
			n := int64(len(m.Data))
			if under := now.Add(n); under > window && under != n {
				most.Store(under)
			}
			size.Store(max(size.Load(), n))
			time.Sleep(time.Millisecond)
			now.Add(-n)
			return nil
		}}
		h := newHouse(t, memstore.New(memstore.Options{}), sink, bridge.Options{Lanes: 32, Window: window})
		for id := range 200 {
			what := "created"
			if id%50 == 0 {
				what = fmt.Sprintf("x%0900d", 1) // larger than the window
			}
			h.record(fact{ID: fmt.Sprint(id), What: what})
		}
		must(t, h.bus.Flush(t.Context()))
		must(t, sink.has(200)())
		if most.Load() > 0 {
			t.Errorf("%d bytes were under way at once, the window has %d", most.Load(), window)
		}
		if size.Load() <= window {
			t.Errorf("the largest message had %d bytes: none was larger than the window", size.Load())
		}
	})
}

func TestWhatWaitsForTheWindowDoesntKeepTheBridgeFromClosing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &fakeSink{send: func(ctx context.Context, _ bridge.Message) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		h := newHouse(t, memstore.New(memstore.Options{}), sink, bridge.Options{Lanes: 32, Window: 1})
		for id := range 20 {
			h.record(fact{ID: fmt.Sprint(id), What: "created"})
		}
		synctest.Wait()
		if s := h.bridge.Stats(); s.InFlight != 1 {
			t.Errorf("stats %+v, want one message in a window of one byte", s)
		}
		must(t, h.manager.Close(t.Context()))
		if s := h.bridge.Stats(); s.InFlight != 0 || s.Retries > 1 {
			t.Errorf("stats after closing %+v", s)
		}
	})
}
