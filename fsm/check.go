package fsm

import (
	"fmt"
	"slices"
	"strconv"
)

// reservedKinds are the first tokens of event types that belong to no kind.
var reservedKinds = []string{"action", "alert", "usage", "status", "bus"}

// faults collects what is wrong.
type faults []Fault

func (f *faults) add(where, format string, args ...any) {
	*f = append(*f, Fault{where, fmt.Sprintf(format, args...)})
}

// check lists all faults of the spec: names first, then the lists, the edges, and what follows from all together.
func (p *plan) check() []Fault {
	var f faults
	p.checkNames(&f)
	p.checkStates(&f)
	p.checkOutcomes(&f)
	p.checkEdges(&f)
	p.checkChoices(&f)
	p.checkReach(&f)
	p.checkSteady(&f)
	p.checkTransitional(&f)
	return f
}

func (p *plan) checkNames(f *faults) {
	checkName(f, "kind "+strconv.Quote(p.spec.Kind), p.spec.Kind)
	if slices.Contains(reservedKinds, p.spec.Kind) {
		f.add("kind "+strconv.Quote(p.spec.Kind), "is reserved")
	}
	p.checkNamesOfEdges(f)
}

// checkNamesOfEdges looks at states, triggers and guards.
func (p *plan) checkNamesOfEdges(f *faults) {
	for _, s := range p.states {
		checkName(f, stateLabel(s), string(s))
		if s == Origin {
			f.add(stateLabel(s), "is reserved: it is only a target")
		}
	}
	for _, t := range p.triggers {
		checkName(f, "trigger "+strconv.Quote(string(t)), string(t))
	}
	var seen []string
	for _, e := range p.spec.Edges {
		if e.If.given && !slices.Contains(seen, e.If.name) {
			seen = append(seen, e.If.name)
			checkName(f, "guard "+strconv.Quote(e.If.name), e.If.name)
		}
	}
}

func checkName(f *faults, where, name string) {
	switch {
	case name == "":
		f.add(where, "has no name")
	case !validName(name):
		f.add(where, "is not a name of the form [a-z][a-z0-9_]*")
	}
}

// validName reports whether name is [a-z][a-z0-9_]*.
func validName(name string) bool {
	for i := range len(name) {
		c := name[i]
		letter := c >= 'a' && c <= 'z'
		if !letter && (i == 0 || c != '_' && (c < '0' || c > '9')) {
			return false
		}
	}
	return name != ""
}

// checkStates looks at what the spec says of states outside its edges.
func (p *plan) checkStates(f *faults) {
	if len(p.spec.Initial) == 0 {
		f.add("initial states", "are missing")
	}
	if len(p.spec.Edges) == 0 {
		f.add("edges", "are missing")
	}
	checkTwice(f, "initial states", p.spec.Initial)
	checkTwice(f, "final states", p.spec.Final)
	for _, s := range sortedKeys(p.spec.Limits) {
		switch {
		case !p.has(s):
			f.add(stateLabel(s), "has a limit, but is on no edge")
		case slices.Contains(p.spec.Final, s):
			f.add(stateLabel(s), "is final, so it can have no limit")
		}
		if d := p.spec.Limits[s]; d <= 0 {
			f.add(stateLabel(s), "has a limit of %v: it must be more than 0", d)
		}
	}
}

// checkOutcomes looks at Succeed and Fail.
func (p *plan) checkOutcomes(f *faults) {
	checkTwice(f, "success triggers", p.spec.Succeed)
	checkTwice(f, "failure triggers", p.spec.Fail)
	named := slices.Concat(p.spec.Succeed, p.spec.Fail)
	for i, t := range named {
		if !slices.Contains(p.triggers, t) && !slices.Contains(named[:i], t) {
			f.add("trigger "+strconv.Quote(string(t)), "ends operations, but is on no edge")
		}
	}
	for _, t := range p.spec.success() {
		if slices.Contains(p.spec.failure(), t) {
			f.add("trigger "+strconv.Quote(string(t)), "is both a success and a failure")
		}
	}
}

func (p *plan) checkEdges(f *faults) {
	for i, e := range p.spec.Edges {
		where := edgeLabel(i, e)
		if len(e.From) == 0 {
			f.add(where, "comes from no state")
		}
		checkTwice(f, where, e.From)
		if e.If.given && e.If.check == nil {
			f.add(where, "guard %q has no condition", e.If.name)
		}
	}
	for _, r := range p.rows {
		if p.class[r.from] == Final && r.to != Same {
			f.add(rowLabel(r), "leads on from a final state, where only Same can be")
		}
		if r.to == Origin {
			p.checkOrigin(f, r)
		}
	}
}

// checkOrigin refuses an Origin that a resource could meet without having one.
func (p *plan) checkOrigin(f *faults, r row) {
	switch {
	case p.class[r.from] == Final: // reported above
	case p.class[r.from] != Transitional:
		f.add(rowLabel(r), "leads to the origin, which only transitional states have")
	case slices.Contains(p.places, place{state: r.from}):
		f.add(rowLabel(r), "leads to the origin, but %q can be entered without one", r.from)
	}
}

// checkChoices looks at edges for the same (from, trigger).
func (p *plan) checkChoices(f *faults) {
	for _, s := range p.states {
		for i, r := range p.out[s] {
			for _, earlier := range p.out[s][:i] {
				if earlier.on != r.on {
					continue
				}
				if !earlier.guard.given {
					f.add(rowLabel(r), "is hidden by edge %d for the same trigger, which has no guard", earlier.edge+1)
					break
				}
				if earlier.guard.name == r.guard.name {
					f.add(rowLabel(r), "has the same guard %q as edge %d for the same trigger", r.guard.name, earlier.edge+1)
					break
				}
			}
		}
	}
}

func (p *plan) checkReach(f *faults) {
	if len(p.spec.Initial) == 0 {
		return
	}
	for _, s := range p.states {
		if !slices.ContainsFunc(p.places, func(at place) bool { return at.state == s }) {
			f.add(stateLabel(s), "can't be reached from an initial state")
		}
	}
}

// checkTwice reports what a list names more than once, once each.
func checkTwice[S ~string](f *faults, where string, names []S) {
	for i, n := range names {
		if slices.Contains(names[:i], n) && !slices.Contains(names[i+1:], n) {
			f.add(where, "names %q more than once", n)
		}
	}
}

func stateLabel(s State) string { return "state " + strconv.Quote(string(s)) }

func rowLabel(r row) string { return fmt.Sprintf("edge %d (%s, %s)", r.edge+1, r.from, r.on) }

func edgeLabel(i int, e Edge) string {
	return fmt.Sprintf("edge %d (%s, %s)", i+1, list(e.From), e.On)
}
