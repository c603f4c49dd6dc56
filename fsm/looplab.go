package fsm

import (
	"fmt"
	"maps"
	"slices"

	looplab "github.com/looplab/fsm"
)

// FromLooplab turns a table of github.com/looplab/fsm into the edges of a Spec; kind, initial and final states, limits
// and outcomes are left to complete. An event that leads from a state to itself becomes a Same edge, as that library
// neither moves nor calls a state's callbacks then. Names that can't be names here, and two events of the same name from
// one state, are a *SpecError that lists them.
func FromLooplab(events looplab.Events) (Spec, error) {
	var s Spec
	for _, e := range events {
		var moves, stays []State
		for _, src := range e.Src {
			if src == e.Dst {
				stays = append(stays, State(src))
				continue
			}
			moves = append(moves, State(src))
		}
		if len(moves) > 0 || len(stays) == 0 {
			s.Edges = append(s.Edges, Edge{From: moves, On: Trigger(e.Name), To: State(e.Dst)})
		}
		if len(stays) > 0 {
			s.Edges = append(s.Edges, Edge{From: stays, On: Trigger(e.Name), To: Same})
		}
	}
	var f faults
	p := newPlan(s)
	p.checkNamesOfEdges(&f)
	for i, e := range events {
		if State(e.Dst) == Same { // which would mean something else here
			checkName(&f, fmt.Sprintf("target of event %d (%s)", i+1, e.Name), e.Dst)
		}
	}
	p.checkEdges(&f)
	p.checkChoices(&f)
	if len(f) > 0 {
		return Spec{}, &SpecError{Kind: "looplab", Faults: f}
	}
	return s, nil
}

// Looplab hands out a live machine of github.com/looplab/fsm, in (state, origin), for code that wants one. That library
// knows no origins: a transitional state becomes one state for each origin, named "migrating@running". Same edges and
// moves to oneself become events that lead to the same state. Of callbacks for the same key the last wins.
//
// It can't express guards: machines with guarded edges are a *SpecError that lists them. A state or origin that this
// machine doesn't have is an *UnknownError.
func (m *Machine) Looplab(state, origin State, callbacks ...looplab.Callbacks) (*looplab.FSM, error) {
	if err := m.checkPlace(state, origin); err != nil {
		return nil, err
	}
	var f faults
	for _, r := range m.plan.rows {
		if r.guard.given {
			f.add(rowLabel(r), "has the guard %q, which looplab can't express", r.guard.name)
		}
	}
	if len(f) > 0 {
		return nil, &SpecError{Kind: m.Kind(), Faults: f}
	}
	all := looplab.Callbacks{}
	for _, c := range callbacks {
		maps.Copy(all, c)
	}
	return looplab.NewFSM(place{state, origin}.String(), m.plan.looplabEvents(), all), nil
}

// checkPlace refuses a state and an origin that don't go together.
func (m *Machine) checkPlace(state, origin State) error {
	if !m.Has(state) {
		return m.unknownState(state)
	}
	if slices.Contains(m.plan.places, place{state, origin}) {
		return nil
	}
	return m.unknownOrigin(state, origin)
}

func (p *plan) looplabEvents() looplab.Events {
	var events looplab.Events
	for _, at := range p.places {
		for _, r := range p.out[at.state] {
			to, _ := p.follow(at, r.to)
			events = append(events, looplab.EventDesc{Name: string(r.on), Src: []string{at.String()}, Dst: to.String()})
		}
	}
	return events
}

// String is the place's name in a looplab machine.
func (at place) String() string {
	if at.origin == "" {
		return string(at.state)
	}
	return fmt.Sprintf("%s@%s", at.state, at.origin)
}
