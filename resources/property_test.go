package resources_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
)

// walker is a kind whose machine is drawn at random.
type walker struct {
	resources.Object
	Steps int `json:"steps"`
}

func (w *walker) Moved(_, _ fsm.State, _ fsm.Trigger) { w.Steps++ }

// drawMachine draws a machine of steady states, each with a transitional one on the way to the next, and some edges besides.
func drawMachine(t *rapid.T) *fsm.Machine {
	n := rapid.IntRange(1, 4).Draw(t, "steady states")
	steady := func(i int) fsm.State { return fsm.State(fmt.Sprint("s", i%n)) }
	going := func(i int) fsm.State { return fsm.State(fmt.Sprint("t", i%n)) }
	spec := fsm.Spec{Kind: "walker", Initial: fsm.States(steady(0)), Endless: true, Limits: map[fsm.State]time.Duration{}}
	for i := range n {
		failure := rapid.SampledFrom([]fsm.State{fsm.Origin, steady(i), going(i)}).Draw(t, "failure")
		spec.Limits[going(i)] = time.Minute
		spec.Edges = append(spec.Edges,
			fsm.Edge{From: fsm.States(steady(i)), On: "go", To: going(i)},
			fsm.Edge{From: fsm.States(going(i)), On: fsm.OperationSucceeded, To: steady(i + 1)},
			fsm.Edge{From: fsm.States(going(i)), On: fsm.OperationFailed, To: failure},
			fsm.Edge{From: fsm.States(going(i)), On: "go", To: fsm.Same},
		)
		if rapid.Bool().Draw(t, "jump") {
			to := steady(rapid.IntRange(0, n-1).Draw(t, "to"))
			spec.Edges = append(spec.Edges, fsm.Edge{From: fsm.States(steady(i)), On: "jump", To: to})
		}
		if rapid.Bool().Draw(t, "detour") {
			spec.Edges = append(spec.Edges, fsm.Edge{From: fsm.States(going(i)), On: "jump", To: going(i + 1)})
		}
	}
	m, err := fsm.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Whatever callers fire at whatever machine: versions without holes, one event a version, each leaving the state that the one before
// entered, and the last event's snapshot is the row.
func TestRandomWalksOfConcurrentCallers(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		machine := drawMachine(rt)
		r := newRig(t, resources.Options{})
		walkers, err := resources.Register[walker](r.engine, machine)
		if err != nil {
			rt.Fatal(err)
		}
		w, err := walkers.Create(ctx, walker{})
		if err != nil {
			rt.Fatal(err)
		}
		triggers := rapid.SliceOfN(rapid.SampledFrom(machine.Triggers()), 1, 20)
		walks := rapid.SliceOfN(triggers, 1, 4).Draw(rt, "walks")
		var all sync.WaitGroup
		for _, walk := range walks {
			all.Go(func() {
				for _, on := range walk {
					_, err := walkers.Fire(ctx, w.ID, on)
					var no *fsm.TransitionError
					if err != nil && !errors.As(err, &no) && !errors.Is(err, resources.ErrConflict) {
						rt.Error(err)
					}
				}
			})
		}
		all.Wait()
		checkHistory(rt, r, walkers, w.ID)
	})
}

func checkHistory(t *rapid.T, r *rig, walkers *resources.Kind[walker], id string) {
	row, err := walkers.Get(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	records, err := r.store.Journal().Read(ctx, 0, 100_000)
	if err != nil {
		t.Fatal(err)
	}
	var last resources.Changed[walker]
	for i, record := range records {
		var c resources.Changed[walker]
		if err := json.Unmarshal(record.Data, &c); err != nil {
			t.Fatal(err)
		}
		if record.Version != uint64(i)+1 || c.From != last.To || c.FromOrigin != last.Origin || c.Time.Before(last.Time) {
			t.Fatalf("event %d: %+v after %+v", i+1, c.Change, last.Change)
		}
		if transitional := machineClass(walkers, c.To) == fsm.Transitional; transitional == c.Resource.Operation.IsZero() {
			t.Fatalf("event %d: in %s with operation %q", i+1, c.To, c.Resource.Operation)
		}
		last = c
	}
	if uint64(len(records)) != row.Version || !reflect.DeepEqual(last.Resource, *row) || row.Steps != len(records)-1 {
		t.Fatalf("%d events, the last snapshot is\n%+v, the row\n%+v", len(records), last.Resource, *row)
	}
}

func machineClass(walkers *resources.Kind[walker], s fsm.State) fsm.Class {
	class, _ := walkers.Handle().Machine().Class(s)
	return class
}
