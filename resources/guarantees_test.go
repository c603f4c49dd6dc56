package resources_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/storetest"
)

type trigger = fsm.Trigger

var ctx = context.Background()

func TestOneChangeOneVersionOneEvent(t *testing.T) {
	r := newRig(t, resources.Options{})
	g := r.create(t, storetest.Gadget{})
	moved := r.fire(t, g.ID, "start_requested")
	updated, err := r.gadgets.Update(ctx, g.ID, func(g *storetest.Gadget) error { g.Label = "new"; return nil })
	if err != nil {
		t.Fatal(err)
	}
	records := r.records(t)
	types := []string{"gadget.created", "gadget.state.starting", "gadget.updated"}
	if len(records) != len(types) {
		t.Fatalf("%d events, want %d", len(records), len(types))
	}
	for i, want := range types {
		if h := records[i].Header; h.Type != want || h.Version != uint64(i)+1 || h.Subject() != "gadget/"+g.ID {
			t.Errorf("event %d: %s, version %d, of %s", i+1, h.Type, h.Version, h.Subject())
		}
	}
	if records[1].ID != moved.ID || records[2].ID != updated.ID {
		t.Error("the events' ids are not the changes'")
	}
	if now := r.get(t, g.ID); now.Version != 3 || updated.Resource.Label != "new" || updated.Version != 3 {
		t.Errorf("row at %d, change %+v", now.Version, updated)
	}
}

func TestAllOrNothing(t *testing.T) {
	var outcomes []error
	r := newRig(t, resources.Options{Listeners: []resources.Listener{
		listeners.Funcs{
			ListenerName: "quota",
			OnInTx: func(_ context.Context, tx resources.Tx, c resources.Change) error {
				if c.Reason == "too much" {
					return errors.New("quota exceeded")
				}
				return nil
			},
			OnAfter: func(_ context.Context, _ resources.Change, err error) { outcomes = append(outcomes, err) },
		},
	}})
	g := r.create(t, storetest.Gadget{})
	_, err := r.gadgets.Fire(ctx, g.ID, "start_requested", resources.Reason("too much"))
	var veto *resources.VetoError
	if !errors.As(err, &veto) || veto.Listener != "quota" || veto.ID != g.ID || veto.Trigger != "start_requested" {
		t.Fatalf("Fire: %v, want quota's veto", err)
	}
	ran := 0
	own := resources.With(func(resources.Tx) error { ran++; return resources.ErrConflict })
	if _, err := r.gadgets.Fire(ctx, g.ID, "start_requested", own); !errors.Is(err, resources.ErrConflict) || ran != 1 {
		t.Errorf("a conflict of the caller's own: %v, after %d tries", err, ran)
	}
	if got := r.get(t, g.ID); !reflect.DeepEqual(got, g) {
		t.Errorf("the row is %+v", got)
	}
	if n := len(r.records(t)); n != 1 {
		t.Errorf("%d events, want 1", n)
	}
	if len(outcomes) != 3 || outcomes[0] != nil || !errors.As(outcomes[1], &veto) {
		t.Errorf("After learnt %v", outcomes)
	}
}

// overtake is a before-listener that lets somebody else change the resource first, so many times.
type overtake struct {
	times int
	by    func()
	asked int
}

func (o *overtake) Name() string { return "overtake" }

func (o *overtake) Before(context.Context, resources.Change) error {
	o.asked++
	if o.asked <= o.times {
		o.by()
	}
	return nil
}

func TestTwoCallers(t *testing.T) {
	for _, test := range []struct {
		name  string
		times int
		by    trigger
		check func(err error) bool
		asked int
	}{
		{"overtaken 7 times, moved", 7, "ticked", func(err error) bool { return err == nil }, 8},
		{"overtaken 8 times", 8, "ticked", func(err error) bool { return errors.Is(err, resources.ErrConflict) }, 8},
		{"the other was first", 1, "scrap_requested", func(err error) bool {
			var no *fsm.TransitionError
			return errors.As(err, &no) && no.State == storetest.Scrapping && slices.Contains(no.Allowed, fsm.OperationSucceeded)
		}, 1},
		{"the other did the same", 1, "start_requested", func(err error) bool { return err == nil }, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			var o overtake
			r := newRig(t, resources.Options{})
			slow, err := resources.New(resources.Options{Store: r.store, Bus: r.bus, Logger: quiet, Listeners: []resources.Listener{listeners.Post(), &o}})
			if err != nil {
				t.Fatal(err)
			}
			gadgets, err := resources.Register[storetest.Gadget](slow, storetest.Machine)
			if err != nil {
				t.Fatal(err)
			}
			g := r.create(t, storetest.Gadget{})
			o = overtake{times: test.times, by: func() { r.fire(t, g.ID, string(test.by)) }}
			_, err = gadgets.Fire(ctx, g.ID, "start_requested")
			if !test.check(err) || o.asked != test.asked {
				t.Errorf("Fire: %v, after %d questions", err, o.asked)
			}
			if n := slow.Stats().Conflicts; n != uint64(test.times) {
				t.Errorf("%d conflicts counted, want %d", n, test.times)
			}
			if n := uint64(len(r.records(t))); n != r.get(t, g.ID).Version {
				t.Errorf("%d events, version %d", n, r.get(t, g.ID).Version)
			}
		})
	}
}

func TestNothingInVain(t *testing.T) {
	var after []resources.Change
	r := newRig(t, resources.Options{Listeners: []resources.Listener{listeners.Funcs{
		ListenerName: "after",
		OnAfter:      func(_ context.Context, c resources.Change, _ error) { after = append(after, c) },
	}}})
	g := r.create(t, storetest.Gadget{Label: "x"})
	c := r.fire(t, g.ID, "stop_requested")
	if c.Action != resources.Unchanged || c.Changed() || c.Event() != nil || c.From != storetest.Off || c.To != storetest.Off || c.Version != 1 || c.Resource.Label != "x" {
		t.Errorf("a Same edge: %+v", c)
	}
	if last := after[len(after)-1]; last.Action != resources.Unchanged {
		t.Errorf("After saw %+v", last)
	}
	same := func(g *storetest.Gadget) error { g.Label = "x"; return nil }
	if c, err := r.gadgets.Update(ctx, g.ID, same); err != nil || c.Changed() {
		t.Errorf("an Update that alters nothing: %+v, %v", c, err)
	}
	with := resources.With(func(resources.Tx) error { t.Error("With ran"); return nil })
	for name, call := range map[string]func() error{
		"Fire with Set": func() error {
			_, err := r.gadgets.Fire(ctx, g.ID, "stop_requested", r.gadgets.Set(same))
			return err
		},
		"Fire with With": func() error {
			_, err := r.gadgets.Fire(ctx, g.ID, "stop_requested", with)
			return err
		},
		"Update with With": func() error {
			_, err := r.gadgets.Update(ctx, g.ID, same, with)
			return err
		},
	} {
		if err := call(); !errors.Is(err, resources.ErrNoEffect) || !strings.Contains(err.Error(), "gadget/"+g.ID) {
			t.Errorf("%s: %v, want ErrNoEffect", name, err)
		}
	}
	if got := r.get(t, g.ID); !reflect.DeepEqual(got, g) || len(r.records(t)) != 1 {
		t.Errorf("row %+v, %d events", got, len(r.records(t)))
	}
}

func TestOperations(t *testing.T) {
	r := newRig(t, resources.Options{})
	g := r.create(t, storetest.Gadget{})
	start := r.fire(t, g.ID, "start_requested")
	if row := r.get(t, g.ID); start.Operation != start.ID || row.Operation != start.ID || row.Origin != storetest.Off {
		t.Fatalf("entering: change %+v, row %+v", start.Change, row)
	}
	label := func(g *storetest.Gadget) error { g.Label = "half way"; return nil }
	if c, err := r.gadgets.Update(ctx, g.ID, label); err != nil || c.Operation != start.ID || c.Resource.Operation != start.ID {
		t.Errorf("an Update carries it on: %+v, %v", c.Change, err)
	}

	var stale *resources.StaleError
	_, err := r.gadgets.Fire(ctx, g.ID, fsm.OperationSucceeded, resources.Operation(g.Peer))
	if err == nil || errors.Is(err, resources.ErrStale) {
		t.Errorf("a zero operation: %v, want an InvalidError", err)
	}
	other := bus.NewID(time.Now())
	_, err = r.gadgets.Fire(ctx, g.ID, fsm.OperationSucceeded, resources.Operation(other))
	if !errors.Is(err, resources.ErrStale) || !errors.As(err, &stale) || stale.Operation != other || stale.Current != start.ID {
		t.Errorf("another operation: %v", err)
	}
	done := r.fire(t, g.ID, "operation_succeeded", resources.Operation(start.ID))
	if row := r.get(t, g.ID); done.Operation != start.ID || !row.Operation.IsZero() || row.Origin != "" || row.State != storetest.On {
		t.Errorf("ending: change %+v, row %+v", done.Change, row)
	}
	_, err = r.gadgets.Fire(ctx, g.ID, fsm.OperationSucceeded, resources.Operation(start.ID))
	if !errors.Is(err, resources.ErrStale) {
		t.Errorf("its outcome again: %v, want ErrStale", err)
	}

	scrap := r.fire(t, g.ID, "scrap_requested")
	r.clock.advance(time.Minute)
	again := r.fire(t, g.ID, "operation_failed", resources.Operation(scrap.ID))
	row := r.get(t, g.ID)
	if again.Action != resources.Moved || again.ID == scrap.ID || again.Operation != scrap.ID || row.Operation != scrap.ID ||
		!row.StateSince.Equal(scrap.Time) || row.Origin != storetest.On || !again.Since.Equal(scrap.Time) {
		t.Errorf("a move to itself: change %+v, row %+v", again.Change, row)
	}
	gone := r.fire(t, g.ID, "operation_succeeded", resources.Operation(scrap.ID))
	if row := r.get(t, g.ID); !row.RemovedAt.Equal(gone.Time) || !row.Operation.IsZero() {
		t.Errorf("the end: %+v", row)
	}
}

// A kind that begins in the midst of an operation: a host is connecting when it is first heard of.
func TestOperationOfABeginning(t *testing.T) {
	r := newRig(t, resources.Options{})
	hosts, err := resources.Register[plain](r.engine, fsm.MustNew(fsm.Spec{
		Kind: "host", Initial: fsm.States("connecting"), Final: fsm.States("removed"),
		Limits: map[fsm.State]time.Duration{"connecting": time.Minute},
		Edges: []fsm.Edge{
			{From: fsm.States("connecting"), On: fsm.OperationSucceeded, To: "up"},
			{From: fsm.States("connecting"), On: fsm.OperationFailed, To: "down"},
			{From: fsm.States("up", "down"), On: "remove_requested", To: "removed"},
		},
	}))
	if err != nil {
		t.Fatal(err)
	}
	host, err := hosts.Create(ctx, plain{})
	if err != nil || host.State != "connecting" || host.Operation.IsZero() {
		t.Fatalf("Create: %+v, %v", host, err)
	}
	if created := r.records(t)[0]; created.ID != host.Operation {
		t.Errorf("its operation is %s, the event's id %s", host.Operation, created.ID)
	}
	c, err := hosts.Fire(ctx, host.ID, fsm.OperationSucceeded, resources.Operation(host.Operation))
	if err != nil || c.Operation != host.Operation || !c.Resource.Operation.IsZero() {
		t.Errorf("Fire: %+v, %v", c, err)
	}
}

func TestTime(t *testing.T) {
	r := newRig(t, resources.Options{})
	noon := r.clock.read()
	g := r.create(t, storetest.Gadget{})
	if !g.CreatedAt.Equal(noon) || !g.StateSince.Equal(noon) || !g.UpdatedAt.Equal(noon) || !g.RemovedAt.IsZero() {
		t.Fatalf("created: %+v", g)
	}
	past := time.Date(2017, 5, 16, 0, 0, 1, 0, time.FixedZone("cet", 3600))
	replayed, err := r.gadgets.Create(ctx, storetest.Gadget{}, resources.At(past))
	if err != nil || !replayed.CreatedAt.Equal(past) || !replayed.StateSince.Equal(past) || replayed.CreatedAt.Location() != time.UTC {
		t.Fatalf("created in the past: %+v, %v", replayed, err)
	}
	c := r.fire(t, replayed.ID, "start_requested", resources.At(past.Add(time.Second)))
	if !c.Time.Equal(past.Add(time.Second)) || !c.Since.Equal(past) || !c.Resource.StateSince.Equal(c.Time) {
		t.Errorf("moved in the past: %+v", c.Change)
	}
	if n := r.engine.Stats().Lifted; n != 0 {
		t.Errorf("%d lifted so far", n)
	}
	lifted := r.fire(t, replayed.ID, "operation_succeeded", resources.At(past))
	if !lifted.Time.Equal(c.Time) || !lifted.Resource.StateSince.Equal(c.Time) || r.engine.Stats().Lifted != 1 {
		t.Errorf("earlier than its state: %+v, %d lifted", lifted.Change, r.engine.Stats().Lifted)
	}
	updated, err := r.gadgets.Update(ctx, replayed.ID, func(g *storetest.Gadget) error { g.Label = "new"; return nil }, resources.At(past))
	if err != nil || !updated.Time.Equal(c.Time) || r.engine.Stats().Lifted != 2 {
		t.Errorf("updated earlier than its state: %+v, %v, %d lifted", updated.Change, err, r.engine.Stats().Lifted)
	}
	records := r.records(t)
	if last := records[len(records)-1]; !last.Time.Equal(c.Time) {
		t.Errorf("the event's time is %v, want %v", last.Time, c.Time)
	}
	tick := r.fire(t, replayed.ID, "ticked")
	if !tick.Resource.StateSince.Equal(c.Time) || !tick.Resource.UpdatedAt.Equal(noon) {
		t.Errorf("a move to itself: %+v", tick.Resource.Object)
	}
	back := r.fire(t, replayed.ID, "ticked", resources.At(c.Time.Add(time.Second)))
	if !back.Time.Equal(c.Time.Add(time.Second)) || !back.Resource.UpdatedAt.Equal(noon) {
		t.Errorf("updated_at fell: %+v", back.Resource.Object)
	}
}
