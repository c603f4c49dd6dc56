package resources_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/storetest"
)

var errKeep = errors.New("it stays")

// keeper is a listener that wants some of what is purged to stay.
type keeper struct {
	before, inTx, panics string // ids
	told                 []string
}

func (k *keeper) Name() string { return "keeper" }

func (k *keeper) Before(_ context.Context, c resources.Change) error {
	if c.Action == resources.Removed && c.ResourceID == k.before {
		return errKeep
	}
	return nil
}

func (k *keeper) InTx(_ context.Context, _ resources.Tx, c resources.Change) error {
	switch {
	case c.Action != resources.Removed:
	case c.ResourceID == k.inTx:
		return errKeep
	case c.ResourceID == k.panics:
		panic(errKeep)
	}
	return nil
}

func (k *keeper) After(_ context.Context, c resources.Change, err error) {
	if c.Action == resources.Removed {
		k.told = append(k.told, fmt.Sprintf("%s %v", c.ResourceID, err == nil))
	}
}

func (r *rig) scrap(t *testing.T, ids ...string) {
	t.Helper()
	for _, id := range ids {
		r.create(t, storetest.Gadget{Object: resources.Object{ID: id, Tenant: "acme"}, Label: "l", Password: "pw"})
		r.fire(t, id, "scrap_requested")
		r.fire(t, id, "operation_succeeded")
	}
}

func TestPurgeIsAChangeWithItsEvent(t *testing.T) {
	r := newRig(t, resources.Options{})
	r.scrap(t, "a")
	gone := r.clock.read()
	r.clock.advance(48 * time.Hour)
	events := make(chan bus.Event[storetest.GadgetChanged], 1)
	_, err := bus.Subscribe(r.bus.Client("test"), func(_ context.Context, e bus.Event[storetest.GadgetChanged]) error { events <- e; return nil })
	if err != nil {
		t.Fatal(err)
	}
	done, err := r.gadgets.Purge(ctx, 24*time.Hour, resources.Actor("cron"), resources.Reason("too old"))
	if err != nil || done.Removed != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	e := <-events
	c := e.Payload.Change
	if e.Type != "gadget.removed" || e.ID != c.ID || e.Subject() != "gadget/a" || e.Tenant != "acme" || e.Version != 4 || e.Actor != "cron" ||
		!e.Time.Equal(r.clock.read()) {
		t.Errorf("header %+v", e.Header)
	}
	if c.Action != resources.Removed || c.From != storetest.Gone || c.To != storetest.Gone || c.Version != 4 || c.Reason != "too old" || !c.Since.Equal(gone) {
		t.Errorf("change %+v", c)
	}
	if g := e.Payload.Resource; g.Label != "l" || g.Password != "" || g.Version != 4 || !g.RemovedAt.Equal(gone) {
		t.Errorf("snapshot %+v", g)
	}
}

func TestPurgeTakesNothingThatLives(t *testing.T) {
	r := newRig(t, resources.Options{})
	r.scrap(t, "old")
	r.create(t, storetest.Gadget{Object: resources.Object{ID: "off"}})
	r.create(t, storetest.Gadget{Object: resources.Object{ID: "going"}})
	r.fire(t, "going", "scrap_requested")
	r.clock.advance(time.Hour)
	r.scrap(t, "new")
	if done, err := r.gadgets.Purge(ctx, time.Hour); err != nil || done.Removed != 1 {
		t.Errorf("%+v, %v, want one that is removed", done, err)
	}
	for _, id := range []string{"off", "going", "new"} {
		r.get(t, id)
	}
	if _, err := r.gadgets.Get(ctx, "old"); !errors.Is(err, resources.ErrNotFound) {
		t.Errorf("old: %v, want ErrNotFound", err)
	}
}

func TestPurgeLeavesWhatAListenerWantsToStay(t *testing.T) {
	k := &keeper{before: "b", inTx: "d", panics: "e"}
	r := newRig(t, resources.Options{Listeners: []resources.Listener{k}})
	r.scrap(t, "a", "b", "c", "d", "e", "f")
	events := len(r.records(t))
	done, err := r.gadgets.Purge(ctx, 0)
	if err != nil || done.Removed != 3 || done.Kept != 3 || !errors.Is(done.Why, errKeep) || !strings.Contains(done.Why.Error(), "gadget/b") {
		t.Errorf("%+v, %v, want 3 that are removed, 3 kept, b the first", done, err)
	}
	page, err := r.gadgets.List(ctx, resources.Query{})
	if err != nil || len(page.Items) != 3 || page.Items[0].ID != "b" || page.Items[1].ID != "d" || page.Items[2].ID != "e" {
		t.Errorf("left: %+v, %v", page.Items, err)
	}
	if n := len(r.records(t)) - events; n != 3 {
		t.Errorf("%d events, want 3", n)
	}
	slices.Sort(k.told)
	if want := []string{"a true", "b false", "c true", "d false", "e false", "f true"}; !slices.Equal(k.told, want) {
		t.Errorf("told %q, want %q: each once", k.told, want)
	}
	*k = keeper{}
	if done, err := r.gadgets.Purge(ctx, 0); err != nil || done.Removed != 3 || done.Kept != 0 {
		t.Errorf("later: %+v, %v", done, err)
	}
}

func TestPurgeGoesPastWhatStays(t *testing.T) {
	r := newRig(t, resources.Options{Listeners: []resources.Listener{listeners.Funcs{
		ListenerName: "none", OnBefore: func(_ context.Context, c resources.Change) error {
			if c.Action == resources.Removed && c.ResourceID < "g070" {
				return errKeep
			}
			return nil
		},
	}}})
	for i := range 75 {
		r.scrap(t, fmt.Sprintf("g%03d", i))
	}
	if done, err := r.gadgets.Purge(ctx, 0); err != nil || done.Removed != 5 || done.Kept != 70 {
		t.Errorf("%+v, %v, want 5 that are removed, 70 kept", done, err)
	}
}

func TestPurgeRefuses(t *testing.T) {
	r := newRig(t, resources.Options{})
	r.scrap(t, "a")
	for name, call := range map[string]func() error{
		"a negative age": func() error { _, err := r.gadgets.Purge(ctx, -1); return err },
		"At":             func() error { _, err := r.gadgets.Purge(ctx, 0, resources.At(time.Now())); return err },
		"With": func() error {
			_, err := r.gadgets.Purge(ctx, 0, resources.With(func(resources.Tx) error { return nil }))
			return err
		},
		"Set": func() error {
			_, err := r.gadgets.Purge(ctx, 0, resources.Set(func(any) error { return nil }))
			return err
		},
		"PurgeAfter": func() error {
			_, err := resources.Register[storetest.Gadget](r.engine, storetest.Machine, resources.PurgeAfter(-1))
			return err
		},
	} {
		if err := call(); !errors.As(err, new(*resources.InvalidError)) {
			t.Errorf("%s: %v, want an InvalidError", name, err)
		}
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := r.gadgets.Purge(cancelled, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended: %v", err)
	}
	r.get(t, "a")
}

func TestRunPurges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, newStore(), resources.PurgeAfter(24*time.Hour))
		w.create("a")
		w.fire("a", "scrap_requested")
		w.fire("a", "operation_succeeded")
		w.later(24*time.Hour - time.Minute)
		if _, err := w.gadgets.Get(t.Context(), "a"); err != nil {
			t.Error(err)
		}
		w.later(2 * time.Hour)
		if _, err := w.gadgets.Get(t.Context(), "a"); !errors.Is(err, resources.ErrNotFound) {
			t.Errorf("after a day and an hour: %v, want ErrNotFound", err)
		}
	})
}

func TestBatchRefuses(t *testing.T) {
	k := &keeper{}
	r := newRig(t, resources.Options{Listeners: []resources.Listener{k, listeners.Funcs{
		ListenerName: "quota", OnInTx: func(_ context.Context, _ resources.Tx, c resources.Change) error {
			if c.Tenant == "poor" {
				return errKeep
			}
			return nil
		},
	}}})
	with := func(id, tenant string) storetest.Gadget {
		return storetest.Gadget{Object: resources.Object{ID: id, Tenant: tenant}}
	}
	for name, c := range map[string]struct {
		batch []storetest.Gadget
		opts  []resources.Option
		index int // -1: no resource's fault
		want  error
	}{
		"one that is invalid":      {batch: []storetest.Gadget{{}, {Size: -1}}, index: 1, want: new(resources.InvalidError)},
		"a state that isn't one":   {batch: []storetest.Gadget{{Object: resources.Object{State: "on"}}}, index: 0, want: new(resources.InvalidError)},
		"an id twice":              {batch: []storetest.Gadget{with("x", ""), with("y", ""), with("x", "")}, index: 2, want: resources.ErrExists},
		"a veto in the middle":     {batch: []storetest.Gadget{with("x", ""), with("", "poor"), with("", "")}, index: 1, want: errKeep},
		"too many":                 {batch: make([]storetest.Gadget, 1001), index: -1, want: new(resources.InvalidError)},
		"an option that isn't for": {batch: []storetest.Gadget{{}}, opts: []resources.Option{resources.With(func(resources.Tx) error { return nil })}, index: -1, want: new(resources.InvalidError)},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := r.gadgets.CreateBatch(ctx, c.batch, c.opts...)
			at := new(resources.BatchError)
			if is := errors.As(err, &at); is != (c.index >= 0) || is && at.Index != c.index {
				t.Errorf("%v, want a BatchError for number %d", err, c.index)
			}
			if _, invalid := c.want.(*resources.InvalidError); invalid && !errors.As(err, new(*resources.InvalidError)) || !invalid && !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
	if n := len(r.records(t)); n != 0 {
		t.Errorf("%d events", n)
	}
	if page, err := r.gadgets.List(ctx, resources.Query{}); err != nil || len(page.Items) != 0 {
		t.Errorf("%d gadgets, %v", len(page.Items), err)
	}
	if made, err := r.gadgets.CreateBatch(ctx, nil); len(made) != 0 || err != nil {
		t.Errorf("none: %v, %v", made, err)
	}
}

func TestBatchOfOperationsIsWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, newStore(), resources.Limit(storetest.Starting, time.Second))
		if _, err := w.gadgets.CreateBatch(t.Context(), []storetest.Gadget{{Object: resources.Object{ID: "a"}}, {Object: resources.Object{ID: "b"}}}); err != nil {
			t.Fatal(err)
		}
		w.fire("b", "start_requested")
		w.later(time.Second)
		w.want("b starting 1s 1")
	})
}
