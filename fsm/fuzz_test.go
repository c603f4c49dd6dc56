package fsm_test

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	looplab "github.com/looplab/fsm"

	"github.com/cloudbus-go/cloudbus/fsm"
)

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// FuzzNames: a kind is accepted if, and only if, it has the form of a name and isn't reserved.
func FuzzNames(f *testing.F) {
	for _, s := range []string{"", "vm", "public_ip", "_x", "9", "a9_", "VM", "ä", "a b", "bus", "origin", "a\n", "a\x00"} {
		f.Add(s)
	}
	reserved := []string{"action", "alert", "usage", "status", "bus"}
	f.Fuzz(func(t *testing.T, kind string) {
		s := power(false)
		s.Kind = kind
		_, err := fsm.New(s)
		if want := nameForm.MatchString(kind) && !slices.Contains(reserved, kind); (err == nil) != want {
			t.Errorf("%q: %v", kind, err)
		}
	})
}

// FuzzSpec makes a spec of any text: New never panics, and what it accepts keeps its promises on every way through it.
// The text has lines of "states: trigger[guard]→target · …"; "!" marks a state initial, "#" final, "~" transitional.
func FuzzSpec(f *testing.F) {
	f.Add("!a: go→b · end→#c\n~b: operation_succeeded→a · operation_failed→origin", false)
	f.Add("!~a: operation_succeeded→b · operation_failed→a\nb: x[g]→a · x[h]→= · x→b", true)
	f.Add("a, a: x→origin\n#b: x→a\n~origin: →=", false)
	f.Add("!~a: operation_succeeded→~b · operation_failed→origin\n~b: operation_succeeded→a · operation_failed→b", true)
	for _, l := range lifecycles() {
		text := scribble(l)
		again := scribbled(text)
		again.Endless = l.Endless
		if _, err := fsm.New(again); err != nil && l.Kind != "host" { // a host's outcomes have names of their own
			f.Fatalf("%s doesn't survive being written down: %v", l.Kind, err)
		}
		f.Add(text, l.Endless)
	}
	f.Fuzz(func(t *testing.T, text string, endless bool) {
		s := scribbled(text)
		s.Endless = endless
		m, err := fsm.New(s)
		if err != nil {
			var spec *fsm.SpecError
			if m != nil || !errors.As(err, &spec) || len(spec.Faults) == 0 || err.Error() == "" {
				t.Fatalf("got %v, %#v", m, err)
			}
			return
		}
		for _, state := range m.Initial() {
			explore(t, m, fsm.Step{To: state}, map[fsm.Step]bool{})
		}
		if m.Mermaid() == "" || m.DOT() == "" || m.Table() == "" {
			t.Error("draws nothing")
		}
	})
}

// scribble writes a spec down as FuzzSpec's text.
func scribble(s fsm.Spec) string {
	var text strings.Builder
	for _, e := range s.Edges {
		for _, from := range e.From {
			if slices.Contains(s.Initial, from) {
				text.WriteString("!")
			}
			if _, ok := s.Limits[from]; ok {
				text.WriteString("~")
			}
			text.WriteString(string(from) + ": " + string(e.On))
			if e.If.Name() != "" {
				text.WriteString("[" + e.If.Name() + "]")
			}
			text.WriteString("→")
			if slices.Contains(s.Final, e.To) {
				text.WriteString("#")
			}
			text.WriteString(string(e.To) + "\n")
		}
	}
	return text.String()
}

// scribbled reads a spec out of text that may be anything.
func scribbled(text string) fsm.Spec {
	s := fsm.Spec{Kind: "thing", Limits: map[fsm.State]time.Duration{}, Edges: edges(text)}
	mark := func(state fsm.State) fsm.State {
		plain := fsm.State(strings.TrimLeft(string(state), "!#~"))
		for _, c := range string(state[:len(state)-len(plain)]) {
			switch c {
			case '!':
				s.Initial = appendNew(s.Initial, plain)
			case '#':
				s.Final = appendNew(s.Final, plain)
			case '~':
				s.Limits[plain] = time.Minute
			}
		}
		return plain
	}
	for i := range s.Edges {
		for j := range s.Edges[i].From {
			s.Edges[i].From[j] = mark(s.Edges[i].From[j])
		}
		s.Edges[i].To = mark(s.Edges[i].To)
	}
	return s
}

func appendNew(states []fsm.State, s fsm.State) []fsm.State {
	if slices.Contains(states, s) {
		return states
	}
	return append(states, s)
}

// explore takes every trigger from every place, with all guards holding and with none.
func explore(t *testing.T, m *fsm.Machine, at fsm.Step, seen map[fsm.Step]bool) {
	at.Moved = false
	if seen[at] {
		return
	}
	seen[at] = true
	class, ok := m.Class(at.To)
	if !ok {
		t.Fatalf("led to %q, which isn't a state", at.To)
	}
	if at.Origin != "" && (class != fsm.Transitional || !slices.Contains(m.Origins(at.To), at.Origin)) {
		t.Fatalf("in %s, which is %v, with the origin %q", at.To, class, at.Origin)
	}
	for _, subject := range []facts{func(string) bool { return true }, func(string) bool { return false }} {
		for _, on := range m.Triggers() {
			next, err := m.Next(at.To, at.Origin, on, subject)
			var refused *fsm.TransitionError
			if err != nil && !errors.As(err, &refused) {
				t.Fatalf("%s in %+v: %v", on, at, err)
			}
			if err == nil {
				explore(t, m, next, seen)
			}
		}
	}
}

// FuzzFromLooplab: any table is either refused or becomes edges that New can look at.
func FuzzFromLooplab(f *testing.F) {
	f.Add("open", "closed", "open", "close", "open", "closed")
	f.Add("", "", "", "a", "b", "b")
	f.Fuzz(func(t *testing.T, name1, src1, dst1, name2, src2, dst2 string) {
		s, err := fsm.FromLooplab(looplab.Events{
			{Name: name1, Src: []string{src1, src2}, Dst: dst1},
			{Name: name2, Src: []string{src2}, Dst: dst2},
		})
		if err != nil {
			return
		}
		s.Kind, s.Initial, s.Endless = "thing", fsm.States(fsm.State(src1)), true
		if _, err := fsm.New(s); err != nil && !strings.Contains(err.Error(), "can't be reached") {
			t.Errorf("%+v: %v", s, err)
		}
	})
}
