package fsm

import (
	"slices"
	"strings"
)

// DrawOption changes a drawing.
type DrawOption func(*drawing)

// Current marks the state a resource is in. A state that the machine doesn't have marks nothing.
func Current(s State) DrawOption { return func(d *drawing) { d.current = s } }

// drawing is what the three formats have in common.
type drawing struct {
	*plan
	current State
}

func (m *Machine) draw(opts []DrawOption) *drawing {
	d := &drawing{plan: m.plan}
	for _, o := range opts {
		if o != nil {
			o(d)
		}
	}
	return d
}

// arrow is all triggers that lead from one state to another, in one line.
type arrow struct {
	from, to State
	same     bool // Same edges: accepted, nothing happens
	back     bool // Origin edges, drawn to each origin there can be
	labels   []string
}

// label joins the triggers, and tells Same edges and ways back to the origin from others.
func (a arrow) label() string {
	text := strings.Join(a.labels, ", ")
	switch {
	case a.same:
		return "= " + text
	case a.back:
		return text + " (origin)"
	}
	return text
}

// arrows lists what to draw between states, in order of appearance. An edge to Origin becomes one arrow for each origin.
func (d *drawing) arrows() []arrow {
	var out []arrow
	for _, s := range d.states {
		first := len(out)
		for _, r := range d.out[s] {
			for _, to := range d.targets(r) {
				a := arrow{from: s, to: to, same: r.to == Same, back: r.to == Origin}
				i := slices.IndexFunc(out[first:], func(b arrow) bool { return a.to == b.to && a.same == b.same && a.back == b.back })
				if i < 0 {
					i = len(out) - first
					out = append(out, a)
				}
				out[first+i].labels = append(out[first+i].labels, r.label())
			}
		}
	}
	return out
}

func (d *drawing) targets(r row) []State {
	switch r.to {
	case Same:
		return []State{r.from}
	case Origin:
		return d.origins(r.from)
	}
	return []State{r.to}
}

// label is the trigger, with the guard's name behind it if there is one.
func (r row) label() string {
	if r.guard.given {
		return string(r.on) + "[" + r.guard.name + "]"
	}
	return string(r.on)
}
