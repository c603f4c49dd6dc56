package fsm

import (
	"cmp"
	"maps"
	"slices"
)

// checkSteady wants a way on from each steady state, unless the machine is endless.
func (p *plan) checkSteady(f *faults) {
	if p.spec.Endless {
		return
	}
	if len(p.spec.Final) == 0 {
		f.add("final states", "are missing, and the machine isn't endless")
	}
	ending := p.ending()
	for _, s := range p.states {
		if p.class[s] != Steady {
			continue
		}
		reached := slices.Contains(p.places, place{state: s})
		switch {
		case !slices.ContainsFunc(p.out[s], row.away):
			f.add(stateLabel(s), "has no exit, isn't final, and the machine isn't endless")
		case reached && len(p.spec.Final) > 0 && !ending[place{state: s}]:
			f.add(stateLabel(s), "has no way to a final state, and the machine isn't endless")
		}
	}
}

// ending marks the places from which a final state can be reached.
func (p *plan) ending() map[place]bool {
	ending := make(map[place]bool)
	for _, at := range p.places {
		ending[at] = p.class[at.state] == Final
	}
	p.spread(ending)
	return ending
}

// spread marks every place from which an edge leads to a marked one, until there are no more.
func (p *plan) spread(marked map[place]bool) {
	for again := true; again; {
		again = false
		for _, at := range p.places {
			if !marked[at] && slices.ContainsFunc(p.out[at.state], func(r row) bool {
				next, ok := p.follow(at, r.to)
				return ok && marked[next]
			}) {
				marked[at], again = true, true
			}
		}
	}
}

// checkTransitional wants each transitional state to end: on success, on failure, and in the end in a steady state.
func (p *plan) checkTransitional(f *faults) {
	settling := make(map[place]bool)
	for _, at := range p.places {
		settling[at] = p.class[at.state] != Transitional
	}
	p.spread(settling)
	for _, s := range p.states {
		if p.class[s] != Transitional {
			continue
		}
		if !p.answers(s, p.spec.success(), row.away) {
			f.add(stateLabel(s), "is transitional, but has no exit on success (%s)", list(p.spec.success()))
		}
		if !p.answers(s, p.spec.failure(), func(r row) bool { return r.to != Same }) {
			f.add(stateLabel(s), "is transitional, but has no answer to failure (%s)", list(p.spec.failure()))
		}
		if slices.ContainsFunc(p.places, func(at place) bool { return at.state == s && !settling[at] }) {
			f.add(stateLabel(s), "is transitional, but has no way to a steady or final state")
		}
	}
}

// answers reports whether s has an edge on one of the triggers that is good enough.
func (p *plan) answers(s State, on []Trigger, good func(row) bool) bool {
	return slices.ContainsFunc(p.out[s], func(r row) bool {
		return slices.Contains(on, r.on) && good(r)
	})
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
