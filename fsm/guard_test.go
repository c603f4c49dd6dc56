package fsm_test

import (
	"errors"
	"testing"

	"github.com/cloudbus-go/cloudbus/fsm"
)

func TestGuards(t *testing.T) {
	testNext(t, []nextTest{
		{"the first that holds wins", "idle", "", "clear_requested", 0, fsm.Step{To: "clearing", Origin: "idle", Moved: true}},
		{"the second holds", "idle", "", "clear_requested", 5, fsm.Step{To: "paused", Moved: true}},
		{"none holds, and the last edge has none", "idle", "", "clear_requested", 50, fsm.Step{To: "idle"}},
		{"edges without guards need no subject", "idle", "", "pause_requested", nil, fsm.Step{To: "paused", Moved: true}},
	})
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
