package all_test

import (
	"slices"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources/vm"
	"github.com/cloudbus-go/cloudbus/resources/volume"
)

// model is what a resource must be after its history, by reading the table of its machine edge by edge. The engine knows nothing of it.
type model struct {
	spec     fsm.Spec
	state    fsm.State
	origin   fsm.State
	attached string             // a volume's VM
	entered  map[fsm.State]bool // states it was ever in
	version  uint64
	events   []string // types, one for each version
}

func newModel(m *fsm.Machine, in fsm.State) *model {
	return &model{spec: m.Spec(), state: in, entered: map[fsm.State]bool{in: true}, version: 1, events: []string{m.Kind() + ".created"}}
}

func (m *model) class(s fsm.State) fsm.Class {
	_, limited := m.spec.Limits[s]
	switch {
	case limited:
		return fsm.Transitional
	case slices.Contains(m.spec.Final, s):
		return fsm.Final
	}
	return fsm.Steady
}

// holds reads a guard's name as LIFECYCLES.md explains it.
func (m *model) holds(guard string) bool {
	switch guard {
	case "":
		return true
	case "never_ran":
		return !m.entered[vm.Running] && !m.entered[vm.Paused]
	case "attached":
		return m.attached != ""
	case "detached":
		return m.attached == ""
	case "created":
		return m.entered[volume.Ready]
	case "uploaded":
		return m.entered[volume.Uploaded]
	}
	panic("nobody knows what the guard " + guard + " means")
}

// target is where a trigger leads, as the table says it; false if it is refused.
func (m *model) target(on fsm.Trigger) (to fsm.State, ok bool) {
	for _, e := range m.spec.Edges {
		if e.On == on && slices.Contains(e.From, m.state) && m.holds(e.If.Name()) {
			return e.To, true
		}
	}
	return "", false
}

func (m *model) allowed(triggers []fsm.Trigger) []fsm.Trigger {
	var all []fsm.Trigger
	for _, on := range triggers {
		if _, ok := m.target(on); ok {
			all = append(all, on)
		}
	}
	slices.Sort(all)
	return all
}

// move does what a trigger that leads to `to` does. vmID is what the caller sets of a volume, if anything.
func (m *model) move(on fsm.Trigger, to fsm.State, vmID string) {
	from := m.state
	switch {
	case to == fsm.Origin:
		m.state, m.origin = m.origin, ""
	case m.class(to) != fsm.Transitional:
		m.state, m.origin = to, ""
	case m.class(from) == fsm.Transitional:
		m.state = to
	default:
		m.state, m.origin = to, from
	}
	m.entered[m.state] = true
	m.version++
	m.events = append(m.events, m.spec.Kind+".state."+string(m.state))
	if m.spec.Kind != volume.Kind {
		return
	}
	if vmID != "" {
		m.attached = vmID
	}
	if from == volume.Detaching && on == volume.OperationSucceeded || from == volume.Attaching && on == volume.OperationFailed {
		m.attached = ""
	}
}
