package fsm

import (
	"fmt"
	"slices"
	"strings"
)

// mermaidWords can't be used as names of states in a Mermaid diagram.
var mermaidWords = []string{"as", "class", "click", "default", "direction", "end", "fork", "href", "join", "note", "scale", "state", "style"}

// Mermaid draws the machine as a Mermaid state diagram. Triggers between the same two states share an arrow; "=" stands
// before those that are accepted without effect, "(origin)" behind those that lead back to the origin.
func (m *Machine) Mermaid(opts ...DrawOption) string {
	d := m.draw(opts)
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n")
	for _, s := range d.states {
		if id := mermaidID(s); id != string(s) {
			fmt.Fprintf(&b, "    state %q as %s\n", s, id)
		}
	}
	for _, s := range d.spec.Initial {
		fmt.Fprintf(&b, "    [*] --> %s\n", mermaidID(s))
	}
	for _, a := range d.arrows() {
		fmt.Fprintf(&b, "    %s --> %s: %s\n", mermaidID(a.from), mermaidID(a.to), a.label())
	}
	for _, s := range d.spec.Final {
		fmt.Fprintf(&b, "    %s --> [*]\n", mermaidID(s))
	}
	d.mermaidClasses(&b)
	return b.String()
}

func (d *drawing) mermaidClasses(b *strings.Builder) {
	var transitional []string
	for _, s := range d.states {
		if d.class[s] == Transitional {
			transitional = append(transitional, mermaidID(s))
		}
	}
	if len(transitional) > 0 {
		b.WriteString("    classDef transitional stroke-dasharray: 4 3\n")
		fmt.Fprintf(b, "    class %s transitional\n", strings.Join(transitional, ","))
	}
	if d.has(d.current) {
		b.WriteString("    classDef current fill:#ffd54f,stroke-width:3px\n")
		fmt.Fprintf(b, "    class %s current\n", mermaidID(d.current))
	}
}

// mermaidID is the state's name, or for Mermaid's own words one that no state can have.
func mermaidID(s State) string {
	if slices.Contains(mermaidWords, string(s)) {
		return "S_" + string(s)
	}
	return string(s)
}
