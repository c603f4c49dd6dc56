package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/resources"
)

func testActionList(t *testing.T, open Open) {
	r := newRig(t, open)
	r.actionStore(t)
	var ids []bus.ID
	for i := range 7 {
		opts := []resources.Option{resources.Tenant([]string{"acme", "other"}[i%2])}
		if i < 3 {
			opts = append(opts, resources.Target(fmt.Sprint("r", i)))
		}
		a := must[*resources.ScheduledAction](t)(r.engine.Schedule(t.Context(), fmt.Sprint("user:", i%3), "gadget", []string{"a", "b"}[i/4], opts...))
		ids = append(ids, a.ID())
	}
	for _, c := range []struct {
		q    resources.ActionQuery
		want []int
	}{
		{resources.ActionQuery{}, []int{0, 1, 2, 3, 4, 5, 6}},
		{resources.ActionQuery{Kind: "gadget", Verb: "b"}, []int{4, 5, 6}},
		{resources.ActionQuery{Kind: "other"}, nil},
		{resources.ActionQuery{Tenant: "other"}, []int{1, 3, 5}},
		{resources.ActionQuery{ResourceID: "r2"}, []int{2}},
		{resources.ActionQuery{Actor: "user:0", Verb: "a"}, []int{0, 3}},
		{resources.ActionQuery{After: ids[4]}, []int{5, 6}},
	} {
		var got []int
		for _, a := range r.open(t, c.q) {
			got = append(got, slices.Index(ids, a.ID))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v, want %v", c.q, got, c.want)
		}
	}
	var paged []bus.ID
	q := resources.ActionQuery{Limit: 3}
	for n := 0; n == 0 || !q.After.IsZero(); n++ {
		page, next, err := r.engine.Actions(t.Context(), q)
		if err != nil || n > 3 || len(page) > 3 {
			t.Fatalf("page %d: %d actions, %v", n, len(page), err)
		}
		for _, a := range page {
			paged = append(paged, a.ID)
		}
		q.After = next
	}
	if !slices.Equal(paged, ids) {
		t.Errorf("page by page: %v, want %v", paged, ids)
	}
}

func testActionRows(t *testing.T, open Open) {
	r := newRig(t, open)
	store := r.actionStore(t)
	now := time.Now().UTC().Round(0)
	row := resources.OpenAction{
		ID: bus.NewID(now), Kind: "gadget", Verb: "start", Actor: "user:1", CorrelationID: "c", ScheduledAt: now,
		Owner: must[string](t)(store.OwnActions(t.Context())),
	}
	member := func(fn func(resources.ActionTx) error) error {
		return store.Do(t.Context(), func(tx resources.StoreTx) error { return fn(tx.(resources.ActionTx)) })
	}
	stranger := row
	stranger.Owner = "a process that is gone"
	started := row
	started.StartedAt, started.Started = now, bus.NewID(now)
	for _, c := range []struct {
		what string
		fn   func(resources.ActionTx) error
		want error
	}{
		{"insert for an owner who is gone", func(tx resources.ActionTx) error { return tx.InsertAction(stranger) }, resources.ErrConflict},
		{"insert and fail", func(tx resources.ActionTx) error { return errors.Join(tx.InsertAction(row), errVeto) }, errVeto},
		{"delete what isn't there", func(tx resources.ActionTx) error { return tx.DeleteAction(row.ID) }, resources.ErrNotFound},
		{"start what isn't there", func(tx resources.ActionTx) error { return tx.StartAction(started) }, resources.ErrNotFound},
		{"insert", func(tx resources.ActionTx) error { return tx.InsertAction(row) }, nil},
		{"start for an owner who is gone", func(tx resources.ActionTx) error { return tx.StartAction(stranger) }, resources.ErrConflict},
		{"start", func(tx resources.ActionTx) error { return tx.StartAction(started) }, nil},
		{"start again", func(tx resources.ActionTx) error { return tx.StartAction(started) }, resources.ErrNotFound},
		{"delete and fail", func(tx resources.ActionTx) error { return errors.Join(tx.DeleteAction(row.ID), errVeto) }, errVeto},
		{"insert, start and delete in one", func(tx resources.ActionTx) error {
			other := row
			other.ID = bus.NewID(now)
			begun := started
			begun.ID = other.ID
			return errors.Join(tx.InsertAction(other), tx.StartAction(begun), tx.DeleteAction(other.ID))
		}, nil},
	} {
		if err := member(c.fn); c.want == nil && err != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.what, err, c.want)
		}
	}
	if got := must[resources.OpenAction](t)(store.Action(t.Context(), row.ID)); got != started {
		t.Errorf("the row is\n%+v, want\n%+v", got, started)
	}
	if gone := must[[]resources.OpenAction](t)(store.AbandonedActions(t.Context(), 10)); len(gone) != 0 {
		t.Errorf("abandoned while its owner is there: %+v", gone)
	}
	if err := member(func(tx resources.ActionTx) error {
		here, err := tx.ActionOwnerGone(row.Owner)
		there, err2 := tx.ActionOwnerGone(stranger.Owner)
		if here || !there {
			t.Errorf("this process is gone: %v, a stranger is: %v", here, there)
		}
		return errors.Join(err, err2)
	}); err != nil {
		t.Error(err)
	}
	if err := member(func(tx resources.ActionTx) error { return tx.DeleteAction(row.ID) }); err != nil {
		t.Error(err)
	}
	if _, err := store.Action(t.Context(), row.ID); !errors.Is(err, resources.ErrNotFound) {
		t.Errorf("deleted: %v, want ErrNotFound", err)
	}
}

// Whoever starts, ends and cancels at the same time: each action has one beginning and one end.
func testActionRace(t *testing.T, open Open) {
	r := newRig(t, open)
	r.actionStore(t)
	const actions, callers = 6, 6
	var starts, ends [actions]atomic.Int32
	scheduled := make([]*resources.ScheduledAction, actions)
	for i := range scheduled {
		scheduled[i] = must[*resources.ScheduledAction](t)(r.engine.Schedule(t.Context(), "user:1", "gadget", "start"))
	}
	concurrently(callers, func(n int) {
		for i, a := range scheduled {
			if n == callers-1 {
				a, err := r.engine.Scheduled(t.Context(), a.ID())
				if err == nil {
					err = a.Cancel(t.Context(), errVeto)
				}
				if err == nil {
					ends[i].Add(1)
				} else if !errors.Is(err, resources.ErrActionStarted) && !errors.Is(err, resources.ErrActionClosed) {
					t.Errorf("cancel: %v", err)
				}
				continue
			}
			_, done, err := a.Start(t.Context())
			if err != nil {
				if !errors.Is(err, resources.ErrActionStarted) && !errors.Is(err, resources.ErrActionClosed) {
					t.Errorf("start: %v", err)
				}
				continue
			}
			starts[i].Add(1)
			concurrently(2, func(int) {
				switch err := done(nil); {
				case err == nil:
					ends[i].Add(1)
				case !errors.Is(err, resources.ErrActionClosed):
					t.Errorf("done: %v", err)
				}
			})
		}
	})
	for i := range actions {
		if s, e := starts[i].Load(), ends[i].Load(); s > 1 || e != 1 {
			t.Errorf("action %d was started %d times and ended %d times", i, s, e)
		}
	}
	_, events := r.acted(t)
	WantActions(t, events)
	if left := r.open(t, resources.ActionQuery{}); len(left) > 0 {
		t.Errorf("%d actions are open", len(left))
	}
}
