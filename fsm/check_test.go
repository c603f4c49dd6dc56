package fsm_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/fsm"
)

// faultsOf returns what New finds wrong.
func faultsOf(t *testing.T, s fsm.Spec) []string {
	t.Helper()
	m, err := fsm.New(s)
	if err == nil {
		return nil
	}
	var spec *fsm.SpecError
	if !errors.As(err, &spec) || len(spec.Faults) == 0 || m != nil {
		t.Fatalf("got %v, %#v; want a *SpecError with faults and no machine", m, err)
	}
	var faults []string
	for _, f := range spec.Faults {
		faults = append(faults, f.String())
	}
	return faults
}

func TestFaults(t *testing.T) {
	edge := func(from fsm.State, on fsm.Trigger, to fsm.State) fsm.Edge {
		return fsm.Edge{From: fsm.States(from), On: on, To: to}
	}
	add := func(edges ...fsm.Edge) func(*fsm.Spec) {
		return func(s *fsm.Spec) { s.Edges = append(s.Edges, edges...) }
	}
	yes := func(int) bool { return true }
	tests := []struct {
		name string
		do   func(*fsm.Spec)
		want []string // all faults, in order
	}{
		{"nothing", func(*fsm.Spec) {}, nil},
		{"an empty spec", func(s *fsm.Spec) { *s = fsm.Spec{} },
			[]string{`kind "": has no name`, `initial states: are missing`, `edges: are missing`, `final states: are missing, and the machine isn't endless`}},
		{"a kind that is no name", func(s *fsm.Spec) { s.Kind = "Job-1" }, []string{`kind "Job-1": is not a name of the form [a-z][a-z0-9_]*`}},
		{"reserved kinds: action", func(s *fsm.Spec) { s.Kind = "action" }, []string{`kind "action": is reserved`}},
		{"reserved kinds: alert", func(s *fsm.Spec) { s.Kind = "alert" }, []string{`kind "alert": is reserved`}},
		{"reserved kinds: usage", func(s *fsm.Spec) { s.Kind = "usage" }, []string{`kind "usage": is reserved`}},
		{"reserved kinds: status", func(s *fsm.Spec) { s.Kind = "status" }, []string{`kind "status": is reserved`}},
		{"reserved kinds: bus", func(s *fsm.Spec) { s.Kind = "bus" }, []string{`kind "bus": is reserved`}},
		{"a state that is no name", add(edge("idle", "go", "9lives"), edge("9lives", "go", "gone")),
			[]string{`state "9lives": is not a name of the form [a-z][a-z0-9_]*`}},
		{"a state without a name", add(edge("idle", "go", "")),
			[]string{`state "": has no name`, `state "": has no exit, isn't final, and the machine isn't endless`}},
		{"the reserved state", func(s *fsm.Spec) { s.Initial = append(s.Initial, fsm.Origin); add(edge(fsm.Origin, "go", "gone"))(s) },
			[]string{`state "origin": is reserved: it is only a target`}},
		{"Same as a state", func(s *fsm.Spec) { s.Initial = append(s.Initial, fsm.Same); add(edge(fsm.Same, "go", "gone"))(s) },
			[]string{`state "=": is not a name of the form [a-z][a-z0-9_]*`}},
		{"a trigger that is no name", add(edge("idle", "Go!", "gone")), []string{`trigger "Go!": is not a name of the form [a-z][a-z0-9_]*`}},
		{"a trigger without a name", add(edge("idle", "", "gone")), []string{`trigger "": has no name`}},
		{"a guard without a name", add(fsm.Edge{From: fsm.States("idle"), On: "go", To: "gone", If: fsm.If("", yes)}),
			[]string{`guard "": has no name`}},
		{"a guard that is no name", add(fsm.Edge{From: fsm.States("idle"), On: "go", To: "gone", If: fsm.If("is it?", yes)}),
			[]string{`guard "is it?": is not a name of the form [a-z][a-z0-9_]*`}},
		{"a guard without a condition", add(fsm.Edge{From: fsm.States("idle"), On: "go", To: "gone", If: fsm.If[int]("small", nil)}),
			[]string{`edge 6 (idle, go): guard "small" has no condition`}},
		{"an edge from nowhere", add(fsm.Edge{On: "go", To: "gone"}), []string{`edge 6 (none, go): comes from no state`}},
		{"the same state twice", func(s *fsm.Spec) {
			s.Initial = fsm.States("idle", "idle")
			s.Final = fsm.States("gone", "gone", "gone")
			s.Edges[0].From = fsm.States("idle", "idle")
		}, []string{`initial states: names "idle" more than once`, `final states: names "gone" more than once`,
			`edge 1 (idle, idle, work_requested): names "idle" more than once`,
			`edge 1 (idle, work_requested): is hidden by edge 1 for the same trigger, which has no guard`}},
		{"two edges without guards", add(edge("idle", "work_requested", "gone")),
			[]string{`edge 6 (idle, work_requested): is hidden by edge 1 for the same trigger, which has no guard`}},
		{"an edge without a guard before one with", add(fsm.Edge{From: fsm.States("idle"), On: "work_requested", To: "gone", If: fsm.If("small", yes)}),
			[]string{`edge 6 (idle, work_requested): is hidden by edge 1 for the same trigger, which has no guard`}},
		{"the same guard twice", add(
			fsm.Edge{From: fsm.States("idle"), On: "go", To: "gone", If: fsm.If("small", yes)},
			fsm.Edge{From: fsm.States("idle"), On: "go", To: "working", If: fsm.If("small", yes)},
		), []string{`edge 7 (idle, go): has the same guard "small" as edge 6 for the same trigger`}},
		{"a state nobody gets to", add(edge("lost", "go", "gone")), []string{`state "lost": can't be reached from an initial state`}},
		{"a final state nobody gets to", func(s *fsm.Spec) { s.Final = append(s.Final, "nirvana") },
			[]string{`state "nirvana": can't be reached from an initial state`}},
		{"a limit of an unknown state", func(s *fsm.Spec) { s.Limits["lost"] = time.Minute }, []string{`state "lost": has a limit, but is on no edge`}},
		{"a limit of a final state", func(s *fsm.Spec) { s.Limits["gone"] = time.Minute }, []string{`state "gone": is final, so it can have no limit`}},
		{"limits of nothing and less", func(s *fsm.Spec) { s.Limits["working"] = 0; s.Limits["gone"] = -time.Second },
			[]string{`state "gone": is final, so it can have no limit`, `state "gone": has a limit of -1s: it must be more than 0`,
				`state "working": has a limit of 0s: it must be more than 0`}},
		{"a final state that leads on", add(edge("gone", "go", "idle")), []string{`edge 6 (gone, go): leads on from a final state, where only Same can be`}},
		{"a final state that moves to itself", add(edge("gone", "go", "gone")), []string{`edge 6 (gone, go): leads on from a final state, where only Same can be`}},
		{"a final state that leads to an origin", add(edge("gone", "go", fsm.Origin)), []string{`edge 6 (gone, go): leads on from a final state, where only Same can be`}},
		{"a steady state that leads to an origin", add(edge("idle", "go", fsm.Origin)),
			[]string{`edge 6 (idle, go): leads to the origin, which only transitional states have`}},
		{"an initial transitional state that leads to an origin", func(s *fsm.Spec) { s.Initial = append(s.Initial, "working") },
			[]string{`edge 3 (working, operation_failed): leads to the origin, but "working" can be entered without one`}},
		{"a transitional state entered from an initial transitional one that leads to an origin", func(s *fsm.Spec) {
			s.Initial = append(s.Initial, "booting")
			s.Limits["booting"] = time.Minute
			add(edge("booting", fsm.OperationSucceeded, "working"), edge("booting", fsm.OperationFailed, "gone"))(s)
		}, []string{`edge 3 (working, operation_failed): leads to the origin, but "working" can be entered without one`}},
		{"a steady state without an exit", add(edge("idle", "go", "limbo"), edge("limbo", "go", fsm.Same), edge("limbo", "stay", "limbo")),
			[]string{`state "limbo": has no exit, isn't final, and the machine isn't endless`}},
		{"steady states without a way to a final one", add(edge("idle", "go", "day"), edge("day", "go", "night"), edge("night", "go", "day")),
			[]string{`state "day": has no way to a final state, and the machine isn't endless`, `state "night": has no way to a final state, and the machine isn't endless`}},
		{"no final state", func(s *fsm.Spec) { s.Final = nil; add(edge("gone", "go", "idle"))(s) },
			[]string{`final states: are missing, and the machine isn't endless`}},
		{"an endless machine may lack all that", func(s *fsm.Spec) {
			s.Endless, s.Final = true, nil
			add(edge("idle", "go", "day"), edge("day", "go", "night"), edge("night", "go", "day"))(s)
		}, nil},
		{"a transitional state without an exit on success", func(s *fsm.Spec) { s.Edges[1].To = "working" },
			[]string{`state "working": is transitional, but has no exit on success (operation_succeeded)`}},
		{"a success that changes nothing", func(s *fsm.Spec) { s.Edges[1].To = fsm.Same },
			[]string{`state "working": is transitional, but has no exit on success (operation_succeeded)`}},
		{"a transitional state without an answer to failure", func(s *fsm.Spec) { s.Edges[2].On = "cancel_requested" },
			[]string{`state "working": is transitional, but has no answer to failure (operation_failed)`}},
		{"a failure that changes nothing", func(s *fsm.Spec) { s.Edges[2].To = fsm.Same },
			[]string{`state "working": is transitional, but has no answer to failure (operation_failed)`}},
		{"a failure that is a move to itself is an answer", func(s *fsm.Spec) { s.Edges[2].To = "working" }, nil},
		{"transitional states without a way to a steady one", func(s *fsm.Spec) {
			s.Limits["there"], s.Limits["back"] = time.Minute, time.Minute
			for _, on := range []fsm.Trigger{fsm.OperationSucceeded, fsm.OperationFailed} {
				add(edge("there", on, "back"), edge("back", on, "there"))(s)
			}
			add(edge("idle", "go", "there"))(s)
		}, []string{`state "there": is transitional, but has no way to a steady or final state`, `state "back": is transitional, but has no way to a steady or final state`}},
		{"outcomes nobody knows", func(s *fsm.Spec) {
			s.Succeed = []fsm.Trigger{fsm.OperationSucceeded, "hooray"}
			s.Fail = []fsm.Trigger{fsm.OperationFailed, "oh_no", "oh_no"}
		}, []string{`failure triggers: names "oh_no" more than once`, `trigger "hooray": ends operations, but is on no edge`,
			`trigger "oh_no": ends operations, but is on no edge`}},
		{"a success that is a failure", func(s *fsm.Spec) { s.Fail = []fsm.Trigger{fsm.OperationFailed, fsm.OperationSucceeded} },
			[]string{`trigger "operation_succeeded": is both a success and a failure`}},
		{"other outcomes", func(s *fsm.Spec) { s.Succeed = []fsm.Trigger{"done"}; s.Fail = []fsm.Trigger{"broken"} },
			[]string{`trigger "done": ends operations, but is on no edge`, `trigger "broken": ends operations, but is on no edge`,
				`state "working": is transitional, but has no exit on success (done)`, `state "working": is transitional, but has no answer to failure (broken)`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := fsm.Spec{
				Kind:    "job",
				Initial: fsm.States("idle"),
				Final:   fsm.States("gone"),
				Limits:  map[fsm.State]time.Duration{"working": time.Minute},
				Edges: []fsm.Edge{
					edge("idle", "work_requested", "working"),
					edge("working", fsm.OperationSucceeded, "idle"),
					edge("working", fsm.OperationFailed, fsm.Origin),
					edge("idle", "delete_requested", "gone"),
					edge("gone", "delete_requested", fsm.Same),
				},
			}
			tt.do(&s)
			if got := faultsOf(t, s); !slices.Equal(got, tt.want) {
				t.Errorf("got  %s\nwant %s", strings.Join(got, "\n     "), strings.Join(tt.want, "\n     "))
			}
		})
	}
}

func TestNewListsAllFaultsAtOnce(t *testing.T) {
	_, err := fsm.New(fsm.Spec{
		Kind:    "bus",
		Initial: fsm.States("Idle"),
		Limits:  map[fsm.State]time.Duration{"working": 0},
		Edges: []fsm.Edge{
			{From: fsm.States("Idle"), On: "go", To: fsm.Origin},
			{From: fsm.States("Idle"), On: "go", To: "working"},
		},
	})
	const want = `fsm: machine "bus" has 9 faults: kind "bus": is reserved; state "Idle": is not a name of the form [a-z][a-z0-9_]*; ` +
		`state "working": has a limit of 0s: it must be more than 0; edge 1 (Idle, go): leads to the origin, which only transitional states have; ` +
		`edge 2 (Idle, go): is hidden by edge 1 for the same trigger, which has no guard; final states: are missing, and the machine isn't endless; ` +
		`state "working": is transitional, but has no exit on success (operation_succeeded); ` +
		`state "working": is transitional, but has no answer to failure (operation_failed); ` +
		`state "working": is transitional, but has no way to a steady or final state`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestMustNewPanicsWithTheFaults(t *testing.T) {
	defer func() {
		err, _ := recover().(error)
		var spec *fsm.SpecError
		if !errors.As(err, &spec) {
			t.Errorf("got %v, want a panic with a *SpecError", err)
		}
	}()
	fsm.MustNew(fsm.Spec{})
}
