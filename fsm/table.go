package fsm

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Table writes the machine as a Markdown table, one row for each state. An edge is "trigger→target", with the guard's name
// in brackets behind the trigger; "=" is a target that changes nothing, "origin" the way back to where it came from.
// The current state, if one is given, is in bold.
func (m *Machine) Table(opts ...DrawOption) string {
	d := m.draw(opts)
	var b strings.Builder
	b.WriteString("| state | class | limit | edges |\n|---|---|---|---|\n")
	for _, s := range d.states {
		name, class := string(s), d.class[s].String()
		if s == d.current {
			name = "**" + name + "**"
		}
		if slices.Contains(d.spec.Initial, s) {
			class = "initial, " + class
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", name, class, d.limit(s), d.edges(s))
	}
	return b.String()
}

func (d *drawing) edges(s State) string {
	var edges []string
	for _, r := range d.out[s] {
		edges = append(edges, r.label()+"→"+string(r.to))
	}
	return strings.Join(edges, " · ")
}

func (d *drawing) limit(s State) string {
	if limit, ok := d.spec.Limits[s]; ok {
		return shortDuration(limit)
	}
	return ""
}

// shortDuration writes 10m0s as 10m.
func shortDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
