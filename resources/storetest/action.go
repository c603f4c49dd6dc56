package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/resources"
)

// actionStore is the store under test, if it keeps actions.
func (r *rig) actionStore(t *testing.T) resources.ActionStore {
	t.Helper()
	s, ok := r.store.(resources.ActionStore)
	if !ok {
		t.Skipf("%T keeps no actions", r.store)
	}
	return s
}

// acted reads the events of all actions.
func (r *rig) acted(t *testing.T) (headers []bus.Header, events []resources.Acted) {
	t.Helper()
	for _, record := range r.records(t) {
		if !strings.HasPrefix(record.Type, "action.") {
			continue
		}
		var a resources.Acted
		if err := json.Unmarshal(record.Data, &a); err != nil {
			t.Fatal(err)
		}
		headers, events = append(headers, record.Header), append(events, a)
	}
	return headers, events
}

func (r *rig) open(t *testing.T, q resources.ActionQuery) []resources.OpenAction {
	t.Helper()
	open, _, err := r.engine.Actions(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return open
}

func testAction(t *testing.T, open Open) {
	r := newRig(t, open)
	store := r.actionStore(t)
	g := r.create(t, Gadget{Object: resources.Object{Tenant: "acme"}})
	ctx, done, err := r.engine.Action(bus.ContextWithCorrelation(t.Context(), "request-1"), "user:1", "gadget", "start",
		resources.Target(g.ID), resources.Reason("they asked"))
	if err != nil {
		t.Fatal(err)
	}
	owner := must[string](t)(store.OwnActions(t.Context()))
	rows := r.open(t, resources.ActionQuery{})
	if len(rows) != 1 {
		t.Fatalf("%d open actions, want 1", len(rows))
	}
	row := rows[0]
	want := resources.OpenAction{
		ID: row.ID, Kind: "gadget", Verb: "start", ResourceID: g.ID, Tenant: "acme", Actor: "user:1", Reason: "they asked",
		CorrelationID: "request-1", Owner: owner, ScheduledAt: row.ScheduledAt, StartedAt: row.StartedAt, Started: row.Started,
	}
	if row != want || row.ID.IsZero() || row.Started.IsZero() || row.StartedAt.Before(row.ScheduledAt) || time.Since(row.ScheduledAt) > time.Hour {
		t.Errorf("the open action is\n%+v, want\n%+v", row, want)
	}
	if again := must[resources.OpenAction](t)(store.Action(t.Context(), row.ID)); again != row {
		t.Errorf("by its id it is\n%+v, in the list\n%+v", again, row)
	}
	changed := must[GadgetChanged](t)(r.gadgets.Fire(ctx, g.ID, StartRequested))
	if err := done(nil); err != nil {
		t.Fatal(err)
	}
	if left := r.open(t, resources.ActionQuery{}); len(left) != 0 {
		t.Errorf("open after its end: %+v", left)
	}
	r.wantAction(t, row, changed.ID)
}

// wantAction compares the events of an action that succeeded with what was open.
func (r *rig) wantAction(t *testing.T, row resources.OpenAction, change bus.ID) {
	t.Helper()
	headers, events := r.acted(t)
	if len(events) != 3 {
		t.Fatalf("%d events, want 3", len(events))
	}
	cause := ""
	for i, status := range []resources.ActionStatus{resources.ActionScheduled, resources.ActionStarted, resources.ActionSucceeded} {
		h, e := headers[i], events[i]
		if h.Type != "action.gadget.start."+string(status) || e.Status != status || h.Actor != "user:1" || h.Tenant != "acme" ||
			h.Kind != "gadget" || h.ResourceID != row.ResourceID || h.CorrelationID != "request-1" || h.CausationID != cause || h.Version != 0 {
			t.Errorf("the header of %s is %+v, want the cause %q", status, h, cause)
		}
		want := resources.Acted{
			Action: row.ID, Kind: "gadget", Verb: "start", Status: status, ResourceID: row.ResourceID, Tenant: "acme", Actor: "user:1",
			Reason: "they asked", Owner: row.Owner, ScheduledAt: row.ScheduledAt,
		}
		if i > 0 {
			want.StartedAt = row.StartedAt
		}
		if i > 1 {
			want.EndedAt = h.Time
		}
		if e != want {
			t.Errorf("the event of %s is\n%+v, want\n%+v", status, e, want)
		}
		cause = h.ID.String()
	}
	if headers[0].ID != row.ID || headers[1].ID != row.Started || !headers[1].Time.Equal(row.StartedAt) {
		t.Errorf("the first events are %+v and %+v, the open action was %+v", headers[0], headers[1], row)
	}
	i := slices.IndexFunc(r.records(t), func(record bus.Record) bool { return record.ID == change })
	if h := r.records(t)[i].Header; h.CorrelationID != "request-1" || h.CausationID != row.Started.String() || h.Actor != "user:1" {
		t.Errorf("the header of the change is %+v", h)
	}
}

// WantActions checks the events of actions that have all come to their ends: for each it is scheduled first, then perhaps started, and then
// there is one end, the last. Tests of stores use it too.
func WantActions(t interface {
	Helper()
	Errorf(format string, args ...any)
}, events []resources.Acted,
) {
	t.Helper()
	const scheduled, started, succeeded, failed = resources.ActionScheduled, resources.ActionStarted, resources.ActionSucceeded, resources.ActionFailed
	legal := [][]resources.ActionStatus{{scheduled, started, succeeded}, {scheduled, started, failed}, {scheduled, failed}}
	histories := map[bus.ID][]resources.ActionStatus{}
	for _, e := range events {
		histories[e.Action] = append(histories[e.Action], e.Status)
		if (e.Status == failed) != (e.Failure != "" && e.Error != "") || (e.Status == succeeded || e.Status == failed) == e.EndedAt.IsZero() {
			t.Errorf("the event %+v", e)
		}
	}
	for id, h := range histories {
		if !slices.ContainsFunc(legal, func(l []resources.ActionStatus) bool { return reflect.DeepEqual(l, h) }) {
			t.Errorf("action %s: %v", id, h)
		}
	}
}

func testActionContexts(t *testing.T, open Open) {
	r := newRig(t, open)
	r.actionStore(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, done, err := r.engine.Action(ctx, "user:1", "gadget", "start")
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := done(ctx.Err()); err != context.Canceled { //nolint:errorlint // as it was
		t.Errorf("done of a cancelled action: %v, want what it was given", err)
	}
	if _, _, err := r.engine.Action(ctx, "user:1", "gadget", "start"); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
	a := must[*resources.ScheduledAction](t)(r.engine.Schedule(t.Context(), "user:1", "gadget", "start"))
	if err := r.store.Do(t.Context(), func(tx resources.StoreTx) error {
		in := tx.Context()
		_, _, acting := r.engine.Action(in, "user:1", "gadget", "start")
		_, scheduling := r.engine.Schedule(in, "user:1", "gadget", "start")
		_, _, starting := a.Start(in)
		_, closing := r.engine.CloseActions(in)
		for what, err := range map[string]error{"Action": acting, "Schedule": scheduling, "Start": starting, "CloseActions": closing, "Cancel": a.Cancel(in, errVeto)} {
			if !errors.Is(err, resources.ErrInWriter) {
				t.Errorf("%s in a member: %v, want ErrInWriter", what, err)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := a.Cancel(ctx, errVeto); err != nil {
		t.Errorf("cancel with a context that has ended: %v", err)
	}
	_, events := r.acted(t)
	WantActions(t, events)
	if len(events) != 5 {
		t.Errorf("%d events, want 5: %+v", len(events), events)
	}
}
