package resources_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/listeners"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/storetest"
)

func shot(id string, on fsm.Trigger) resources.Shot {
	return resources.Shot{Kind: "gadget", ID: id, Trigger: on}
}

func (r *rig) gadgetsOf(t *testing.T, ids ...string) {
	t.Helper()
	if err := bus.Register[said](r.bus, "said.>", 1); err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		r.create(t, storetest.Gadget{Object: resources.Object{ID: id, Tenant: "acme"}})
	}
}

// news lists what was recorded after the gadgets were made.
func (r *rig) news(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, rec := range r.records(t) {
		if rec.Type != "gadget.created" {
			all = append(all, fmt.Sprintf("%s %s %d", rec.ResourceID, rec.Type, rec.Version))
		}
	}
	return all
}

func (r *rig) fireBatch(t *testing.T, shots ...resources.Shot) []resources.Fired {
	t.Helper()
	fired, err := r.engine.FireBatch(t.Context(), shots)
	if err != nil {
		t.Fatal(err)
	}
	return fired
}

func wantLines(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n%s\nwant:\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestABatchMovesEachAsAFireDoes(t *testing.T) {
	var after []string
	r := newRig(t, resources.Options{Listeners: []resources.Listener{listeners.Funcs{
		ListenerName: "guard",
		OnBefore: func(_ context.Context, c resources.Change) error {
			if c.ResourceID == "d" && c.Action == resources.Moved {
				return errKeep
			}
			return nil
		},
		OnAfter: func(_ context.Context, c resources.Change, err error) {
			if c.Action != resources.Created {
				after = append(after, fmt.Sprintf("%s %s %v", c.ResourceID, c.Trigger, err == nil))
			}
		},
	}}})
	r.gadgetsOf(t, "a", "b", "c", "d")
	tell := func(what string) func(resources.Tx, resources.Change, error) error {
		return func(tx resources.Tx, c resources.Change, why error) error {
			_, err := tx.Append(said{fmt.Sprintf("%s.%s.%s.%v", what, c.Action, cmp.Or(c.From, "nowhere"), why == nil), c.ResourceID})
			return err
		}
	}
	moved := shot("a", "start_requested")
	moved.First = tell("one")
	moved.Options = []resources.Option{resources.Actor("provider:x")}
	refused := shot("c", "operation_succeeded")
	refused.First = tell("two")
	missing := shot("nobody", "start_requested")
	missing.First = tell("three")
	watched := shot("b", "")
	watched.First = tell("four")
	fired := r.fireBatch(t, moved, shot("b", "stop_requested"), refused, missing, shot("d", "start_requested"), shot("a", "operation_succeeded"), watched)

	var no *fsm.TransitionError
	var veto *resources.VetoError
	if fired[0].Err != nil || fired[0].Change.To != storetest.Starting || fired[0].Change.Actor != "provider:x" {
		t.Errorf("the move: %+v", fired[0])
	}
	if fired[1].Err != nil || fired[1].Change.Changed() || fired[6].Err != nil || fired[6].Change.Changed() || fired[6].Change.Tenant != "acme" {
		t.Errorf("what stays: %+v, %+v", fired[1], fired[6])
	}
	if !errors.As(fired[2].Err, &no) || no.ID != "c" || fired[2].Change.From != storetest.Off {
		t.Errorf("what is refused: %+v", fired[2])
	}
	if !errors.Is(fired[3].Err, resources.ErrNotFound) || !errors.As(fired[4].Err, &veto) || !errors.Is(fired[4].Err, errKeep) {
		t.Errorf("what isn't there: %v; what is vetoed: %v", fired[3].Err, fired[4].Err)
	}
	if c := fired[5].Change; fired[5].Err != nil || c.From != storetest.Starting || c.To != storetest.On || c.Version != 3 {
		t.Errorf("the second move: %+v, %v", c, fired[5].Err)
	}
	wantLines(t, "events", r.news(t),
		"a said.one.moved.off.true 2", "a gadget.state.starting 2", "c said.two.unchanged.off.false 1",
		"nobody said.three.unchanged.nowhere.false 0", "a gadget.state.on 3", "b said.four.unchanged.off.true 1")
	wantLines(t, "after", after, "a start_requested true", "b stop_requested true", "c operation_succeeded false",
		"nobody start_requested false", "d start_requested false", "a operation_succeeded true")
	if g := r.get(t, "a"); g.State != storetest.On || g.Version != 3 || g.Starts != 1 {
		t.Errorf("a is %+v", g)
	}
}

// said is an event of a test.
type said struct{ What, ID string }

func (s said) EventType() string                  { return "said." + s.What }
func (s said) Address() (tenant, kind, id string) { return "", "gadget", s.ID }

func TestABatchIsNotSpoiltByOne(t *testing.T) {
	for _, vetoed := range []int{1, 3, 8} {
		t.Run(fmt.Sprint(vetoed, " vetoed"), func(t *testing.T) {
			told := map[string]int{}
			r := newRig(t, resources.Options{Listeners: []resources.Listener{listeners.Funcs{
				ListenerName: "quota",
				OnInTx: func(_ context.Context, _ resources.Tx, c resources.Change) error {
					if c.Reason == "too much" {
						return errKeep
					}
					return nil
				},
				OnAfter: func(_ context.Context, c resources.Change, err error) {
					if c.Action != resources.Created {
						told[fmt.Sprintf("%s %v", c.ResourceID, err == nil)]++
					}
				},
			}}})
			var shots []resources.Shot
			for i := range 12 {
				id := fmt.Sprintf("g%02d", i)
				r.gadgetsOf(t, id)
				s := shot(id, "start_requested")
				if i < vetoed {
					s.Options = append(s.Options, resources.Reason("too much"))
				}
				shots = append(shots, s)
			}
			for i, f := range r.fireBatch(t, shots...) {
				no := i < vetoed
				if errors.Is(f.Err, errKeep) != no || r.get(t, shots[i].ID).Version != map[bool]uint64{true: 1, false: 2}[no] {
					t.Errorf("%s: %v", shots[i].ID, f.Err)
				}
				if told[fmt.Sprintf("%s %v", shots[i].ID, !no)] != 1 {
					t.Errorf("%s: after-listeners were told %v", shots[i].ID, told)
				}
			}
			if n := len(r.news(t)); n != 12-vetoed {
				t.Errorf("%d events, want %d", n, 12-vetoed)
			}
		})
	}
}

// TestEachOnItsOwn: shots at one resource see what those before them have left, in transactions of their own too.
func TestEachOnItsOwn(t *testing.T) {
	r := newRig(t, resources.Options{Listeners: []resources.Listener{listeners.Funcs{
		ListenerName: "quota",
		OnInTx: func(_ context.Context, _ resources.Tx, c resources.Change) error {
			if c.Reason == "too much" {
				return errKeep
			}
			return nil
		},
	}}})
	skip := shot("a", "ticked")
	skip.First = func(resources.Tx, resources.Change, error) error { return resources.ErrSkip }
	shots := []resources.Shot{shot("a", "start_requested"), skip, shot("a", "operation_succeeded")}
	for i := range 8 {
		id := fmt.Sprintf("g%02d", i)
		r.gadgetsOf(t, id)
		s := shot(id, "start_requested")
		s.Options = append(s.Options, resources.Reason("too much"))
		shots = append(shots, s)
	}
	r.gadgetsOf(t, "a")
	fired := r.fireBatch(t, append(shots, shot("a", "stop_requested"))...)
	last := fired[len(fired)-1]
	if fired[0].Err != nil || !errors.Is(fired[1].Err, resources.ErrSkip) || fired[2].Err != nil || last.Err != nil || last.Change.Version != 4 {
		t.Errorf("%+v\n%+v\n%+v\n%+v", fired[0], fired[1], fired[2], last)
	}
	if g := r.get(t, "a"); g.State != storetest.Off || g.Version != 4 {
		t.Errorf("a is %+v", g)
	}
}

func TestFirstDecides(t *testing.T) {
	r := newRig(t, resources.Options{})
	r.gadgetsOf(t, "a", "b")
	skip := func(tx resources.Tx, c resources.Change, _ error) error {
		if _, err := tx.Append(said{"stale", c.ResourceID}); err != nil {
			return err
		}
		return resources.ErrSkip
	}
	left := shot("a", "start_requested")
	left.First = skip
	lone := shot("b", "start_requested")
	lone.First = skip
	fired := r.fireBatch(t, left, shot("a", "ticked"), lone) // the second is at what the first has left as it was
	if !errors.Is(fired[0].Err, resources.ErrSkip) || fired[1].Err != nil || fired[1].Change.From != storetest.Off || !errors.Is(fired[2].Err, resources.ErrSkip) {
		t.Errorf("%+v", fired)
	}
	wantLines(t, "events", r.news(t), "a said.stale 1", "a gadget.state.off 2", "b said.stale 2")

	broken := shot("b", "start_requested")
	broken.First = func(resources.Tx, resources.Change, error) error { return errKeep }
	if _, err := r.engine.FireBatch(t.Context(), []resources.Shot{shot("a", "ticked"), broken}); !errors.Is(err, errKeep) || !strings.Contains(err.Error(), "gadget/b") {
		t.Errorf("a First that fails: %v", err)
	}
	broken.First = func(resources.Tx, resources.Change, error) error { panic("oh") }
	var panicked *resources.PanicError
	if _, err := r.engine.FireBatch(t.Context(), []resources.Shot{shot("a", "ticked"), broken}); !errors.As(err, &panicked) {
		t.Errorf("a First that panics: %v", err)
	}
	if n := len(r.news(t)); n != 3 {
		t.Errorf("%d events, want 3 as before", n)
	}
}

func TestABatchIsPlannedAnew(t *testing.T) {
	o := &overtake{times: 3}
	r := newRig(t, resources.Options{Listeners: []resources.Listener{o}})
	asked := 0
	o.times = 0
	r.gadgetsOf(t, "a", "b")
	o.times, o.asked = 3, 0
	o.by = func() {
		asked++
		r.fire(t, "b", "ticked")
	}
	o.times = 1
	fired := r.fireBatch(t, shot("a", "start_requested"), shot("b", "start_requested"))
	if fired[0].Err != nil || fired[1].Err != nil || fired[1].Change.Version != 3 || r.engine.Stats().Conflicts == 0 {
		t.Errorf("%+v, %+v", fired, r.engine.Stats())
	}
	wantLines(t, "events", r.news(t), "b gadget.state.off 2", "a gadget.state.starting 2", "b gadget.state.starting 3")

	late := shot("c", "start_requested") // made between the plan and the transaction
	tries := 0
	late.First = func(tx resources.Tx, c resources.Change, why error) error {
		tries++
		if !errors.Is(why, resources.ErrNotFound) {
			return why
		}
		_, err := tx.State("gadget", "c")
		if err == nil {
			return resources.ErrConflict
		}
		return nil
	}
	o.asked, o.by = 0, func() { r.gadgetsOf(t, "c") }
	fired = r.fireBatch(t, shot("a", "operation_succeeded"), late)
	if fired[1].Err != nil || fired[1].Change.To != storetest.Starting || tries != 2 {
		t.Errorf("%+v after %d tries", fired[1], tries)
	}
	hopeless := shot("a", "ticked")
	hopeless.First = func(resources.Tx, resources.Change, error) error { return resources.ErrConflict }
	if _, err := r.engine.FireBatch(t.Context(), []resources.Shot{hopeless}); !errors.Is(err, resources.ErrConflict) {
		t.Errorf("an eternal conflict: %v", err)
	}
}

func TestABatchIsChecked(t *testing.T) {
	r := newRig(t, resources.Options{})
	r.gadgetsOf(t, "a")
	var invalid *resources.InvalidError
	var unknown *resources.UnknownError
	if _, err := r.engine.FireBatch(t.Context(), make([]resources.Shot, 1001)); !errors.As(err, &invalid) {
		t.Errorf("too many: %v", err)
	}
	if _, err := r.engine.FireBatch(t.Context(), []resources.Shot{{Kind: "gizmo", ID: "a"}}); !errors.As(err, &unknown) {
		t.Errorf("an unknown kind: %v", err)
	}
	if fired, err := r.engine.FireBatch(t.Context(), nil); len(fired) != 0 || err != nil {
		t.Errorf("nothing: %v, %v", fired, err)
	}
	set := shot("a", "ticked")
	set.Options = []resources.Option{resources.Set(func(any) error { return nil })}
	if fired := r.fireBatch(t, set, shot("a", "nonsense"), shot("a", "ticked")); !errors.As(fired[0].Err, &invalid) || fired[1].Err == nil || fired[2].Err != nil {
		t.Errorf("a wrong option and a wrong trigger: %+v", fired)
	}
	inside := shot("a", "ticked")
	inside.First = func(tx resources.Tx, _ resources.Change, _ error) error {
		_, err := r.engine.FireBatch(tx.Context(), []resources.Shot{shot("a", "ticked")})
		if !errors.Is(err, resources.ErrInWriter) {
			t.Errorf("in the writer: %v", err)
		}
		return nil
	}
	r.fireBatch(t, inside)
}
