package fsm

import (
	"fmt"
	"strings"
)

// DOT draws the machine in Graphviz's language. Transitional states are dashed, final ones have a double border; arrows
// of triggers that are accepted without effect are dotted, those back to the origin dashed.
func (m *Machine) DOT(opts ...DrawOption) string {
	d := m.draw(opts)
	var b strings.Builder
	fmt.Fprintf(&b, "digraph %q {\n", d.spec.Kind)
	b.WriteString("    node [shape=box, style=rounded];\n")
	for i, s := range d.spec.Initial {
		fmt.Fprintf(&b, "    \"*%d\" [shape=point];\n    \"*%d\" -> %q;\n", i, i, s)
	}
	for _, s := range d.states {
		fmt.Fprintf(&b, "    %q%s;\n", s, d.dotState(s))
	}
	for _, a := range d.arrows() {
		fmt.Fprintf(&b, "    %q -> %q [label=%q%s];\n", a.from, a.to, a.label(), a.dotStyle())
	}
	b.WriteString("}\n")
	return b.String()
}

func (d *drawing) dotState(s State) string {
	styles, attrs := []string{"rounded"}, []string{}
	if d.class[s] == Transitional {
		styles = append(styles, "dashed")
	}
	if d.class[s] == Final {
		attrs = append(attrs, "peripheries=2")
	}
	if s == d.current {
		styles = append(styles, "filled", "bold")
		attrs = append(attrs, `fillcolor="#ffd54f"`)
	}
	if len(styles) > 1 {
		attrs = append(attrs, fmt.Sprintf("style=%q", strings.Join(styles, ",")))
	}
	if len(attrs) == 0 {
		return ""
	}
	return " [" + strings.Join(attrs, ", ") + "]"
}

func (a arrow) dotStyle() string {
	switch {
	case a.same:
		return ", style=dotted"
	case a.back:
		return ", style=dashed"
	}
	return ""
}
