package resources_test

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources/network"
	"github.com/cloudbus-go/cloudbus/resources/nic"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"github.com/cloudbus-go/cloudbus/resources/volume"
)

var update = flag.Bool("update", false, "write the golden files and the drawings in doc.go")

// machines of the built-in kinds, in the order of LIFECYCLES.md.
var machines = []*fsm.Machine{vm.Machine, volume.Machine, nic.Machine, network.Machine}

// TestMachinesAreThoseOfTheTable keeps each machine and its golden file in step, so that no edge changes unnoticed.
func TestMachinesAreThoseOfTheTable(t *testing.T) {
	for _, m := range machines {
		t.Run(m.Kind(), func(t *testing.T) {
			golden(t, filepath.Join(m.Kind(), "testdata", "machine.md"), m.Table())
		})
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("differs from %s (go test -update writes it):\n%s", path, got)
	}
}

var drawing = regexp.MustCompile(`(?s)//\tstateDiagram-v2\n.*?package `)

// TestDocsDrawTheMachine keeps the drawing in each kind's doc.go in step with its machine.
func TestDocsDrawTheMachine(t *testing.T) {
	for _, m := range machines {
		t.Run(m.Kind(), func(t *testing.T) {
			path := filepath.Join(m.Kind(), "doc.go")
			doc, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var want strings.Builder
			for line := range strings.Lines(m.Mermaid()) {
				want.WriteString("//\t" + strings.TrimPrefix(line, "    "))
			}
			want.WriteString("package ")
			if *update {
				doc = drawing.ReplaceAllLiteral(doc, []byte(want.String()))
				if err := os.WriteFile(path, doc, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if !strings.Contains(string(doc), want.String()) {
				t.Errorf("the drawing in %s is not the machine's (go test -update writes it)", path)
			}
		})
	}
}

// TestMachinesAreThoseOfLifecycles compares rows, guards, targets, classes, initial states and limits with the document, both ways.
func TestMachinesAreThoseOfLifecycles(t *testing.T) {
	const path = "../../shared/LIFECYCLES.md"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Skipf("%s isn't there to compare with (the golden tables still are): %v", path, err)
	}
	for _, m := range machines {
		t.Run(m.Kind(), func(t *testing.T) {
			want := parseLifecycle(t, string(text), m.Kind())
			got := lifecycleOf(m)
			for _, part := range []struct {
				name      string
				got, want []string
			}{
				{"initial", got.initial, want.initial},
				{"final", got.final, want.final},
				{"limits", got.limits, want.limits},
				{"edges", got.edges, want.edges},
			} {
				compare(t, part.name, part.got, part.want)
			}
		})
	}
}

func compare(t *testing.T, what string, got, want []string) {
	t.Helper()
	if len(want) == 0 {
		t.Errorf("%s: found none in the document", what)
	}
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("%s: %q is missing", what, w)
		}
	}
	for _, g := range got {
		if !slices.Contains(want, g) {
			t.Errorf("%s: %q is not in the document", what, g)
		}
	}
	if t.Failed() {
		return
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: in another order: got %q, want %q", what, got, want)
	}
}

// lifecycle is a machine as text, to compare. Edges are in order where order matters: per state.
type lifecycle struct {
	initial, final, limits []string
	edges                  []string // "stopped: creation_failed[never_ran]→error", sorted by state
}

func lifecycleOf(m *fsm.Machine) lifecycle {
	spec := m.Spec()
	var l lifecycle
	for _, s := range spec.Initial {
		l.initial = append(l.initial, string(s))
	}
	for _, s := range spec.Final {
		l.final = append(l.final, string(s))
	}
	for _, s := range slices.Sorted(maps.Keys(spec.Limits)) {
		l.limits = append(l.limits, string(s)+" "+spec.Limits[s].String())
	}
	for _, e := range spec.Edges {
		for _, from := range e.From {
			on := string(e.On)
			if e.If.Name() != "" {
				on += "[" + e.If.Name() + "]"
			}
			l.edges = append(l.edges, string(from)+": "+on+"→"+string(e.To))
		}
	}
	l.sort()
	return l
}

// sort orders edges by state and leaves those of one state in their order.
func (l *lifecycle) sort() {
	slices.SortStableFunc(l.edges, func(a, b string) int {
		from, _, _ := strings.Cut(a, ":")
		other, _, _ := strings.Cut(b, ":")
		return strings.Compare(from, other)
	})
	slices.Sort(l.limits)
}

var (
	heading = regexp.MustCompile("^## ([a-z_]+) — initial (.*)$")
	quoted  = regexp.MustCompile("`([a-z_]+)`")
	marks   = regexp.MustCompile(`\(([tf])\)`)
)

// parseLifecycle reads the section of one kind.
func parseLifecycle(t *testing.T, text, kind string) lifecycle {
	t.Helper()
	var l lifecycle
	var transitional []string
	inside := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "## ") {
			h := heading.FindStringSubmatch(line)
			if inside = h != nil && h[1] == kind; inside {
				for _, s := range quoted.FindAllStringSubmatch(h[2], -1) {
					l.initial = append(l.initial, s[1])
				}
			}
			continue
		}
		if !inside {
			continue
		}
		if limits, ok := strings.CutPrefix(line, "Limits: "); ok {
			l.limits = parseLimits(t, limits)
		}
		if strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| from ") {
			from, class := l.parseRow(t, line)
			switch class {
			case "t":
				transitional = append(transitional, from...)
			case "f":
				l.final = append(l.final, from...)
			}
		}
	}
	for _, limit := range l.limits {
		if s, _, _ := strings.Cut(limit, " "); !slices.Contains(transitional, s) {
			t.Errorf("the document gives %s a limit, but doesn't mark it (t)", s)
		}
	}
	if len(transitional) != len(l.limits) {
		t.Errorf("the document marks %d states (t), but gives %d limits", len(transitional), len(l.limits))
	}
	l.sort()
	return l
}

func parseLimits(t *testing.T, text string) []string {
	t.Helper()
	var out []string
	for limit := range strings.SplitSeq(strings.TrimSuffix(text, "."), ", ") {
		s, length, _ := strings.Cut(limit, " ")
		d, err := time.ParseDuration(length)
		if err != nil {
			t.Fatalf("limit %q: %v", limit, err)
		}
		out = append(out, s+" "+d.String())
	}
	return out
}

// parseRow adds the edges of a row and returns its states and their mark: "t", "f" or "".
func (l *lifecycle) parseRow(t *testing.T, line string) (from []string, class string) {
	t.Helper()
	cells := strings.Split(strings.Trim(line, "| "), " | ")
	if len(cells) != 2 {
		t.Fatalf("a row of %d cells: %s", len(cells), line)
	}
	if m := marks.FindStringSubmatch(cells[0]); m != nil {
		class = m[1]
	}
	from = strings.Split(strings.TrimSpace(marks.ReplaceAllString(cells[0], "")), ", ")
	for _, s := range from {
		for edge := range strings.SplitSeq(cells[1], " · ") {
			l.edges = append(l.edges, s+": "+edge)
		}
	}
	return from, class
}
