package storetest

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
)

func testRoundTrip(t *testing.T, open Open) {
	r := newRig(t, open)
	zone := time.FixedZone("east", 5*3600)
	for name, g := range map[string]Gadget{
		"zero": {},
		"full": {
			Object: resources.Object{ID: "größe-1", Tenant: "acme", Name: "ein 'Name' with \"quotes\", % and ☃"},
			Label:  "two\nlines", Grade: "a", Size: math.MaxInt64, Small: math.MinInt32, Parts: math.MaxUint32, Ratio: 0.1, Shiny: true,
			Due: time.Date(2031, 1, 2, 3, 4, 5, 678_901_234, zone), Peer: bus.NewID(time.Now()), Tags: []string{"x", ""}, Password: "pw",
		},
		"lowest": {Size: 0, Small: -1, Ratio: -math.MaxFloat64, Due: time.Date(1700, 1, 1, 0, 0, 0, 1, time.UTC)},
	} {
		t.Run(name, func(t *testing.T) {
			made := r.create(t, g)
			want := g
			want.Object = made.Object
			want.Due = want.Due.UTC()
			if !reflect.DeepEqual(*made, want) {
				t.Errorf("Create returned\n%+v, want\n%+v", *made, want)
			}
			got := must[*Gadget](t)(r.gadgets.Get(t.Context(), made.ID))
			if !reflect.DeepEqual(got, made) {
				t.Errorf("Get returned\n%+v, want\n%+v", *got, *made)
			}
		})
	}
}

func testExists(t *testing.T, open Open) {
	r := newRig(t, open)
	first := r.create(t, Gadget{Object: resources.Object{ID: "g1"}, Label: "first"})
	_, err := r.gadgets.Create(t.Context(), Gadget{Object: resources.Object{ID: "g1"}})
	checkNamed(t, "Create with a taken id", err, resources.ErrExists, "gadget/g1")
	if got := must[*Gadget](t)(r.gadgets.Get(t.Context(), "g1")); !reflect.DeepEqual(got, first) {
		t.Errorf("the first one is now %+v", got)
	}
	if n := len(r.records(t)); n != 1 {
		t.Errorf("%d events, want 1", n)
	}
}

func testNotFound(t *testing.T, open Open) {
	r := newRig(t, open)
	_, err := r.gadgets.Get(t.Context(), "nobody")
	checkNamed(t, "Get", err, resources.ErrNotFound, "gadget/nobody")
	_, err = r.gadgets.Fire(t.Context(), "nobody", Ticked)
	checkNamed(t, "Fire", err, resources.ErrNotFound, "gadget/nobody")
	err = r.store.Do(t.Context(), func(tx resources.StoreTx) error {
		if _, err := tx.Load(r.gadgets.Handle().Info(), "nobody"); !errors.Is(err, resources.ErrNotFound) {
			t.Errorf("Load in a member: %v, want ErrNotFound", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// checkNamed wants an error that names its resource, once: people read it.
func checkNamed(t *testing.T, call string, err, want error, resource string) {
	t.Helper()
	if !errors.Is(err, want) || strings.Count(err.Error(), resource) != 1 {
		t.Errorf("%s: %v, want %q that names %s once", call, err, want, resource)
	}
}

func testCopies(t *testing.T, open Open) {
	r := newRig(t, open)
	given := Gadget{Label: "kept", Tags: []string{"kept"}}
	made := r.create(t, given)
	given.Tags[0] = "spoilt"
	made.Label, made.Tags[0] = "spoilt", "spoilt"
	read := must[*Gadget](t)(r.gadgets.Get(t.Context(), made.ID))
	if read.Label != "kept" || read.Tags[0] != "kept" {
		t.Fatalf("Get after the caller altered his: %+v", read)
	}
	read.Tags[0] = "spoilt"
	page := must[resources.Page[Gadget]](t)(r.gadgets.List(t.Context(), resources.Query{}))
	if page.Items[0].Tags[0] != "kept" {
		t.Errorf("List after the caller altered his: %+v", page.Items[0])
	}
}

func testVersionGuard(t *testing.T, open Open) {
	r := newRig(t, open)
	g, info := r.create(t, Gadget{Label: "old"}), r.gadgets.Handle().Info()
	update := func(id string, version uint64) error {
		next := *g
		next.ID, next.Label, next.Version = id, "new", version+1
		return r.store.Do(t.Context(), func(tx resources.StoreTx) error { return tx.Update(info, &next, version) })
	}
	for _, wrong := range []uint64{0, 2, 7} {
		if err := update(g.ID, wrong); !errors.Is(err, resources.ErrConflict) {
			t.Errorf("Update of version %d: %v, want ErrConflict", wrong, err)
		}
	}
	if err := update("nobody", 1); !errors.Is(err, resources.ErrConflict) {
		t.Errorf("Update of what isn't there: %v, want ErrConflict", err)
	}
	if got := must[*Gadget](t)(r.gadgets.Get(t.Context(), g.ID)); got.Label != "old" {
		t.Errorf("a refused Update wrote: %+v", got)
	}
	if err := update(g.ID, 1); err != nil {
		t.Errorf("Update of the right version: %v", err)
	}
	if got := must[*Gadget](t)(r.gadgets.Get(t.Context(), g.ID)); got.Label != "new" || got.Version != 2 {
		t.Errorf("after the Update: %+v", got)
	}
}

func testMemberView(t *testing.T, open Open) {
	r := newRig(t, open)
	g, info := r.create(t, Gadget{Label: "old"}), r.gadgets.Handle().Info()
	err := r.store.Do(t.Context(), func(tx resources.StoreTx) error {
		next := *g
		next.Label, next.Version = "new", 2
		if err := tx.Update(info, &next, 1); err != nil {
			return err
		}
		mine, err := tx.Load(info, g.ID)
		if err != nil {
			return err
		}
		if mine.(*Gadget).Label != "new" {
			t.Errorf("the member reads %+v", mine)
		}
		theirs, err := r.store.Load(t.Context(), info, g.ID)
		if err != nil {
			return err
		}
		if theirs.(*Gadget).Label != "old" {
			t.Errorf("others read %+v before the commit", theirs)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func testTxOver(t *testing.T, open Open) {
	r := newRig(t, open)
	g, info := r.create(t, Gadget{}), r.gadgets.Handle().Info()
	var store resources.StoreTx
	if err := r.store.Do(t.Context(), func(tx resources.StoreTx) error { store = tx; return nil }); err != nil {
		t.Fatal(err)
	}
	next := *g
	next.Version = 2
	if err := store.Update(info, &next, 1); err == nil {
		t.Error("Update through a member that is over succeeded")
	}
	if err := store.Insert(info, &Gadget{Object: resources.Object{ID: "late"}}); err == nil {
		t.Error("Insert through a member that is over succeeded")
	}
	if _, err := store.Append(GadgetChanged{Change: resources.Change{Action: resources.Updated, Kind: "gadget"}}); err == nil {
		t.Error("Append through a member that is over succeeded")
	}
	var kept resources.Tx
	keep := resources.With(func(tx resources.Tx) error { kept = tx; return nil })
	must[GadgetChanged](t)(r.gadgets.Fire(t.Context(), g.ID, Ticked, keep))
	if _, err := kept.Append(note{}); !errors.Is(err, resources.ErrTxDone) {
		t.Errorf("Append through With's Tx afterwards: %v, want ErrTxDone", err)
	}
	if n := len(r.records(t)); n != 2 {
		t.Errorf("%d events, want 2", n)
	}
}

func testCountStates(t *testing.T, open Open) {
	r := newRig(t, open)
	for range 3 {
		r.create(t, Gadget{})
	}
	must[GadgetChanged](t)(r.gadgets.Fire(t.Context(), r.create(t, Gadget{}).ID, StartRequested))
	got := must[map[fsm.State]int64](t)(r.gadgets.Handle().CountStates(t.Context()))
	if want := (map[fsm.State]int64{Off: 3, Starting: 1}); !reflect.DeepEqual(got, want) {
		t.Errorf("CountStates: %v, want %v", got, want)
	}
}

func testUnknownStates(t *testing.T, open Open) {
	store := open(t)
	older := spec()
	older.Edges = append(older.Edges,
		fsm.Edge{From: fsm.States(On), On: "lend_requested", To: "lent"},
		fsm.Edge{From: fsm.States("lent"), On: "return_requested", To: On})
	older.Initial = fsm.States(Off, "lent")
	first := newEngine(t, store)
	gadgets, err := resources.Register[Gadget](first.engine, fsm.MustNew(older))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := gadgets.Create(t.Context(), Gadget{Object: resources.Object{State: "lent"}}); err != nil {
			t.Fatal(err)
		}
	}
	first.close(t)

	second := newEngine(t, store)
	_, err = resources.Register[Gadget](second.engine, Machine)
	var unknown *resources.StatesError
	if !errors.As(err, &unknown) || unknown.Counts["lent"] != 2 || len(unknown.Counts) != 1 {
		t.Fatalf("Register: %v, want a StatesError that counts 2 in lent", err)
	}
	if _, err := resources.Register[Gadget](second.engine, fsm.MustNew(older)); err != nil {
		t.Errorf("Register with the machine that knows them: %v", err)
	}
}

// note is an event of the caller's own.
type note struct{ Text string }

func (note) EventType() string { return "note.taken" }

var errVeto = errors.New("vetoed")
