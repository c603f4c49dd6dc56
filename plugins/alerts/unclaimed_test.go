package alerts_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/plugins/alerts"
)

const day = 24 * time.Hour

// leave makes a durable subscription that has ended with events before it.
func (h *house) leave(name string) {
	h.t.Helper()
	if err := h.store.Writer().SetCursor(h.t.Context(), name, 0); err != nil {
		h.t.Fatal(err)
	}
	h.create()
	h.settle()
}

// retain lets the journal do what it does regularly, and the plugin look at the clock.
func (h *house) retain() {
	h.t.Helper()
	if _, err := h.store.Writer().Retain(h.t.Context(), journal.Retention{Age: day}); err != nil {
		h.t.Fatal(err)
	}
	h.later(time.Minute)
}

func TestUnclaimedIsRaisedBeforeEventsGo(t *testing.T) {
	h := open(t, "")
	h.leave("billing")
	h.later(22 * day)
	h.retain()
	h.want()
	h.later(day)
	h.retain()
	h.want("unclaimed 1 active")
	first, _, err := h.store.Writer().Bounds(t.Context())
	if err != nil || first != 1 {
		t.Errorf("the first event is %d (%v), want 1: it's raised before anything goes", first, err)
	}
	h.later(day)
	h.want("unclaimed 1 active")
	found, _, err := h.watch.List(t.Context(), alerts.Query{Kind: alerts.SubscriptionKind, Name: alerts.UnclaimedRule, Active: true})
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	if a := found[0]; a.ResourceID != "billing" || a.Severity != alerts.Warning || !strings.Contains(a.Message, `"billing" hasn't run since 2026-05-01T12:00:00Z; from 2026-05-31`) {
		t.Errorf("alert %+v", a)
	}

	h.later(7 * day) // what it was to say has come true
	h.retain()
	h.want("unclaimed 2 active")
	if first, _, err := h.store.Writer().Bounds(t.Context()); err != nil || first == 1 {
		t.Errorf("the first event is still there (%v)", err)
	}
}

func TestUnclaimedIsClearedWhenClaimedOrForgotten(t *testing.T) {
	for name, claim := range map[string]func(*testing.T, *house){
		"runs again": func(t *testing.T, h *house) {
			s, err := bus.Subscribe(h.bus.Client("test"), func(context.Context, bus.Event[bus.Addressed]) error { return nil }, bus.Durable("billing"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(s.Close)
		},
		"rewound": func(t *testing.T, h *house) {
			if err := h.store.Writer().Rewind(t.Context(), "billing", 0); err != nil {
				t.Fatal(err)
			}
		},
		"forgotten": func(t *testing.T, h *house) {
			if err := h.store.Writer().Forget(t.Context(), "billing"); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t, "")
			h.leave("billing")
			h.later(23 * day)
			h.retain()
			h.want("unclaimed 1 active")
			claim(t, h)
			h.later(time.Minute)
			h.want("unclaimed 1 cleared")
			h.later(time.Hour)
			h.want("unclaimed 1 cleared")
			if got := h.events(); !slices.Equal(got, []string{"alert.unclaimed.raised", "alert.unclaimed.cleared"}) {
				t.Errorf("events %q", got)
			}
		})
	}
}

func TestUnclaimedAcrossRestarts(t *testing.T) {
	h := open(t, "")
	h.leave("billing")
	h.later(23 * day)
	if _, err := h.store.Writer().Retain(t.Context(), journal.Retention{Age: day}); err != nil {
		t.Fatal(err)
	}
	h.stop() // warned, but nobody has looked
	h.start("")
	h.later(time.Minute)
	h.want("unclaimed 1 active")
	h.stop()
	h.start("")
	h.later(0) // not at once
	h.want("unclaimed 1 active")
	h.later(time.Minute)
	h.want("unclaimed 1 active")
	h.stop()

	h.start(`{"unclaimed": {"disabled": true}}`)
	h.leave("audit")
	h.later(30 * day)
	h.retain()
	h.want("unclaimed 1 active")
	if err := h.store.Writer().Forget(t.Context(), "billing"); err != nil {
		t.Fatal(err)
	}
	h.later(time.Minute)
	h.want("unclaimed 1 cleared")
	h.stop()
	h.start(`{"unclaimed": {"severity": "critical"}}`)
	h.later(time.Minute)
	h.want("unclaimed 1 cleared", "unclaimed 1 active")
}
