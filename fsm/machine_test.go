package fsm_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
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
