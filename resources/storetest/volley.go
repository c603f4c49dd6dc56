package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/cloudbus-go/cloudbus/resources"
)

// testVolley: a batch of moves is written as one Fire after the other would be.
func testVolley(t *testing.T, open Open) {
	r := newRig(t, open)
	var shots []resources.Shot
	for i := range 30 {
		id := fmt.Sprintf("g%02d", i)
		r.create(t, Gadget{Object: resources.Object{ID: id}})
		shots = append(shots, resources.Shot{Kind: "gadget", ID: id, Trigger: StartRequested}, resources.Shot{Kind: "gadget", ID: id, Trigger: Succeeded})
	}
	shots = append(shots, resources.Shot{Kind: "gadget", ID: "nobody", Trigger: Ticked}, resources.Shot{Kind: "gadget", ID: "g00", Trigger: Succeeded})
	fired := must[[]resources.Fired](t)(r.engine.FireBatch(t.Context(), shots))
	for i, f := range fired[:60] {
		if f.Err != nil || f.Change.Version != uint64(i%2)+2 {
			t.Errorf("shot %d: %+v", i, f)
		}
	}
	if !errors.Is(fired[60].Err, resources.ErrNotFound) || fired[61].Err == nil {
		t.Errorf("what can't move: %v, %v", fired[60].Err, fired[61].Err)
	}
	for i := range 30 {
		if g := must[*Gadget](t)(r.gadgets.Get(t.Context(), fmt.Sprintf("g%02d", i))); g.State != On || g.Version != 3 || g.Starts != 1 {
			t.Errorf("%+v", g)
		}
	}
	if n := len(r.records(t)); n != 90 {
		t.Errorf("%d events, want 90", n)
	}
}

// testVolleyRace: batches and single moves at the same resources lose nothing.
func testVolleyRace(t *testing.T, open Open) {
	r := newRig(t, open)
	var shots []resources.Shot
	for i := range 8 {
		id := fmt.Sprint("g", i)
		r.create(t, Gadget{Object: resources.Object{ID: id}})
		shots = append(shots, resources.Shot{Kind: "gadget", ID: id, Trigger: Ticked})
	}
	const rounds = 10
	var all sync.WaitGroup
	for worker := range 2 {
		all.Go(func() {
			for range rounds {
				if worker == 0 {
					err := resources.ErrConflict
					for errors.Is(err, resources.ErrConflict) { // eight of the batch's moves may come in between
						_, err = r.gadgets.Fire(t.Context(), "g3", Ticked)
					}
					if err != nil {
						t.Error(err)
					}
					continue
				}
				if _, err := r.engine.FireBatch(t.Context(), shots); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if g := must[*Gadget](t)(r.gadgets.Get(t.Context(), "g3")); g.Version != 1+2*rounds {
		t.Errorf("g3 is at version %d, want %d", g.Version, 1+2*rounds)
	}
	if n := len(r.records(t)); n != 8+9*rounds {
		t.Errorf("%d events, want %d", n, 8+9*rounds)
	}
}
