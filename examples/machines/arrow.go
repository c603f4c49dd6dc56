package main

import (
	"slices"
	"strings"

	"github.com/cloudbus-go/cloudbus/fsm"
)

// arrow is all triggers that lead from one state to another in the same way.
type arrow struct {
	from, to fsm.State
	way      way
	triggers []string // with their guards
}

type way int

const (
	leads  way = iota // to a state that the table names
	back              // to where it came from: an arrow for each origin there can be
	effect            // nowhere: accepted without effect
)

// label is what stands at the arrow.
func (a arrow) label() string {
	text := strings.Join(a.triggers, ", ")
	switch a.way {
	case back:
		return text + " (origin)"
	case effect:
		return "= " + text
	}
	return text
}

// arrowsFrom lists the ways out of a state, in order of declaration.
func arrowsFrom(m *fsm.Machine, from fsm.State) []arrow {
	var arrows []arrow
	for _, e := range m.Spec().Edges {
		if !slices.Contains(e.From, from) {
			continue
		}
		trigger := string(e.On)
		if name := e.If.Name(); name != "" {
			trigger += "[" + name + "]"
		}
		for _, a := range arrowsOf(m, from, e.To) {
			i := slices.IndexFunc(arrows, func(b arrow) bool { return a.to == b.to && a.way == b.way })
			if i < 0 {
				i, arrows = len(arrows), append(arrows, a)
			}
			arrows[i].triggers = append(arrows[i].triggers, trigger)
		}
	}
	return arrows
}

func arrowsOf(m *fsm.Machine, from, to fsm.State) []arrow {
	switch to {
	case fsm.Same:
		return []arrow{{from: from, to: from, way: effect}}
	case fsm.Origin:
		var arrows []arrow
		for _, origin := range m.Origins(from) {
			arrows = append(arrows, arrow{from: from, to: origin, way: back})
		}
		return arrows
	}
	return []arrow{{from: from, to: to}}
}
