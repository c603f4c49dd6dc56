package main

import (
	"encoding/csv"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/resources/all"
)

// TestMachinesAreThoseOfLifecycles compares what the command prints with the document, both ways: every edge with its guard and target,
// in order for each state; every state with its class and limit; where resources begin.
func TestMachinesAreThoseOfLifecycles(t *testing.T) {
	const path = "../../../shared/LIFECYCLES.md"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Skipf("%s isn't there to compare with (the golden files still are): %v", path, err)
	}
	document := readDocument(t, string(text))
	edges, states := rows(t, "csv"), rows(t, "states")
	initial := map[string][]string{}
	for _, m := range all.Machines() {
		for _, s := range m.Initial() {
			initial[m.Kind()] = append(initial[m.Kind()], string(s))
		}
	}
	compareKeys(t, "kinds", initial, document.initial)
	for kind := range initial {
		compare(t, kind+": initial states", initial[kind], document.initial[kind])
	}
	compareKeys(t, "states with edges", byState(edges), byState(document.edges))
	for state, want := range byState(document.edges) {
		compare(t, state, byState(edges)[state], want)
	}
	slices.Sort(states)
	slices.Sort(document.states)
	compare(t, "states", states, document.states)
}

// rows are the lines that the command prints, without the heading.
func rows(t *testing.T, format string) []string {
	t.Helper()
	records, err := csv.NewReader(strings.NewReader(output(t, "-format", format))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, r := range records[1:] {
		lines = append(lines, strings.Join(r, ","))
	}
	return lines
}

// byState puts rows that begin with kind,from under both.
func byState(edges []string) map[string][]string {
	out := map[string][]string{}
	for _, e := range edges {
		parts := strings.SplitN(e, ",", 3)
		state := parts[0] + "," + parts[1]
		out[state] = append(out[state], parts[2])
	}
	return out
}

func compareKeys(t *testing.T, what string, got, want map[string][]string) {
	t.Helper()
	compare(t, what, slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
}

func compare(t *testing.T, what string, got, want []string) {
	t.Helper()
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
	if !t.Failed() && !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// document is what LIFECYCLES.md says, in the form of the command's rows.
type document struct {
	initial       map[string][]string // by kind
	edges, states []string
}

var (
	section  = regexp.MustCompile("^## ([a-z_]+) — initial (.*)$")
	quoted   = regexp.MustCompile("`([a-z_]+)`")
	limited  = regexp.MustCompile(`([a-z_]+) ([0-9]+[mh])`)
	mark     = regexp.MustCompile(` *\(([tf])\)`)
	edge     = regexp.MustCompile(`^([a-z_]+)(?:\[([a-z_]+)\])?→([a-z_]+|=)$`)
	observed = regexp.MustCompile("(?:^| )([a-z_]+): `([a-z_]+)` \\(initial\\) ([a-z_` ]+), final `([a-z_]+)`[.]")
)

func readDocument(t *testing.T, text string) document {
	t.Helper()
	d := document{initial: map[string][]string{}}
	kind, limits := "", map[string]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "## ") {
			if kind, limits = "", map[string]string{}; section.MatchString(line) {
				h := section.FindStringSubmatch(line)
				kind = h[1]
				// What is said of a state in brackets names no others.
				for _, s := range quoted.FindAllStringSubmatch(h[2], -1) {
					d.initial[kind] = append(d.initial[kind], s[1])
				}
			}
			continue
		}
		switch said, isLimits := strings.CutPrefix(line, "Limits: "); {
		case kind == "":
			d.addObserved(line)
		case isLimits:
			for _, l := range limited.FindAllStringSubmatch(said, -1) {
				limits[l[1]] = l[2]
			}
		case strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| from "):
			d.addRow(t, kind, line, limits)
		}
	}
	return d
}

// addRow adds a line of a table: states, their mark, and their edges.
func (d *document) addRow(t *testing.T, kind, line string, limits map[string]string) {
	t.Helper()
	from, edges, ok := strings.Cut(strings.Trim(line, "| "), " | ")
	if !ok {
		t.Fatalf("%s: no row of two cells: %s", kind, line)
	}
	class := "steady"
	if m := mark.FindStringSubmatch(from); m != nil {
		class = map[string]string{"t": "transitional", "f": "final"}[m[1]]
		from = mark.ReplaceAllString(from, "")
	}
	for s := range strings.SplitSeq(from, ", ") {
		d.states = append(d.states, strings.Join([]string{kind, s, class, limits[s]}, ","))
		for text := range strings.SplitSeq(edges, " · ") {
			e := edge.FindStringSubmatch(strings.TrimSpace(text))
			if e == nil {
				t.Fatalf("%s, %s: no edge: %q", kind, s, text)
			}
			d.edges = append(d.edges, strings.Join([]string{kind, s, e[1], e[2], e[3]}, ","))
		}
	}
}

// addObserved adds the kinds whose state is what was last reported: report_x leads to x from every state but the final one, and is "=" in
// x itself.
func (d *document) addObserved(line string) {
	for _, o := range observed.FindAllStringSubmatch(line, -1) {
		kind, states, final := o[1], []string{o[2]}, o[4]
		for _, s := range quoted.FindAllStringSubmatch(o[3], -1) {
			states = append(states, s[1])
		}
		d.initial[kind] = states[:1]
		for _, from := range states {
			d.states = append(d.states, kind+","+from+",steady,")
			for _, to := range append(slices.Clone(states), final) {
				target := to
				if to == from {
					target = "="
				}
				d.edges = append(d.edges, kind+","+from+",report_"+to+",,"+target)
			}
		}
		d.states = append(d.states, kind+","+final+",final,")
		d.edges = append(d.edges, kind+","+final+",report_"+final+",,=")
	}
}
