package resources_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/memstore"
	"github.com/cloudbus-go/cloudbus/resources/storetest"
)

// flaky is a store whose database goes away: before a member, or so that nobody knows whether it was committed.
type flaky struct {
	*memstore.Store
	fault string // "", "away", "unknown"
}

type outage struct{ text string }

func (o *outage) Error() string             { return o.text }
func (o *outage) Is(target error) bool      { return target == bus.ErrOutage }
func (s *flaky) hit(fault string, f func()) { s.fault = fault; f(); s.fault = "" }

func (s *flaky) Do(ctx context.Context, fn func(resources.StoreTx) error) error {
	if s.fault == "away" {
		return &outage{"the database is away"}
	}
	err := s.Store.Do(ctx, fn)
	if s.fault == "unknown" && err == nil {
		return &outage{"the outcome is unknown"}
	}
	return err
}

// history is what callers have done with actions, and what they were told.
type history struct {
	t         *rapid.T
	rig       *rig
	store     *flaky
	scheduled []*resources.ScheduledAction
	open      []begun
	told      map[bus.ID]resources.ActionStatus // of ends that callers were told to be recorded
	opened    int                               // actions that callers were told to be open
}

type begun struct {
	id   bus.ID
	done resources.Done
}

// fault is what the database does during a step.
func (h *history) fault() string {
	return rapid.SampledFrom([]string{"", "", "", "", "away", "unknown"}).Draw(h.t, "fault")
}

// check makes sure that an error is one of those that are due.
func (h *history) check(what string, err error, due ...error) bool {
	if err == nil {
		return true
	}
	if !errors.Is(err, bus.ErrOutage) {
		for _, d := range due {
			if errors.Is(err, d) {
				return false
			}
		}
		h.t.Fatalf("%s: %v", what, err)
	}
	return false
}

func (h *history) act(*rapid.T) {
	h.store.hit(h.fault(), func() {
		ctx, done, err := h.rig.engine.Action(context.Background(), "user:1", "gadget", "start")
		if h.check("Action", err) {
			started, _ := bus.Cause(ctx)
			h.open = append(h.open, begun{mustParse(h.t, started.CausationID), done})
			h.opened++
		}
	})
}

func mustParse(t *rapid.T, s string) bus.ID {
	id, err := bus.ParseID(s)
	if err != nil || id.IsZero() {
		t.Fatalf("%q is no id: %v", s, err)
	}
	return id
}

func (h *history) schedule(*rapid.T) {
	h.store.hit(h.fault(), func() {
		a, err := h.rig.engine.Schedule(context.Background(), "user:1", "gadget", "start")
		if h.check("Schedule", err) {
			h.scheduled = append(h.scheduled, a)
			h.opened++
		}
	})
}

// some is an action that was scheduled once, whatever has become of it.
func (h *history) some() *resources.ScheduledAction {
	if len(h.scheduled) == 0 {
		h.t.Skip("there is none")
	}
	return rapid.SampledFrom(h.scheduled).Draw(h.t, "action")
}

func (h *history) start(*rapid.T) {
	a := h.some()
	h.store.hit(h.fault(), func() {
		if rapid.Bool().Draw(h.t, "by id") {
			again, err := h.rig.engine.Scheduled(context.Background(), a.ID())
			if !h.check("Scheduled", err, resources.ErrActionClosed, resources.ErrActionStarted) {
				return
			}
			a = again
		}
		_, done, err := a.Start(context.Background())
		if h.check("Start", err, resources.ErrActionClosed, resources.ErrActionStarted) {
			h.open = append(h.open, begun{a.ID(), done})
		}
	})
}

func (h *history) cancel(*rapid.T) {
	a := h.some()
	h.store.hit(h.fault(), func() {
		if h.check("Cancel", a.Cancel(context.Background(), errors.New("cancelled")), resources.ErrActionClosed, resources.ErrActionStarted) {
			h.note(a.ID(), resources.ActionFailed)
		}
	})
}

// note notes an end that a caller was told of.
func (h *history) note(id bus.ID, s resources.ActionStatus) {
	if was, twice := h.told[id]; twice {
		h.t.Fatalf("action %s was told to have ended as %s, and as %s", id, was, s)
	}
	h.told[id] = s
}

func (h *history) end(*rapid.T) {
	if len(h.open) == 0 {
		h.t.Skip("there is none")
	}
	a := rapid.SampledFrom(h.open).Draw(h.t, "open")
	status, cause := resources.ActionSucceeded, error(nil)
	if rapid.Bool().Draw(h.t, "fails") {
		status, cause = resources.ActionFailed, fmt.Errorf("failure of %s", a.id)
	}
	h.store.hit(h.fault(), func() {
		err := a.done(cause)
		recorded := err == nil || err == cause
		if recorded {
			h.note(a.id, status)
		} else {
			h.check("done", err, resources.ErrActionClosed)
		}
	})
}

func (h *history) tend(*rapid.T) {
	h.store.hit(h.fault(), func() {
		_, err := h.rig.engine.CloseActions(context.Background())
		h.check("CloseActions", err)
	})
}

// crash lets all open actions be those of a process that is gone; who has begun them may still be about to end them. The next process knows
// nothing of ends that are late.
func (h *history) crash(*rapid.T) {
	h.store.Orphan()
	h.rig.restart(h.t)
}

func (r *rig) restart(t interface{ Fatal(...any) }) {
	engine, err := resources.New(resources.Options{Store: r.flaky, Bus: r.bus, Logger: quiet, Now: r.clock.read})
	if err != nil {
		t.Fatal(err)
	}
	r.engine = engine
}

// Whatever is begun, ended, cancelled, killed and started anew, and whenever the database goes away: each action has one legal sequence of
// events, with one end, which is the one that its caller was told.
func TestActionsEachHaveOneEnd(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		store := &flaky{Store: memstore.New(memstore.Options{})}
		r := newRig(t, resources.Options{Store: store})
		r.flaky = store
		h := &history{t: rt, rig: r, store: store, told: map[bus.ID]resources.ActionStatus{}}
		rt.Repeat(map[string]func(*rapid.T){
			"act": h.act, "schedule": h.schedule, "start": h.start, "cancel": h.cancel, "end": h.end, "tend": h.tend, "crash": h.crash,
		})
		h.crash(rt)
		if _, err := r.engine.CloseActions(context.Background()); err != nil {
			rt.Fatal(err)
		}
		if left, _, err := r.engine.Actions(context.Background(), resources.ActionQuery{}); err != nil || len(left) > 0 {
			rt.Fatalf("%d actions are open: %v", len(left), err)
		}
		_, events := acted(t, store.Journal())
		storetest.WantActions(rt, events)
		h.wantEnds(events)
	})
}

func (h *history) wantEnds(events []resources.Acted) {
	ids := map[bus.ID]bool{}
	for _, e := range events {
		ids[e.Action] = true
		told, ok := h.told[e.Action]
		if ok && !e.EndedAt.IsZero() && e.Status != told {
			h.t.Errorf("action %s %s, its caller was told that it has %s", e.Action, e.Status, told)
		}
	}
	for id := range h.told {
		if !ids[id] {
			h.t.Errorf("of action %s there is no event", id)
		}
	}
	if len(ids) < h.opened {
		h.t.Errorf("%d actions have events, %d were begun", len(ids), h.opened)
	}
}
