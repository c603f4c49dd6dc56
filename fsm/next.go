package fsm

import "slices"

// Step is what a trigger does.
type Step struct {
	To     State // the state after it
	Origin State // the origin after it; "" in steady and final states
	Moved  bool  // false for a Same edge: accepted, and nothing happened
}

// rule is the compiled edges of one (from, trigger). The first is held apart, as nearly all rules have only one.
type rule struct {
	from State
	on   Trigger
	edge
	more []edge
}

type edge struct {
	to      State
	origin  State // after the step, if do is set
	do      action
	moved   bool
	guard   func(subject any) (bool, error) // nil: none
	name    string                          // of the guard
	origins []State                         // goBack: what the origin may be
}

// action is what an edge does to the origin.
type action uint8

const (
	set    action = iota // to the state it leaves, or to "" where it arrives
	keep                 // between transitional states
	goBack               // and move there
)

func (p *plan) compile() lookup {
	var rules []*rule
	for _, row := range p.rows {
		i := slices.IndexFunc(rules, func(r *rule) bool { return r.from == row.from && r.on == row.on })
		if i >= 0 {
			rules[i].more = append(rules[i].more, p.compileRow(row))
			continue
		}
		rules = append(rules, &rule{from: row.from, on: row.on, edge: p.compileRow(row)})
	}
	return newLookup(rules)
}

func (p *plan) compileRow(r row) edge {
	e := edge{to: r.to, moved: r.to != Same, guard: r.guard.check, name: r.guard.name}
	if r.to == Same {
		e.to = r.from
	}
	transitional := p.class[r.from] == Transitional
	switch {
	case r.to == Origin:
		e.do, e.origins = goBack, p.origins(r.from)
	case transitional && p.class[e.to] == Transitional:
		e.do = keep
	case p.class[e.to] == Transitional:
		e.origin = r.from
	}
	return e
}

// Next asks what on does to a subject in (from, origin). It changes nothing, takes no lock, and allocates nothing unless
// it refuses. origin matters in transitional states only. Of several guarded edges the first whose guard holds is taken;
// subject is what guards look at, and may be nil where there are none.
//
// Errors: *TransitionError (no such edge here, or no guard held), *UnknownError (a state, a trigger or an origin that
// this machine doesn't have), *GuardError (a guard could not answer).
func (m *Machine) Next(from, origin State, on Trigger, subject any) (Step, error) {
	r := m.rules.find(from, on)
	if r == nil {
		return Step{}, m.refuse(from, origin, on, subject)
	}
	e := &r.edge
	if e.guard != nil {
		var err error
		if e, err = m.choose(r, from, on, subject); err != nil {
			return Step{}, err
		}
		if e == nil {
			return Step{}, m.refuse(from, origin, on, subject)
		}
	}
	to, after := e.to, e.origin
	switch e.do {
	case keep:
		after = origin
	case goBack:
		if !slices.Contains(e.origins, origin) {
			return Step{}, m.unknownOrigin(from, origin)
		}
		to = origin
	}
	return Step{To: to, Origin: after, Moved: e.moved}, nil
}

// choose returns the first edge whose guard holds; nil if none does.
func (m *Machine) choose(r *rule, from State, on Trigger, subject any) (*edge, error) {
	for i := -1; i < len(r.more); i++ {
		e := &r.edge
		if i >= 0 {
			e = &r.more[i]
		}
		if e.guard == nil {
			return e, nil
		}
		holds, err := e.guard(subject)
		if err != nil {
			return nil, newGuardError(m.Kind(), e.name, from, on, err)
		}
		if holds {
			return e, nil
		}
	}
	return nil, nil
}

// Allowed lists the triggers that Next would take now, Same edges included, in the order in which the edges of from are
// declared. Errors: *UnknownError for a state that this machine doesn't have, *GuardError for a guard that could not answer.
func (m *Machine) Allowed(from, origin State, subject any) ([]Trigger, error) {
	if !m.Has(from) {
		return nil, m.unknownState(from)
	}
	allowed := []Trigger{}
	for _, r := range m.plan.out[from] {
		if slices.Contains(allowed, r.on) {
			continue
		}
		ok, err := m.takes(from, origin, r.on, subject)
		if err != nil {
			return nil, err
		}
		if ok {
			allowed = append(allowed, r.on)
		}
	}
	return allowed, nil
}

// takes reports whether Next would take a trigger that from has an edge for.
func (m *Machine) takes(from, origin State, on Trigger, subject any) (bool, error) {
	r := m.rules.find(from, on)
	e, err := m.choose(r, from, on, subject)
	if e == nil || err != nil {
		return false, err
	}
	return e.do != goBack || slices.Contains(e.origins, origin), nil
}

// refuse finds out why a trigger isn't taken.
func (m *Machine) refuse(from, origin State, on Trigger, subject any) error {
	if !m.Has(from) {
		return m.unknownState(from)
	}
	if !m.Knows(on) {
		return &UnknownError{Kind: m.Kind(), What: "trigger", Name: string(on), Known: texts(m.plan.triggers)}
	}
	e := &TransitionError{Kind: m.Kind(), State: from, Origin: origin, Trigger: on}
	for _, r := range m.plan.out[from] {
		if r.on == on {
			e.Guards = append(e.Guards, r.guard.name)
			continue
		}
		// A guard that can't answer isn't what was asked: its trigger is left out.
		if ok, err := m.takes(from, origin, r.on, subject); ok && err == nil && !slices.Contains(e.Allowed, r.on) {
			e.Allowed = append(e.Allowed, r.on)
		}
	}
	return e
}

func (m *Machine) unknownState(s State) error {
	return &UnknownError{Kind: m.Kind(), What: "state", Name: string(s), Known: texts(m.plan.states)}
}

func (m *Machine) unknownOrigin(s, origin State) error {
	return &UnknownError{Kind: m.Kind(), What: "origin", Name: string(origin), State: s, Known: texts(m.plan.origins(s))}
}
