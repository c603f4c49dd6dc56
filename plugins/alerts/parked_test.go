package alerts_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/plugins/alerts"
)

// handler fails while it is broken.
type handler struct{ broken atomic.Bool }

func (h *handler) handle(context.Context, bus.Event[bus.Addressed]) error {
	if h.broken.Load() {
		return errors.New("too large")
	}
	return nil
}

func TestParkedIsRaisedAndClearedWhenNothingIsSetAside(t *testing.T) {
	for name, solve := range map[string]func(*testing.T, *house, *handler){
		"replayed": func(t *testing.T, h *house, broken *handler) {
			broken.broken.Store(false)
			if done, err := h.bus.Replay(t.Context(), "bridge_nats", "", ""); err != nil || done.Left > 0 {
				t.Fatalf("%+v, %v", done, err)
			}
		},
		"discarded": func(t *testing.T, h *house, _ *handler) {
			all, err := h.bus.Parked(t.Context(), bus.ParkedQuery{Subscription: "bridge_nats"})
			if err != nil {
				t.Fatal(err)
			}
			var seqs []uint64
			for _, e := range all {
				seqs = append(seqs, e.Seq)
			}
			if err := h.store.Writer().Unpark(t.Context(), "bridge_nats", seqs...); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t, "")
			broken := &handler{}
			broken.broken.Store(true)
			s, err := bus.Subscribe(h.bus.Client("test"), broken.handle, bus.Durable("bridge_nats"), bus.Type("vm.>"), bus.Retry(1, time.Millisecond))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(s.Close)
			h.later(time.Minute)
			h.want()
			h.create()
			h.settle()
			h.later(time.Minute)
			h.want("parked 1 active")
			h.later(time.Hour)
			h.want("parked 1 active")
			found, _, err := h.watch.List(t.Context(), alerts.Query{Kind: alerts.SubscriptionKind, Name: alerts.ParkedRule, Active: true})
			if err != nil || len(found) != 1 {
				t.Fatalf("%v, %v", found, err)
			}
			if a := found[0]; a.ResourceID != "bridge_nats" || a.Severity != alerts.Critical || !strings.Contains(a.Message, "a vm.created about vm/") || !strings.HasSuffix(a.Message, ": too large") {
				t.Errorf("alert %+v", a)
			}
			solve(t, h, broken)
			h.later(time.Minute)
			h.want("parked 1 cleared")
			if got := h.events(); !slices.Equal(got, []string{"alert.parked.raised", "alert.parked.cleared"}) {
				t.Errorf("events %q", got)
			}
		})
	}
}

func TestParkedTellsOfASubscriptionThatHasHalted(t *testing.T) {
	h := open(t, "")
	broken := &handler{}
	broken.broken.Store(true)
	subscribe := func() *bus.Subscription {
		s, err := bus.Subscribe(h.bus.Client("test"), broken.handle, bus.Durable("mailer"), bus.Type("vm.>"), bus.Retry(1, time.Millisecond), bus.OnFailure(bus.Halt))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		return s
	}
	s := subscribe()
	h.create()
	<-s.Done()
	h.clock.add(time.Minute) // nobody can wait until one that has halted has handled all
	if err := h.watch.CheckNow(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.want("parked 1 active")
	found, _, err := h.watch.List(t.Context(), alerts.Query{Name: alerts.ParkedRule, Active: true})
	if err != nil || len(found) != 1 || !strings.Contains(found[0].Message, `"mailer" has halted at event 1, a vm.created about vm/`) {
		t.Fatalf("%+v, %v", found, err)
	}
	s.Close()
	broken.broken.Store(false)
	subscribe()
	h.later(time.Minute)
	h.want("parked 1 cleared")
}
