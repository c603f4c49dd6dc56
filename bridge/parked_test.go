package bridge_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/memstore"
)

// healthIs waits until the bridge's health is an error of type T, and returns it.
func healthIs[T error](t *testing.T, h *house) (err T) {
	t.Helper()
	eventually(t, func() error {
		if health := h.bridge.Health(t.Context()); !errors.As(health, &err) {
			return fmt.Errorf("health is %v", health)
		}
		return nil
	})
	return err
}

// tooLarge rejects the events of a resource as long as broken is true.
func tooLarge(id string, broken *atomic.Bool) func(context.Context, bridge.Message) error {
	return func(_ context.Context, m bridge.Message) error {
		if m.Header.ResourceID == id && broken.Load() {
			return &bridge.RejectedError{ID: m.ID, Subject: m.Subject, Err: errors.New("too large")}
		}
		return nil
	}
}

func TestEventsThatCantBeSentAreParkedWithWhatFollowsOfTheirResource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var broken atomic.Bool
		broken.Store(true)
		sink := &fakeSink{send: tooLarge("big", &broken)}
		h := newHouse(t, memstore.New(memstore.Options{}), sink, bridge.Options{Lanes: 1}) // the resources share the lane
		h.record(fact{ID: "big", What: "created", N: 1}, fact{ID: "other", What: "created"}, fact{ID: "big", What: "updated", N: 2}, fact{ID: "other", What: "updated"})
		must(t, h.bus.Flush(t.Context()))
		for _, f := range facts(t, sink.messages()) {
			if f.ID != "other" {
				t.Errorf("%+v was sent", f)
			}
		}
		must(t, sink.has(2)())

		parked := healthIs[*bridge.ParkedError](t, h)
		if parked.Parked != 1 || len(parked.Resources) != 1 || parked.Resources[0].ResourceID != "big" || parked.Resources[0].Events != 2 || parked.Resources[0].First != 1 {
			t.Errorf("health %+v", parked)
		}
		if text := parked.Error(); !strings.Contains(text, "thing/big from event 1 on, a thing.created") || !strings.Contains(text, "too large") {
			t.Errorf("health says %s", text)
		}
		if s := h.bridge.Stats(); s.Parked != 1 || s.Rejected != 3 || s.Sent != 2 || s.Lag != 0 || s.InFlight != 0 {
			t.Errorf("stats %+v", s)
		}

		broken.Store(false)
		done, err := h.bus.Replay(t.Context(), h.bridge.Name(), "", "")
		must(t, err)
		if done != (bus.Replayed{Done: 2}) {
			t.Errorf("replayed %+v", done)
		}
		must(t, h.bridge.Health(t.Context()))
		h.record(fact{ID: "big", What: "updated", N: 3})
		must(t, h.bus.Flush(t.Context()))
		var order []int
		for _, f := range facts(t, sink.messages()) {
			if f.ID == "big" {
				order = append(order, f.N)
			}
		}
		if fmt.Sprint(order) != "[1 2 3]" {
			t.Errorf("of the resource that was parked the broker got %v", order)
		}
	})
}

func TestEventsThatCantBeSentAreAlsoThoseThatAreNoCloudEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &fakeSink{}
		h := newHouse(t, memstore.New(memstore.Options{}), sink, bridge.Options{})
		must(t, h.store.Do(t.Context(), func(tx resources.StoreTx) error {
			_, err := tx.Append(fact{ID: "1", What: "created"}, func(h *bus.Header) { h.Source = "my cloud" }) // no URI reference
			return err
		}))
		h.record(fact{ID: "2", What: "created"})
		must(t, h.bus.Flush(t.Context()))
		must(t, sink.has(1)())
		if parked := healthIs[*bridge.ParkedError](t, h); !strings.Contains(parked.Error(), "can't be a CloudEvent: source") {
			t.Errorf("health %v", parked)
		}
	})
}

func TestEventsThatCantBeSentOfAThousandResourcesHaltTheBridge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &fakeSink{send: func(_ context.Context, m bridge.Message) error {
			return &bridge.RejectedError{ID: m.ID, Subject: m.Subject, Err: errors.New("not this one either")}
		}}
		h := newHouse(t, memstore.New(memstore.Options{}), sink, bridge.Options{Lanes: 256})
		for id := range 1500 {
			h.record(fact{ID: fmt.Sprint(id), What: "created"})
		}
		halted := healthIs[*bridge.HaltedError](t, h)
		var rejected *bridge.RejectedError
		if !errors.As(halted, &rejected) || halted.Behind == 0 {
			t.Errorf("health %v", halted)
		}
		if !strings.Contains(h.log.String(), rejected.ID) {
			t.Error("the log doesn't name the event")
		}
	})
}

func TestPanickingSinkIsTheBridgesTroubleAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &fakeSink{send: func(context.Context, bridge.Message) error { panic("a sink's fault") }}
		h := newHouse(t, memstore.New(memstore.Options{}), sink, bridge.Options{})
		heard := make(chan string, 1)
		_, err := bus.Subscribe(h.bus.Client("other"), func(_ context.Context, e bus.Event[fact]) error { heard <- e.Type; return nil })
		must(t, err)
		h.record(fact{ID: "1", What: "created"})
		<-heard
		if parked := healthIs[*bridge.ParkedError](t, h); !strings.Contains(parked.Error(), "a sink's fault") {
			t.Errorf("health %v", parked)
		}
		if s := h.bridge.Stats(); s.InFlight != 0 {
			t.Errorf("%d in flight", s.InFlight)
		}
	})
}
