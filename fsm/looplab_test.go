package fsm_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	looplab "github.com/looplab/fsm"

	"github.com/cloudbus-go/cloudbus/fsm"
)

// withoutGuards leaves out what looplab can't express.
func withoutGuards(s fsm.Spec) fsm.Spec {
	s.Edges = slices.DeleteFunc(s.Edges, func(e fsm.Edge) bool { return e.If.Name() != "" })
	return s
}

// name is what a (state, origin) is called in a looplab machine.
func name(at fsm.Step) string {
	if at.Origin == "" {
		return string(at.To)
	}
	return string(at.To) + "@" + string(at.Origin)
}

// TestLooplabAgreesOnRandomWalks fires random triggers at a machine and at its looplab twin: both take the same ones, and
// are in the same place after each.
func TestLooplabAgreesOnRandomWalks(t *testing.T) {
	for _, s := range append(lifecycles(), job(), power(false)) {
		s = withoutGuards(s)
		s.Endless = true // what is left without the guarded edges may have no end
		if s.Kind == "vm" {
			s.Edges = append(s.Edges, fsm.Edge{From: fsm.States("stopped"), On: "creation_failed", To: "error"})
		}
		if s.Kind == "job" {
			s.Edges = append(s.Edges, fsm.Edge{From: fsm.States("paused"), On: "clear_requested", To: "clearing"})
		}
		t.Run(s.Kind, func(t *testing.T) {
			m, err := fsm.New(s)
			if err != nil {
				t.Fatal(err)
			}
			for seed := range uint64(20) {
				walk(t, m, rand.New(rand.NewPCG(seed, 0)))
			}
		})
	}
}

func walk(t *testing.T, m *fsm.Machine, random *rand.Rand) {
	t.Helper()
	initial := m.Initial()
	at := fsm.Step{To: initial[random.IntN(len(initial))]}
	twin, err := m.Looplab(at.To, "")
	if err != nil {
		t.Fatal(err)
	}
	triggers := m.Triggers()
	for range 200 {
		on := triggers[random.IntN(len(triggers))]
		next, err := m.Next(at.To, at.Origin, on, nil)
		twinErr := twin.Event(context.Background(), string(on))
		if refused, twinRefused := err != nil, isRefusal(twinErr); refused != twinRefused {
			t.Fatalf("%s in %s: we say %v, looplab says %v", on, name(at), err, twinErr)
		}
		if err == nil {
			at = next
		}
		if twin.Current() != name(at) {
			t.Fatalf("after %s: we are in %s, looplab is in %s", on, name(at), twin.Current())
		}
	}
}

func isRefusal(err error) bool {
	var invalid looplab.InvalidEventError
	var unknown looplab.UnknownEventError
	return errors.As(err, &invalid) || errors.As(err, &unknown)
}

func TestLooplabRefuses(t *testing.T) {
	guarded, plain := fsm.MustNew(job()), fsm.MustNew(power(false))
	tests := []struct {
		name          string
		m             *fsm.Machine
		state, origin fsm.State
		want          string
	}{
		{"guards, all of them", guarded, "idle", "", `fsm: machine "job" has 3 faults: edge 9 (idle, clear_requested): has the guard "empty", which looplab can't express; ` +
			`edge 9 (paused, clear_requested): has the guard "empty", which looplab can't express; edge 10 (idle, clear_requested): has the guard "small", which looplab can't express`},
		{"an unknown state", plain, "lost", "", `fsm: server has no state "lost" (known: stopped, starting, stopping, running)`},
		{"an origin that can't be", plain, "starting", "running", `fsm: server has no origin "running" in "starting" (known: stopped)`},
		{"a missing origin", plain, "starting", "", `fsm: server has no origin "" in "starting" (known: stopped)`},
		{"an origin in a steady state", plain, "running", "stopped", `fsm: server has no origin "stopped" in "running" (known: none)`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if twin, err := tt.m.Looplab(tt.state, tt.origin); twin != nil || err == nil || err.Error() != tt.want {
				t.Errorf("got %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestLooplabCallsBack(t *testing.T) {
	var calls []string
	note := func(what string) looplab.Callback {
		return func(_ context.Context, e *looplab.Event) { calls = append(calls, what+" "+e.Src+"→"+e.Dst) }
	}
	twin, err := fsm.MustNew(power(false)).Looplab("starting", "stopped",
		looplab.Callbacks{"leave_starting@stopped": note("not this one")},
		looplab.Callbacks{"leave_starting@stopped": note("leave"), "enter_state": note("enter")})
	if err != nil {
		t.Fatal(err)
	}
	if err := twin.Event(context.Background(), "operation_failed"); err != nil {
		t.Fatal(err)
	}
	if want := []string{"leave starting@stopped→stopped", "enter starting@stopped→stopped"}; !slices.Equal(calls, want) {
		t.Errorf("got %q, want %q", calls, want)
	}
}

func TestFromLooplab(t *testing.T) {
	s, err := fsm.FromLooplab(looplab.Events{
		{Name: "open", Src: []string{"closed", "open"}, Dst: "open"},
		{Name: "close", Src: []string{"open"}, Dst: "closed"},
		{Name: "ring", Src: []string{"closed"}, Dst: "closed"},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Kind, s.Initial, s.Endless = "door", fsm.States("closed"), true
	m := fsm.MustNew(s)
	const want = "| state | class | limit | edges |\n|---|---|---|---|\n" +
		"| closed | initial, steady |  | open→open · ring→= |\n" +
		"| open | steady |  | open→= · close→closed |\n"
	if m.Table() != want {
		t.Errorf("got\n%s\nwant\n%s", m.Table(), want)
	}
}

func TestFromLooplabRefuses(t *testing.T) {
	_, err := fsm.FromLooplab(looplab.Events{
		{Name: "half-open", Src: []string{"closed"}, Dst: "open"},
		{Name: "shut", Src: []string{"open"}, Dst: "closed"},
		{Name: "shut", Src: []string{"open"}, Dst: "Locked"},
		{Name: "nowhere", Dst: "closed"},
		{Name: "equal", Src: []string{"open"}, Dst: "="},
	})
	var spec *fsm.SpecError
	if !errors.As(err, &spec) {
		t.Fatalf("got %v, want a *SpecError", err)
	}
	var got []string
	for _, f := range spec.Faults {
		got = append(got, f.String())
	}
	want := []string{
		`state "Locked": is not a name of the form [a-z][a-z0-9_]*`,
		`trigger "half-open": is not a name of the form [a-z][a-z0-9_]*`,
		`target of event 5 (equal): is not a name of the form [a-z][a-z0-9_]*`,
		`edge 4 (none, nowhere): comes from no state`,
		`edge 3 (open, shut): is hidden by edge 2 for the same trigger, which has no guard`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

// TestLooplabThereAndBack: a machine without transitional states is the same after both conversions.
func TestLooplabThereAndBack(t *testing.T) {
	events := looplab.Events{
		{Name: "open", Src: []string{"closed"}, Dst: "open"},
		{Name: "open", Src: []string{"open"}, Dst: "open"},
		{Name: "close", Src: []string{"open"}, Dst: "closed"},
		{Name: "lock", Src: []string{"closed"}, Dst: "locked"},
		{Name: "unlock", Src: []string{"locked"}, Dst: "closed"},
	}
	s, err := fsm.FromLooplab(events)
	if err != nil {
		t.Fatal(err)
	}
	s.Kind, s.Initial, s.Endless = "door", fsm.States("closed"), true
	s.Limits = map[fsm.State]time.Duration{}
	twin, err := fsm.MustNew(s).Looplab("closed", "")
	if err != nil {
		t.Fatal(err)
	}
	original := looplab.NewFSM("closed", events, nil)
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		on := events[random.IntN(len(events))].Name
		a, b := original.Event(context.Background(), on), twin.Event(context.Background(), on)
		if original.Current() != twin.Current() || (a == nil) != (b == nil) {
			t.Fatalf("after %s: %s (%v), twin %s (%v)", on, original.Current(), a, twin.Current(), b)
		}
	}
}
