package fsm

import "slices"

// Step is what a trigger does.
type Step struct {
	To     State // the state after it
	Origin State // the origin after it; "" in steady and final states
	Moved  bool  // false for a Same edge: accepted, and nothing happened
}

// key is what Next looks up: one map access for a whole step.
type key struct {
	from State
	on   Trigger
}

// rule is the compiled edges of one (from, trigger). The first is held apart, as nearly all rules have only one.
type rule struct {
	edge
	more []edge
}

type edge struct {
	to     State
	do     action
	guard  func(subject any) (bool, error) // nil: none
	name   string                          // of the guard
	origin []State                         // goBack: what the origin may be
}

type action uint8

const (
	stay   action = iota // a Same edge of a steady or final state
	wait                 // a Same edge of a transitional state: keeps the origin
	arrive               // to a steady or final state
	depart               // steady to transitional: sets the origin
	carry                // transitional to transitional: keeps the origin
	goBack               // to the origin
)

func (p *plan) compile() map[key]*rule {
	rules := make(map[key]*rule, len(p.rows))
	for _, row := range p.rows {
		k := key{row.from, row.on}
		if r, ok := rules[k]; ok {
			r.more = append(r.more, p.compileRow(row))
			continue
		}
		rules[k] = &rule{edge: p.compileRow(row)}
	}
	return rules
}

func (p *plan) compileRow(r row) edge {
	e := edge{to: r.to, guard: r.guard.check, name: r.guard.name}
	transitional := p.class[r.from] == Transitional
	switch {
	case r.to == Same:
		e.to, e.do = r.from, stay
		if transitional {
			e.do = wait
		}
	case r.to == Origin:
		e.do, e.origin = goBack, p.origins(r.from)
	case p.class[r.to] != Transitional:
		e.do = arrive
	case transitional:
		e.do = carry
	default:
		e.do = depart
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
	r, ok := m.rules[key{from, on}]
	if !ok {
		return Step{}, m.refuse(from, origin, on, subject)
	}
	if r.guard == nil {
		return m.take(&r.edge, from, origin)
	}
	e, err := m.choose(r, from, on, subject)
	if err != nil {
		return Step{}, err
	}
	if e == nil {
		return Step{}, m.refuse(from, origin, on, subject)
	}
	return m.take(e, from, origin)
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

func (m *Machine) take(e *edge, from, origin State) (Step, error) {
	switch e.do {
	case stay:
		return Step{To: from}, nil
	case wait:
		return Step{To: from, Origin: origin}, nil
	case depart:
		return Step{To: e.to, Origin: from, Moved: true}, nil
	case carry:
		return Step{To: e.to, Origin: origin, Moved: true}, nil
	case goBack:
		if !slices.Contains(e.origin, origin) {
			return Step{}, &UnknownError{Kind: m.Kind(), What: "origin", Name: string(origin), State: from, Known: texts(e.origin)}
		}
		return Step{To: origin, Moved: true}, nil
	}
	return Step{To: e.to, Moved: true}, nil
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
	r := m.rules[key{from, on}]
	e, err := m.choose(r, from, on, subject)
	if e == nil || err != nil {
		return false, err
	}
	return e.do != goBack || slices.Contains(e.origin, origin), nil
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
