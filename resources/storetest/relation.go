package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
)

func (r *rig) parts(t *testing.T) *resources.Kind[Part] {
	t.Helper()
	return must[*resources.Kind[Part]](t)(resources.Register[Part](r.engine, PartMachine))
}

// testMemberReads looks from inside of a transaction, by the store's methods and by those that listeners have.
func testMemberReads(t *testing.T, open Open) {
	r := newRig(t, open)
	info := r.gadgets.Handle().Info()
	for i, label := range []string{"red", "red", "blue", "red"} {
		r.create(t, Gadget{Object: resources.Object{ID: fmt.Sprint("g", i)}, Label: label, Password: "secret"})
	}
	undo := errors.New("undo")
	err := r.store.Do(t.Context(), func(tx resources.StoreTx) error {
		if _, err := tx.State(info, "nobody"); !errors.Is(err, resources.ErrNotFound) {
			t.Errorf("the state of what isn't there: %v, want ErrNotFound", err)
		}
		next := *must[*Gadget](t)(r.gadgets.Get(t.Context(), "g0"))
		next.Label, next.State, next.Version = "blue", On, 2
		fresh := next
		fresh.ID, fresh.Label, fresh.Version = "g00", "red", 1
		if err := errors.Join(tx.Update(info, &next, 1), tx.Insert(info, &fresh), tx.Delete(info, "g1", 1)); err != nil {
			return err
		}
		if state, err := tx.State(info, "g0"); err != nil || state != On {
			t.Errorf("the state of what was moved is %q, %v", state, err)
		}
		if _, err := tx.State(info, "g1"); !errors.Is(err, resources.ErrNotFound) {
			t.Errorf("the state of what was deleted: %v, want ErrNotFound", err)
		}
		for want, q := range map[string]resources.Query{
			"[g0 g00 g2 g3]": {Limit: 9},
			"[g00 g3]":       {Limit: 9, Where: map[string]any{"label": "red"}},
			"[g0 g00]":       {Limit: 9, States: fsm.States(On)},
			"[g00 g2]":       {Limit: 2, After: "g0"},
			"[]":             {Limit: 9, Where: map[string]any{"label": "green"}},
		} {
			found, err := tx.List(info, q)
			if got := fmt.Sprint(idsOf(found)); err != nil || got != want {
				t.Errorf("List(%+v): %s, %v, want %s", q, got, err, want)
			}
		}
		found, err := tx.List(info, resources.Query{Limit: 1})
		if err != nil || len(found) != 1 {
			t.Fatalf("List: %v, %v", found, err)
		}
		found[0].(*Gadget).Label = "spoilt"
		again, err := tx.Load(info, "g0")
		if err != nil || again.(*Gadget).Label != "blue" || again.(*Gadget).Password != "secret" {
			t.Errorf("a caller that altered what he had listed altered the row: %+v, %v", again, err)
		}
		return undo
	})
	if !errors.Is(err, undo) {
		t.Fatal(err)
	}
	if page := must[resources.Page[Gadget]](t)(r.gadgets.List(t.Context(), resources.Query{})); len(page.Items) != 4 || page.Items[0].Label != "red" {
		t.Errorf("after the rollback there are %d, the first is %+v", len(page.Items), page.Items[0])
	}
}

func testMemberPages(t *testing.T, open Open) {
	r := newRig(t, open)
	all := make([]Gadget, 250)
	for i := range all {
		all[i].ID = fmt.Sprintf("g%03d", i)
	}
	if _, err := r.gadgets.CreateBatch(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	var kept resources.Tx
	look := resources.With(func(tx resources.Tx) error {
		kept = tx
		var got []string
		q := resources.Query{}
		for {
			page, err := tx.Resources("gadget", q)
			if err != nil {
				return err
			}
			if got = append(got, idsOf(page)...); len(page) < 100 {
				break
			}
			q.After = got[len(got)-1]
		}
		if len(got) != 250 || !slices.IsSorted(got) {
			t.Errorf("%d gadgets in pages of 100, sorted: %v", len(got), slices.IsSorted(got))
		}
		first, err := tx.Resource("gadget", "g000")
		if err != nil || first.(*Gadget).State != Starting {
			t.Errorf("the transaction reads %+v, %v, want what it wrote", first, err)
		}
		if state, err := tx.State("gadget", "g000"); err != nil || state != Starting {
			t.Errorf("the transaction reads %q, %v, want what it wrote", state, err)
		}
		_, missing := tx.Resource("gadget", "nobody")
		checkNamed(t, "Resource", missing, resources.ErrNotFound, "gadget/nobody")
		_, missing = tx.State("gadget", "nobody")
		checkNamed(t, "State", missing, resources.ErrNotFound, "gadget/nobody")
		var unknown *resources.UnknownError
		if _, err := tx.Resource("gizmo", "x"); !errors.As(err, &unknown) || !slices.Contains(unknown.Known, "gadget") {
			t.Errorf("a kind that isn't registered: %v", err)
		}
		var invalid *resources.InvalidError
		if _, err := tx.Resources("gadget", resources.Query{Limit: 1001}); !errors.As(err, &invalid) {
			t.Errorf("a page too large: %v, want an InvalidError", err)
		}
		if _, err := tx.Resources("gadget", where("wheels", 4)); !errors.As(err, &unknown) {
			t.Errorf("a field that isn't there: %v, want an UnknownError", err)
		}
		return nil
	})
	must[GadgetChanged](t)(r.gadgets.Fire(t.Context(), "g000", StartRequested, look))
	for what, read := range map[string]func() error{
		"Resource":  func() error { _, err := kept.Resource("gadget", "g000"); return err },
		"State":     func() error { _, err := kept.State("gadget", "g000"); return err },
		"Resources": func() error { _, err := kept.Resources("gadget", resources.Query{}); return err },
	} {
		if err := read(); !errors.Is(err, resources.ErrTxDone) {
			t.Errorf("%s afterwards: %v, want ErrTxDone", what, err)
		}
	}
}

func testRelations(t *testing.T, open Open) {
	r := newRig(t, open)
	parts := r.parts(t)
	r.create(t, Gadget{Object: resources.Object{ID: "g"}})
	r.create(t, Gadget{Object: resources.Object{ID: "old"}})
	for _, on := range []fsm.Trigger{ScrapRequested, Succeeded} {
		must[GadgetChanged](t)(r.gadgets.Fire(t.Context(), "old", on))
	}
	must[*Part](t)(parts.Create(t.Context(), Part{Object: resources.Object{ID: "p"}, GadgetID: "g"}))
	before := len(r.records(t))
	to := func(gadget string) func(*Part) error { return func(p *Part) error { p.GadgetID = gadget; return nil } }
	for name, test := range map[string]struct {
		call   func() error
		target string
		state  fsm.State
	}{
		"created, no such":   {func() error { _, err := parts.Create(t.Context(), Part{GadgetID: "x"}); return err }, "x", ""},
		"created, final":     {func() error { _, err := parts.Create(t.Context(), Part{GadgetID: "old"}); return err }, "old", Gone},
		"in a batch":         {func() error { _, err := parts.CreateBatch(t.Context(), []Part{{}, {GadgetID: "x"}}); return err }, "x", ""},
		"updated, no such":   {func() error { _, err := parts.Update(t.Context(), "p", to("x")); return err }, "x", ""},
		"updated, final":     {func() error { _, err := parts.Update(t.Context(), "p", to("old")); return err }, "old", Gone},
		"set while it moves": {func() error { _, err := parts.Fire(t.Context(), "p", FitRequested, parts.Set(to("x"))); return err }, "x", ""},
		"no id at all":       {func() error { _, err := parts.Update(t.Context(), "p", to("a b")); return err }, "a b", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var refused *resources.RelationError
			err := test.call()
			if !errors.As(err, &refused) || refused.Kind != "part" || refused.Field != "gadget_id" || refused.TargetKind != "gadget" ||
				refused.TargetID != test.target || refused.State != test.state {
				t.Fatalf("%v, want a RelationError for gadget/%s in %q", err, test.target, test.state)
			}
		})
	}
	if n := len(r.records(t)); n != before {
		t.Errorf("what was refused left %d events", n-before)
	}
	if page := must[resources.Page[Part]](t)(parts.List(t.Context(), resources.Query{})); len(page.Items) != 1 || page.Items[0].GadgetID != "g" || page.Items[0].Version != 1 {
		t.Errorf("what was refused left %+v", page.Items)
	}
	// What isn't altered isn't looked at: the gadget goes, the part that names it moves on.
	for _, on := range []fsm.Trigger{ScrapRequested, Succeeded} {
		must[GadgetChanged](t)(r.gadgets.Fire(t.Context(), "g", on))
	}
	must[PartChanged](t)(parts.Fire(t.Context(), "p", FitRequested))
	must[PartChanged](t)(parts.Update(t.Context(), "p", to("")))
	// Of its own kind, in the same batch, and itself.
	made := must[[]*Part](t)(parts.CreateBatch(t.Context(), []Part{
		{Object: resources.Object{ID: "a"}}, {SpareFor: "a"}, {Object: resources.Object{ID: "z"}, SpareFor: "z"},
	}))
	if len(made) != 3 || made[1].SpareFor != "a" {
		t.Errorf("a batch whose parts name one another: %+v", made)
	}
	var refused *resources.RelationError
	if _, err := parts.CreateBatch(t.Context(), []Part{{SpareFor: "later"}, {Object: resources.Object{ID: "later"}}}); !errors.As(err, &refused) {
		t.Errorf("a part that names a later one of its batch: %v, want a RelationError", err)
	}
}

// testRelationRace has gadgets reach their end while parts are made for them: no part is made after that.
func testRelationRace(t *testing.T, open Open) {
	r := newRig(t, open)
	CheckRelationRace(t, r.gadgets, r.parts(t), func() []bus.Record { return r.records(t) })
}

// CheckRelationRace races the ends of gadgets with parts that are made for them, on engines of one database or of two.
func CheckRelationRace(t *testing.T, gadgets *resources.Kind[Gadget], parts *resources.Kind[Part], records func() []bus.Record) {
	t.Helper()
	const rounds, callers = 30, 3
	made, refused := 0, 0
	for n := range rounds {
		id := fmt.Sprint("race", n)
		must[*Gadget](t)(gadgets.Create(t.Context(), Gadget{Object: resources.Object{ID: id}}))
		must[GadgetChanged](t)(gadgets.Fire(t.Context(), id, ScrapRequested))
		errs := make([]error, callers)
		concurrently(callers+1, func(i int) {
			if i == callers {
				must[GadgetChanged](t)(gadgets.Fire(t.Context(), id, Succeeded))
				return
			}
			_, errs[i] = parts.Create(t.Context(), Part{GadgetID: id})
		})
		for _, err := range errs {
			var no *resources.RelationError
			switch {
			case err == nil:
				made++
			case errors.As(err, &no) && no.State == Gone:
				refused++
			default:
				t.Errorf("Create: %v", err)
			}
		}
	}
	over, count := map[string]bool{}, 0
	for _, record := range records() {
		switch record.Type {
		case "gadget.state.gone":
			over[record.ResourceID] = true
		case "part.created":
			count++
			part := must[*Part](t)(parts.Get(t.Context(), record.ResourceID))
			if over[part.GadgetID] {
				t.Errorf("part %s was made when gadget %s was gone", part.ID, part.GadgetID)
			}
		}
	}
	if count != made {
		t.Errorf("%d parts were made, %d events say so", made, count)
	}
	t.Logf("%d parts were made, %d refused", made, refused)
}
