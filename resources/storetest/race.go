package storetest

import (
	"context"
	"errors"
	"math/rand/v2"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// concurrently runs fn(0) to fn(n-1) at once and waits for all.
func concurrently(n int, fn func(i int)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		all.Go(func() {
			<-start
			fn(i)
		})
	}
	close(start)
	all.Wait()
}

func testTwoCallers(t *testing.T, open Open) {
	r := newRig(t, open)
	for range 20 {
		g := r.create(t, Gadget{})
		before := len(r.records(t))
		must[GadgetChanged](t)(r.gadgets.Fire(t.Context(), g.ID, StartRequested))
		var moved, refused atomic.Int32
		concurrently(2, func(int) {
			_, err := r.gadgets.Fire(t.Context(), g.ID, Succeeded)
			var no *fsm.TransitionError
			switch {
			case err == nil:
				moved.Add(1)
			case errors.As(err, &no) && no.State == On && no.ID == g.ID:
				refused.Add(1)
			default:
				t.Errorf("Fire: %v", err)
			}
		})
		if moved.Load() != 1 || refused.Load() != 1 {
			t.Errorf("%d moved it and %d were told, want 1 and 1", moved.Load(), refused.Load())
		}
		if n := len(r.records(t)) - before; n != 2 {
			t.Errorf("%d events, want 2", n)
		}
	}
}

func testGapless(t *testing.T, open Open) {
	r := newRig(t, open)
	const callers, rounds = 8, 20
	var written atomic.Int64
	concurrently(callers, func(i int) {
		for n := range rounds {
			err := r.store.Do(t.Context(), func(tx resources.StoreTx) error {
				for range n % 3 {
					if _, err := tx.Append(note{}); err != nil {
						return err
					}
				}
				if n%4 == 3 {
					return errVeto
				}
				return nil
			})
			if n%4 != 3 {
				written.Add(int64(n % 3))
			}
			if (err != nil) != (n%4 == 3) {
				t.Errorf("Do: %v", err)
			}
		}
	})
	records := r.records(t)
	if int64(len(records)) != written.Load() {
		t.Errorf("%d records, want %d", len(records), written.Load())
	}
	first, last, err := r.store.Journal().Bounds(t.Context())
	if err != nil || first != 1 || last != uint64(len(records)) {
		t.Errorf("Bounds: %d, %d, %v", first, last, err)
	}
	for i := 1; i < len(records); i++ {
		if records[i].RecordedAt.Before(records[i-1].RecordedAt) {
			t.Errorf("record %d was recorded before its predecessor", i+1)
		}
	}
}

// testStorm has 16 callers move few resources at random, some of them vetoed, while a durable and a live subscription look on.
func testStorm(t *testing.T, open Open) {
	r := newRig(t, open)
	ids := make([]string, 6)
	for i := range ids {
		ids[i] = r.create(t, Gadget{}).ID
	}
	seen := watch(t, r)
	var changes atomic.Int64
	concurrently(16, func(i int) {
		random := rand.New(rand.NewPCG(1, uint64(i)))
		triggers := []fsm.Trigger{StartRequested, StopRequested, WakeRequested, Ticked, Succeeded, Failed}
		for range 40 {
			id, on := ids[random.IntN(len(ids))], triggers[random.IntN(len(triggers))]
			reason := ""
			if random.IntN(8) == 0 {
				reason = "veto"
			}
			changed, err := r.gadgets.Fire(t.Context(), id, on, resources.Reason(reason))
			if err == nil && changed.Changed() {
				changes.Add(1)
			}
			var no *fsm.TransitionError
			if err != nil && !errors.As(err, &no) && !errors.Is(err, errVeto) && !errors.Is(err, resources.ErrConflict) {
				t.Errorf("Fire: %v", err)
			}
		}
	})
	want := int(changes.Load()) + len(ids)
	if n := len(r.records(t)); n != want {
		t.Errorf("%d events for %d changes", n, want)
	}
	got := seen(want)
	for _, id := range ids {
		history := got[id]
		for i, e := range history {
			if e.Version != uint64(i)+1 {
				t.Fatalf("%s: event %d has version %d", id, i+1, e.Version)
			}
			if i > 0 && e.Payload.From != history[i-1].Payload.To {
				t.Errorf("%s: version %d left %s, version %d had entered %s", id, i+1, e.Payload.From, i, history[i-1].Payload.To)
			}
		}
		row := must[*Gadget](t)(r.gadgets.Get(t.Context(), id))
		if last := history[len(history)-1].Payload; !reflect.DeepEqual(last.Resource, *row) {
			t.Errorf("the last event's snapshot is\n%+v, the row\n%+v", last.Resource, *row)
		}
	}
}

// watch subscribes durably from the journal's beginning. seen waits until n events have come, and returns them by resource.
func watch(t *testing.T, r *rig) (seen func(n int) map[string][]bus.Event[GadgetChanged]) {
	t.Helper()
	events := make(chan bus.Event[GadgetChanged], 10_000)
	_, err := bus.Subscribe(r.bus.Client("suite"), func(_ context.Context, e bus.Event[GadgetChanged]) error {
		events <- e
		return nil
	}, bus.Durable("suite"), bus.From(0))
	if err != nil {
		t.Fatal(err)
	}
	return func(n int) map[string][]bus.Event[GadgetChanged] {
		t.Helper()
		byID := map[string][]bus.Event[GadgetChanged]{}
		late := time.After(20 * time.Second)
		for i := range n {
			select {
			case e := <-events:
				byID[e.ResourceID] = append(byID[e.ResourceID], e)
			case <-late:
				t.Fatalf("%d of %d events came", i, n)
			}
		}
		select {
		case e := <-events:
			t.Errorf("one event too many: %+v", e.Header)
		default:
		}
		return byID
	}
}

func testCancelled(t *testing.T, open Open) {
	r := newRig(t, open)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.gadgets.Create(gone, Gadget{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Create by a cancelled caller: %v", err)
	}
	if err := r.store.Do(gone, func(resources.StoreTx) error { t.Error("the member ran"); return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("Do by a cancelled caller: %v", err)
	}
	const callers, rounds = 8, 25
	ids := make([]string, callers)
	for i := range ids {
		ids[i] = r.create(t, Gadget{}).ID
	}
	var acknowledged [callers]atomic.Uint64
	concurrently(callers, func(i int) {
		for n := range rounds {
			ctx, cancel := context.WithCancel(t.Context())
			stop := func(resources.Tx) error { return nil }
			if i%2 == 1 && n%2 == 1 {
				stop = func(tx resources.Tx) error { // in the midst of the member
					cancel()
					if err := tx.Context().Err(); err != nil {
						t.Errorf("the member's context ended with its caller's: %v", err)
					}
					return nil
				}
			}
			_, err := r.gadgets.Fire(ctx, ids[i], Ticked, resources.With(stop))
			cancel()
			if err == nil {
				acknowledged[i].Add(1)
			} else if i%2 == 0 {
				t.Errorf("a caller who wasn't cancelled: %v", err)
			}
		}
	})
	// Members whose callers left may still be running: what comes after them has waited for them.
	if err := r.store.Do(t.Context(), func(resources.StoreTx) error { return nil }); err != nil {
		t.Fatal(err)
	}
	versions := 0
	for i, id := range ids {
		g := must[*Gadget](t)(r.gadgets.Get(t.Context(), id))
		if done := acknowledged[i].Load(); g.Version < done+1 || g.Version > rounds+1 {
			t.Errorf("caller %d: version %d after %d acknowledged moves of %d", i, g.Version, done, rounds)
		}
		versions += int(g.Version)
	}
	if n := len(r.records(t)); n != versions {
		t.Errorf("%d events for %d versions", n, versions)
	}
}

func testInWriter(t *testing.T, open Open) {
	r := newRig(t, open)
	g, other := r.create(t, Gadget{}), r.create(t, Gadget{})
	inside := resources.With(func(tx resources.Tx) error {
		ctx := tx.Context()
		_, created := r.gadgets.Create(ctx, Gadget{})
		_, fired := r.gadgets.Fire(ctx, other.ID, Ticked)
		_, updated := r.gadgets.Update(ctx, other.ID, func(g *Gadget) error { g.Label = "x"; return nil })
		done := r.store.Do(ctx, func(resources.StoreTx) error { t.Error("a member inside a member ran"); return nil })
		for what, err := range map[string]error{"Create": created, "Fire": fired, "Update": updated, "Do": done} {
			if !errors.Is(err, resources.ErrInWriter) {
				t.Errorf("%s: %v, want ErrInWriter", what, err)
			}
		}
		if _, err := r.gadgets.Get(ctx, other.ID); err != nil {
			t.Errorf("reading is allowed, but Get: %v", err)
		}
		return nil
	})
	began := time.Now()
	must[GadgetChanged](t)(r.gadgets.Fire(t.Context(), g.ID, Ticked, inside))
	if spent := time.Since(began); spent > 2*time.Second {
		t.Errorf("it took %v", spent)
	}
	if n := len(r.records(t)); n != 3 {
		t.Errorf("%d events, want 3", n)
	}
}

func testVM(t *testing.T, open Open) {
	r := newRig(t, open)
	vms, err := resources.Register[vm.VM](r.engine, vm.Machine)
	if err != nil {
		t.Fatal(err)
	}
	v := must[*vm.VM](t)(vms.Create(t.Context(), vm.VM{Object: resources.Object{Tenant: "acme", Name: "web"}, CPUs: 2, MemoryMiB: 4096}))
	for _, on := range []fsm.Trigger{vm.StartRequested, vm.OperationSucceeded, vm.StopRequested, vm.OperationFailed, vm.ReportStopped} {
		must[vm.Changed](t)(vms.Fire(t.Context(), v.ID, on))
	}
	v = must[*vm.VM](t)(vms.Get(t.Context(), v.ID))
	if v.State != vm.Stopped || v.Version != 6 || !v.EverRan || v.CPUs != 2 || !v.Operation.IsZero() || v.Origin != "" {
		t.Errorf("at the end: %+v", v)
	}
}
