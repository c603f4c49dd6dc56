package fsm_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/fsm"
)

// job is a small machine with all there is: origin, a guard, Same, a move to itself, several initial and final states.
func job() fsm.Spec {
	return fsm.Spec{
		Kind:    "job",
		Initial: fsm.States("idle", "paused"),
		Final:   fsm.States("gone"),
		Limits:  map[fsm.State]time.Duration{"moving": time.Minute, "checking": time.Hour, "clearing": time.Hour},
		Edges: []fsm.Edge{
			{From: fsm.States("idle", "paused"), On: "move_requested", To: "moving"},
			{From: fsm.States("idle"), On: "pause_requested", To: "paused"},
			{From: fsm.States("idle"), On: "resume_requested", To: fsm.Same},
			{From: fsm.States("paused"), On: "resume_requested", To: "idle"},
			{From: fsm.States("moving"), On: fsm.OperationSucceeded, To: "checking"},
			{From: fsm.States("moving", "checking"), On: fsm.OperationFailed, To: fsm.Origin},
			{From: fsm.States("moving"), On: "move_requested", To: fsm.Same},
			{From: fsm.States("checking"), On: fsm.OperationSucceeded, To: "idle"},
			{From: fsm.States("idle", "paused"), On: "clear_requested", To: "clearing", If: fsm.If("empty", func(n int) bool { return n == 0 })},
			{From: fsm.States("idle"), On: "clear_requested", To: "paused", If: fsm.If("small", func(n int) bool { return n < 10 })},
			{From: fsm.States("idle"), On: "clear_requested", To: fsm.Same},
			{From: fsm.States("clearing"), On: fsm.OperationFailed, To: "clearing"},
			{From: fsm.States("clearing"), On: fsm.OperationSucceeded, To: "gone"},
			{From: fsm.States("gone"), On: "clear_requested", To: fsm.Same},
		},
	}
}

func TestNext(t *testing.T) {
	m := fsm.MustNew(job())
	tests := []struct {
		name         string
		from, origin fsm.State
		on           fsm.Trigger
		subject      any
		want         fsm.Step
	}{
		{"from steady to steady", "idle", "", "pause_requested", nil, fsm.Step{To: "paused", Moved: true}},
		{"leaving a steady state sets the origin", "paused", "", "move_requested", nil, fsm.Step{To: "moving", Origin: "paused", Moved: true}},
		{"from transitional to transitional carries it", "moving", "paused", fsm.OperationSucceeded, nil, fsm.Step{To: "checking", Origin: "paused", Moved: true}},
		{"arrival clears it", "checking", "paused", fsm.OperationSucceeded, nil, fsm.Step{To: "idle", Moved: true}},
		{"back to the origin", "checking", "paused", fsm.OperationFailed, nil, fsm.Step{To: "paused", Moved: true}},
		{"back to another origin", "moving", "idle", fsm.OperationFailed, nil, fsm.Step{To: "idle", Moved: true}},
		{"same in a steady state", "idle", "", "resume_requested", nil, fsm.Step{To: "idle"}},
		{"same in a transitional state", "moving", "paused", "move_requested", nil, fsm.Step{To: "moving", Origin: "paused"}},
		{"same in a final state", "gone", "", "clear_requested", nil, fsm.Step{To: "gone"}},
		{"a move to itself", "clearing", "idle", fsm.OperationFailed, nil, fsm.Step{To: "clearing", Origin: "idle", Moved: true}},
		{"to a final state", "clearing", "idle", fsm.OperationSucceeded, nil, fsm.Step{To: "gone", Moved: true}},
		{"an origin of a steady state is ignored", "idle", "paused", "resume_requested", nil, fsm.Step{To: "idle"}},
		{"first guard holds", "idle", "", "clear_requested", 0, fsm.Step{To: "clearing", Origin: "idle", Moved: true}},
		{"second guard holds", "idle", "", "clear_requested", 5, fsm.Step{To: "paused", Moved: true}},
		{"no guard holds, the last edge has none", "idle", "", "clear_requested", 50, fsm.Step{To: "idle"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := m.Next(tt.from, tt.origin, tt.on, tt.subject)
			if err != nil || got != tt.want {
				t.Errorf("got %+v, %v; want %+v", got, err, tt.want)
			}
		})
	}
}

func TestNextRefuses(t *testing.T) {
	m := fsm.MustNew(job())
	tests := []struct {
		name         string
		from, origin fsm.State
		on           fsm.Trigger
		subject      any
		want         string
	}{
		{"not allowed here", "paused", "", "pause_requested", 0, `fsm: job cannot "pause_requested" in "paused" (allowed: move_requested, resume_requested, clear_requested)`},
		{"no guard held", "paused", "", "clear_requested", 3, `fsm: job cannot "clear_requested" in "paused" (not empty; allowed: move_requested, resume_requested)`},
		{"nothing but repeats in a final state", "gone", "", "move_requested", nil, `fsm: job cannot "move_requested" in "gone" (allowed: clear_requested)`},
		{"what a guard can't say isn't named", "paused", "", "pause_requested", "x", `fsm: job cannot "pause_requested" in "paused" (allowed: move_requested, resume_requested)`},
		{"unknown state", "lost", "", "move_requested", 0, `fsm: job has no state "lost" (known: idle, paused, moving, checking, clearing, gone)`},
		{"empty state", "", "", "move_requested", 0, `fsm: job has no state "" (known: idle, paused, moving, checking, clearing, gone)`},
		{"unknown trigger", "idle", "", "explode", 0, `fsm: job has no trigger "explode" (known: move_requested, pause_requested, resume_requested, operation_succeeded, operation_failed, clear_requested)`},
		{"no origin to go back to", "moving", "", fsm.OperationFailed, 0, `fsm: job has no origin "" in "moving" (known: idle, paused)`},
		{"wrong origin to go back to", "moving", "gone", fsm.OperationFailed, 0, `fsm: job has no origin "gone" in "moving" (known: idle, paused)`},
		{"no subject", "idle", "", "clear_requested", nil, `fsm: job: guard "empty" of "clear_requested" in "idle": fsm: a guard needs a subject, got nil`},
		{"subject of a wrong type", "idle", "", "clear_requested", "x", `fsm: job: guard "empty" of "clear_requested" in "idle": subject is of type string, the guard needs int`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			step, err := m.Next(tt.from, tt.origin, tt.on, tt.subject)
			if err == nil || err.Error() != tt.want || step != (fsm.Step{}) {
				t.Errorf("got %+v, %v\nwant %s", step, err, tt.want)
			}
		})
	}
}

func TestRefusalsAreTyped(t *testing.T) {
	m := fsm.MustNew(job())
	var refused *fsm.TransitionError
	if _, err := m.Next("moving", "idle", "pause_requested", nil); !errors.As(err, &refused) || refused.Origin != "idle" || refused.ID != "" {
		t.Errorf("got %#v, want a *TransitionError with the origin", err)
	}
	refused.ID = "42"
	if want := `fsm: job/42 cannot "pause_requested" in "moving" (allowed: operation_succeeded, operation_failed, move_requested)`; refused.Error() != want {
		t.Errorf("got %v\nwant %s", refused, want)
	}
	var unknown *fsm.UnknownError
	if _, err := m.Next("moving", "idle", "explode", nil); !errors.As(err, &unknown) || unknown.What != "trigger" || unknown.Name != "explode" {
		t.Errorf("got %#v, want an *UnknownError", err)
	}
	var guard *fsm.GuardError
	if _, err := m.Next("idle", "", "clear_requested", nil); !errors.As(err, &guard) || !errors.Is(err, fsm.ErrNoSubject) || guard.Guard != "empty" {
		t.Errorf("got %#v, want a *GuardError", err)
	}
}

func TestGuardsThatPanicAreErrors(t *testing.T) {
	boom := errors.New("boom")
	s := job()
	s.Edges[8].If = fsm.If("empty", func(int) bool { panic(boom) })
	m := fsm.MustNew(s)
	for name, ask := range map[string]func() error{
		"Next":    func() error { _, err := m.Next("paused", "", "clear_requested", 1); return err },
		"Allowed": func() error { _, err := m.Allowed("paused", "", 1); return err },
	} {
		t.Run(name, func(t *testing.T) {
			var guard *fsm.GuardError
			err := ask()
			if !errors.As(err, &guard) || !errors.Is(err, boom) || len(guard.Stack) == 0 {
				t.Fatalf("got %#v, want a *GuardError that wraps the panic, with its stack", err)
			}
			if want := `fsm: job: guard "empty" of "clear_requested" in "paused": panic: boom`; err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
		})
	}
	if _, err := m.Next("paused", "", "resume_requested", 1); err != nil {
		t.Errorf("a trigger without guards: %v", err)
	}
}

func TestGuardsOfAnInterfaceTakeWhatImplementsIt(t *testing.T) {
	s := job()
	s.Edges[8].If = fsm.If("empty", func(e error) bool { return e.Error() == "" })
	m := fsm.MustNew(s)
	if step, err := m.Next("paused", "", "clear_requested", errors.New("")); err != nil || step.To != "clearing" {
		t.Errorf("got %+v, %v", step, err)
	}
}

func TestAllowed(t *testing.T) {
	m := fsm.MustNew(job())
	tests := []struct {
		name         string
		from, origin fsm.State
		subject      any
		want         []fsm.Trigger
	}{
		{"in order of declaration, Same edges included", "idle", "", 0, []fsm.Trigger{"move_requested", "pause_requested", "resume_requested", "clear_requested"}},
		{"guard holds", "paused", "", 0, []fsm.Trigger{"move_requested", "resume_requested", "clear_requested"}},
		{"guard doesn't hold", "paused", "", 1, []fsm.Trigger{"move_requested", "resume_requested"}},
		{"with an origin", "moving", "idle", nil, []fsm.Trigger{fsm.OperationSucceeded, fsm.OperationFailed, "move_requested"}},
		{"without the origin it should have", "moving", "", nil, []fsm.Trigger{fsm.OperationSucceeded, "move_requested"}},
		{"final", "gone", "", nil, []fsm.Trigger{"clear_requested"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := m.Allowed(tt.from, tt.origin, tt.subject)
			if err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("got %v, %v; want %v", got, err, tt.want)
			}
		})
	}
	var unknown *fsm.UnknownError
	if _, err := m.Allowed("lost", "", nil); !errors.As(err, &unknown) {
		t.Errorf("unknown state: %v", err)
	}
	if _, err := m.Allowed("paused", "", nil); !errors.Is(err, fsm.ErrNoSubject) {
		t.Errorf("no subject: %v", err)
	}
}

// TestNextAllocatesNothing holds for steps; refusals may.
func TestNextAllocatesNothing(t *testing.T) {
	m := fsm.MustNew(power(true))
	subject := &server{allowed: true}
	at := fsm.Step{To: "stopped"}
	i := 0
	if n := testing.AllocsPerRun(100, func() {
		at, _ = m.Next(at.To, at.Origin, powerCycle[i&3], subject)
		i++
	}); n != 0 {
		t.Errorf("%v allocations a step", n)
	}
}

// TestMachinesAreSharedByGoroutines is for the race detector.
func TestMachinesAreSharedByGoroutines(t *testing.T) {
	m := fsm.MustNew(job())
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for n := range 100 {
				m.Next("idle", "", "clear_requested", n)
				m.Allowed("idle", "", n)
				m.Mermaid(fsm.Current("idle"))
			}
		})
	}
	wg.Wait()
}

func TestMachineTellsWhatItIs(t *testing.T) {
	m := fsm.MustNew(job())
	if m.Kind() != "job" {
		t.Errorf("kind %q", m.Kind())
	}
	if got := fmt.Sprint(m.States(), m.Initial(), m.Triggers()); got != "[idle paused moving checking clearing gone] [idle paused] "+
		"[move_requested pause_requested resume_requested operation_succeeded operation_failed clear_requested]" {
		t.Errorf("got %s", got)
	}
	for s, want := range map[fsm.State]fsm.Class{"idle": fsm.Steady, "moving": fsm.Transitional, "gone": fsm.Final} {
		if got, ok := m.Class(s); !ok || got != want || !m.Has(s) {
			t.Errorf("%s: class %v, %v; want %v", s, got, ok, want)
		}
	}
	for _, s := range []fsm.State{"lost", "", fsm.Origin, fsm.Same} {
		if got, ok := m.Class(s); ok || m.Has(s) {
			t.Errorf("%q: class %v, %v", s, got, ok)
		}
	}
	if !m.Knows("move_requested") || m.Knows("explode") {
		t.Error("Knows is wrong")
	}
	if d, ok := m.Limit("moving"); !ok || d != time.Minute {
		t.Errorf("limit %v, %v", d, ok)
	}
	if d, ok := m.Limit("idle"); ok {
		t.Errorf("limit of a steady state %v", d)
	}
}

func TestOriginsAndBack(t *testing.T) {
	spec := job()
	spec.Edges = append(spec.Edges, fsm.Edge{From: fsm.States("clearing"), On: "pause_requested", To: "paused"})
	m := fsm.MustNew(spec)
	tests := []struct {
		state         fsm.State
		origins, back []fsm.State
	}{
		{"moving", fsm.States("idle", "paused"), fsm.States("idle", "paused")},
		{"checking", fsm.States("idle", "paused"), fsm.States("idle", "paused")},
		{"clearing", fsm.States("idle", "paused"), fsm.States("paused")}, // by an edge that names it
		{"idle", nil, nil},
		{"gone", nil, nil},
		{"lost", nil, nil},
	}
	for _, tt := range tests {
		if got := m.Origins(tt.state); !slices.Equal(got, tt.origins) {
			t.Errorf("origins of %s: %v, want %v", tt.state, got, tt.origins)
		}
		for _, origin := range append(m.States(), "", "lost") {
			if got := m.Back(tt.state, origin); got != slices.Contains(tt.back, origin) {
				t.Errorf("back from %s to %q: %v", tt.state, origin, got)
			}
		}
	}
}

func TestWithLimits(t *testing.T) {
	m := fsm.MustNew(job())
	other, err := m.WithLimits(map[fsm.State]time.Duration{"moving": time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if d, _ := other.Limit("moving"); d != time.Hour {
		t.Errorf("the new limit is %v", d)
	}
	if d, _ := other.Limit("checking"); d != time.Hour {
		t.Errorf("another limit became %v", d)
	}
	if d, _ := m.Limit("moving"); d != time.Minute {
		t.Errorf("the old machine's limit became %v", d)
	}
	_, err = m.WithLimits(map[fsm.State]time.Duration{"idle": time.Hour, "lost": time.Hour, "moving": time.Hour})
	if want := `fsm: machine "job" has 2 faults: state "idle": is not transitional, so it can have no limit; state "lost": is not transitional, so it can have no limit`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	var spec *fsm.SpecError
	if _, err = m.WithLimits(map[fsm.State]time.Duration{"moving": 0}); !errors.As(err, &spec) {
		t.Errorf("got %v, want a *SpecError", err)
	}
}

// TestSpecIsACopy: neither what New was given nor what Spec gives out is a way into the machine.
func TestSpecIsACopy(t *testing.T) {
	given := job()
	m := fsm.MustNew(given)
	for _, s := range []fsm.Spec{given, m.Spec()} {
		s.Initial[0], s.Final[0], s.Limits["moving"], s.Edges[0].From[0], s.Edges[1].To = "x", "x", 0, "x", "x"
	}
	m.States()[0], m.Initial()[0], m.Triggers()[0] = "x", "x", "x"
	if d, _ := m.Limit("moving"); d != time.Minute || strings.Contains(m.Table(), "x ") {
		t.Errorf("the machine was altered: %s", m.Table())
	}
	if _, err := fsm.New(m.Spec()); err != nil {
		t.Errorf("a machine's own spec: %v", err)
	}
}
