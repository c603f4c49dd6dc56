package fsm

import "slices"

// row is an edge for one of its from states.
type row struct {
	from  State
	on    Trigger
	to    State
	guard Guard
	edge  int // which of Spec.Edges
}

// away reports whether the row leads to another state.
func (r row) away() bool { return r.to != Same && r.to != r.from }

// place is where a resource can be: a state and the origin it has there, "" in steady and final states.
type place struct{ state, origin State }

// plan is a Spec laid out for checking, compiling and drawing. It can be made of any Spec, however wrong.
type plan struct {
	spec     Spec
	states   []State   // in order of appearance: initial, from, to, final
	triggers []Trigger // in order of appearance
	class    map[State]Class
	rows     []row
	out      map[State][]row
	places   []place // that can be reached, in the order in which a walk from the initial states meets them
}

func newPlan(s Spec) *plan {
	p := &plan{spec: s, class: make(map[State]Class), out: make(map[State][]row)}
	p.collectStates()
	p.classify()
	p.collectRows()
	p.walk()
	return p
}

func (p *plan) collectStates() {
	p.addStates(p.spec.Initial)
	for _, e := range p.spec.Edges {
		p.addStates(e.From)
	}
	for _, e := range p.spec.Edges {
		if e.To != Same && e.To != Origin {
			p.addStates([]State{e.To})
		}
	}
	p.addStates(p.spec.Final)
}

func (p *plan) addStates(states []State) {
	for _, s := range states {
		if _, ok := p.class[s]; !ok {
			p.class[s] = Steady
			p.states = append(p.states, s)
		}
	}
}

// classify leaves a limited state that is also final to be final: check reports it.
func (p *plan) classify() {
	for s := range p.spec.Limits {
		if p.has(s) {
			p.class[s] = Transitional
		}
	}
	for _, s := range p.spec.Final {
		p.class[s] = Final
	}
}

func (p *plan) collectRows() {
	for i, e := range p.spec.Edges {
		if !slices.Contains(p.triggers, e.On) {
			p.triggers = append(p.triggers, e.On)
		}
		for _, from := range e.From {
			r := row{from: from, on: e.On, to: e.To, guard: e.If, edge: i}
			p.rows = append(p.rows, r)
			p.out[from] = append(p.out[from], r)
		}
	}
}

// walk visits every place that some sequence of triggers leads to, guards taken as holding.
func (p *plan) walk() {
	seen := make(map[place]bool)
	visit := func(at place) {
		if !seen[at] {
			seen[at] = true
			p.places = append(p.places, at)
		}
	}
	for _, s := range p.spec.Initial {
		visit(place{state: s})
	}
	for i := 0; i < len(p.places); i++ {
		for _, r := range p.out[p.places[i].state] {
			if next, ok := p.follow(p.places[i], r.to); ok {
				visit(next)
			}
		}
	}
}

// follow returns where an edge to `to` leads from a place; false if that is nowhere (an Origin without one).
func (p *plan) follow(at place, to State) (place, bool) {
	switch {
	case to == Same:
		return at, true
	case to == Origin:
		return place{state: at.origin}, at.origin != ""
	case p.class[to] != Transitional:
		return place{state: to}, true
	case p.class[at.state] == Transitional:
		return place{state: to, origin: at.origin}, true
	default:
		return place{state: to, origin: at.state}, true
	}
}

func (p *plan) has(s State) bool {
	_, ok := p.class[s]
	return ok
}

// origins lists the origins that s can have, without "".
func (p *plan) origins(s State) []State {
	var out []State
	for _, at := range p.places {
		if at.state == s && at.origin != "" {
			out = append(out, at.origin)
		}
	}
	return out
}
