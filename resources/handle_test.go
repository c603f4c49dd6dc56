package resources_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/storetest"
)

// What an HTTP server does, which knows kinds by their names only.
func TestHandle(t *testing.T) {
	r := newRig(t, resources.Options{})
	h, err := r.engine.Kind("gadget")
	if err != nil {
		t.Fatal(err)
	}
	obj := h.New()
	if err := json.Unmarshal([]byte(`{"id": "g1", "label": "x", "size": 3}`), obj); err != nil {
		t.Fatal(err)
	}
	made, err := h.Create(ctx, obj)
	if err != nil || resources.ObjectOf(made).Version != 1 || resources.ObjectOf(obj).Version != 0 {
		t.Fatalf("Create: %+v, %v; given %+v", made, err, obj)
	}
	c, err := h.Fire(ctx, "g1", "start_requested", resources.Set(func(obj any) error { obj.(*storetest.Gadget).Size++; return nil }))
	if err != nil || c.To != storetest.Starting || c.Event() == nil || c.Event().EventType() != "gadget.state.starting" {
		t.Errorf("Fire: %+v, %v", c, err)
	}
	c, err = h.Update(ctx, "g1", func(obj any) error { return json.Unmarshal([]byte(`{"label": "y"}`), obj) })
	if err != nil || c.Action != resources.Updated || c.Version != 3 {
		t.Errorf("Update: %+v, %v", c, err)
	}
	got, err := h.Get(ctx, "g1")
	if g := got.(*storetest.Gadget); err != nil || g.Label != "y" || g.Size != 4 {
		t.Errorf("Get: %+v, %v", got, err)
	}
	items, next, err := h.List(ctx, resources.Query{Where: map[string]any{"size": "4"}})
	if err != nil || len(items) != 1 || next != "" {
		t.Errorf("List: %+v, %q, %v", items, next, err)
	}
	_, err = h.Update(ctx, "g1", func(obj any) error { return json.Unmarshal([]byte(`{"state": "on"}`), obj) })
	var invalid *resources.InvalidError
	if !errors.As(err, &invalid) || invalid.Field != "State" {
		t.Errorf("Update of the state: %v", err)
	}
}

func TestSetOfAnotherKind(t *testing.T) {
	r := newRig(t, resources.Options{})
	doors, err := resources.Register[plain](r.engine, door("door"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.gadgets.Fire(ctx, r.create(t, storetest.Gadget{}).ID, "start_requested", doors.Set(func(*plain) error { return nil }))
	var invalid *resources.InvalidError
	if !errors.As(err, &invalid) || !strings.Contains(err.Error(), "*storetest.Gadget") {
		t.Errorf("Fire: %v", err)
	}
}

func TestAfterLearnsOfEachCallOnce(t *testing.T) {
	var learnt []string
	r := newRig(t, resources.Options{Listeners: []resources.Listener{listeners.Funcs{
		ListenerName: "after",
		OnAfter: func(_ context.Context, c resources.Change, err error) {
			outcome := "ok"
			if err != nil {
				outcome = "refused"
			}
			learnt = append(learnt, strings.Join([]string{string(c.Action), c.Kind, c.ResourceID, string(c.Trigger), outcome}, " "))
		},
	}}})
	set := func(g *storetest.Gadget) error { g.Label = "x"; return nil }
	for _, step := range []struct {
		call func() error
		want string
	}{
		{func() error {
			return second(r.gadgets.Create(ctx, storetest.Gadget{Object: resources.Object{ID: "g"}}))
		}, "created gadget g  ok"},
		{func() error {
			return second(r.gadgets.Create(ctx, storetest.Gadget{Object: resources.Object{ID: "g"}}))
		}, "created gadget g  refused"},
		{func() error { return second(r.gadgets.Create(ctx, storetest.Gadget{}, resources.Operation(bus.ID{}))) }, "created gadget   refused"},
		{func() error { return second(r.gadgets.Fire(ctx, "g", "start_requested")) }, "moved gadget g start_requested ok"},
		{func() error { return second(r.gadgets.Fire(ctx, "g", "start_requested")) }, "unchanged gadget g start_requested ok"},
		{func() error { return second(r.gadgets.Fire(ctx, "g", "stop_requested")) }, "moved gadget g stop_requested refused"},
		{func() error { return second(r.gadgets.Fire(ctx, "x", "stop_requested")) }, "moved gadget x stop_requested refused"},
		{func() error { return second(r.gadgets.Update(ctx, "g", set)) }, "updated gadget g  ok"},
		{func() error { return second(r.gadgets.Update(ctx, "g", set)) }, "unchanged gadget g  ok"},
		{func() error { return second(r.gadgets.Update(ctx, "g", nil)) }, "updated gadget g  refused"},
		{func() error {
			inside := bus.EnterWriter(ctx, r.store.Journal())
			return second(r.gadgets.Fire(inside, "g", "operation_failed"))
		}, "moved gadget g operation_failed refused"},
	} {
		learnt = nil
		err := step.call()
		if len(learnt) != 1 || learnt[0] != step.want {
			t.Errorf("learnt %q, want %q (%v)", learnt, step.want, err)
		}
	}
}

func TestPanicsAreLoggedWithTheirStack(t *testing.T) {
	var out bytes.Buffer
	r := newRig(t, resources.Options{
		Logger: slog.New(slog.NewTextHandler(&out, nil)),
		Listeners: []resources.Listener{listeners.Funcs{
			ListenerName: "bomb",
			OnAfter:      func(context.Context, resources.Change, error) { panic("too late") },
		}},
	})
	g := r.create(t, storetest.Gadget{})
	for _, part := range []string{"level=ERROR", "too late", "id=" + g.ID, "listener bomb, After", "handle_test.go"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("the log lacks %q:\n%s", part, out.String())
		}
	}
}

func TestAfterIsNotToldOfAChangeThatWasNotMade(t *testing.T) {
	for _, phase := range []string{"Set", "Before", "InTx", "With"} {
		t.Run(phase, func(t *testing.T) {
			end := func(where string, c resources.Change) error {
				if where == phase && c.Trigger != "" {
					runtime.Goexit()
				}
				return nil
			}
			var told error
			r := newRig(t, resources.Options{Listeners: []resources.Listener{listeners.Funcs{
				ListenerName: "ender",
				OnBefore:     func(_ context.Context, c resources.Change) error { return end("Before", c) },
				OnInTx:       func(_ context.Context, _ resources.Tx, c resources.Change) error { return end("InTx", c) },
				OnAfter:      func(_ context.Context, _ resources.Change, err error) { told = err },
			}}})
			g := r.create(t, storetest.Gadget{})
			var caller sync.WaitGroup
			caller.Go(func() {
				fired := resources.Change{Trigger: storetest.Ticked}
				_, _ = r.gadgets.Fire(ctx, g.ID, storetest.Ticked,
					resources.Set(func(any) error { return end("Set", fired) }),
					resources.With(func(resources.Tx) error { return end("With", fired) }))
			})
			caller.Wait()
			if told == nil || !strings.Contains(told.Error(), "Goexit") {
				t.Errorf("After was told %v", told)
			}
			if n := len(r.records(t)); n != 1 || r.get(t, g.ID).Version != 1 {
				t.Errorf("%d events, version %d", n, r.get(t, g.ID).Version)
			}
			if _, err := r.gadgets.Update(ctx, g.ID, func(g *storetest.Gadget) error { g.Label = "new"; return nil }); err != nil {
				t.Errorf("the next call: %v", err)
			}
		})
	}
}
