package fsm_test

import (
	"errors"
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
