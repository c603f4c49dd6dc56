package fsm_test

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/cloudbus-go/cloudbus/fsm"
)

// nextTest asks for one step of job's machine.
type nextTest struct {
	name         string
	from, origin fsm.State
	on           fsm.Trigger
	subject      any
	want         fsm.Step
}

func testNext(t *testing.T, tests []nextTest) {
	t.Helper()
	m := fsm.MustNew(job())
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := m.Next(tt.from, tt.origin, tt.on, tt.subject)
			if err != nil || got != tt.want {
				t.Errorf("got %+v, %v; want %+v", got, err, tt.want)
			}
		})
	}
}

func TestStates(t *testing.T) {
	testNext(t, []nextTest{
		{"from steady to steady", "idle", "", "pause_requested", nil, fsm.Step{To: "paused", Moved: true}},
		{"from steady to transitional", "idle", "", "move_requested", nil, fsm.Step{To: "moving", Origin: "idle", Moved: true}},
		{"from transitional to final", "clearing", "idle", fsm.OperationSucceeded, nil, fsm.Step{To: "gone", Moved: true}},
	})
}

func TestOrigin(t *testing.T) {
	testNext(t, []nextTest{
		{"is set on leaving a steady state", "paused", "", "move_requested", nil, fsm.Step{To: "moving", Origin: "paused", Moved: true}},
		{"is carried between transitional states", "moving", "paused", fsm.OperationSucceeded, nil, fsm.Step{To: "checking", Origin: "paused", Moved: true}},
		{"is cleared on arrival in a steady state", "checking", "paused", fsm.OperationSucceeded, nil, fsm.Step{To: "idle", Moved: true}},
		{"is cleared on arrival in a final state", "clearing", "paused", fsm.OperationSucceeded, nil, fsm.Step{To: "gone", Moved: true}},
		{"is where Origin leads", "checking", "paused", fsm.OperationFailed, nil, fsm.Step{To: "paused", Moved: true}},
		{"is where Origin leads, whichever it is", "moving", "idle", fsm.OperationFailed, nil, fsm.Step{To: "idle", Moved: true}},
		{"means nothing in a steady state", "idle", "paused", "resume_requested", nil, fsm.Step{To: "idle"}},
	})
}

func TestSameAndMovesToOneself(t *testing.T) {
	testNext(t, []nextTest{
		{"same in a steady state", "idle", "", "resume_requested", nil, fsm.Step{To: "idle"}},
		{"same in a transitional state", "moving", "paused", "move_requested", nil, fsm.Step{To: "moving", Origin: "paused"}},
		{"same in a final state", "gone", "", "clear_requested", nil, fsm.Step{To: "gone"}},
		{"a move to oneself", "clearing", "idle", fsm.OperationFailed, nil, fsm.Step{To: "clearing", Origin: "idle", Moved: true}},
	})
}

func TestRefusals(t *testing.T) {
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
