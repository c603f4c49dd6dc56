package usage

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/cloudbus-go/cloudbus/fsm"
)

// Meter is one thing that is counted while a resource is in certain steady states.
type Meter struct {
	Kind   string                           // of resource: vm
	Name   string                           // <kind>.<what>: vm.running
	States []fsm.State                      // steady or final states in which it runs
	Size   func(snapshot any) (Size, error) // of the resource after a change (see SizeOf). Defaults to none: the zero Size.
}

// table is the meters and machines of all metered kinds, checked.
type table struct {
	machines map[string]*fsm.Machine
	meters   map[string][]Meter // by kind
}

var meterName = regexp.MustCompile(`^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$`)

// newTable checks meters against machines; later machines replace earlier ones of the same kind.
func newTable(meters []Meter, machines []*fsm.Machine) (*table, error) {
	t := &table{machines: make(map[string]*fsm.Machine), meters: make(map[string][]Meter)}
	for _, m := range machines {
		if m == nil {
			return nil, &OptionError{Option: "Machines", Reason: "one of them is nil"}
		}
		t.machines[m.Kind()] = m
	}
	for _, m := range meters {
		if err := t.check(m); err != nil {
			return nil, err
		}
		t.meters[m.Kind] = append(t.meters[m.Kind], m)
	}
	return t, nil
}

func (t *table) check(m Meter) error {
	fault := func(format string, args ...any) error {
		return &OptionError{Option: "Meters", Reason: fmt.Sprintf("meter %q: ", m.Name) + fmt.Sprintf(format, args...)}
	}
	machine := t.machines[m.Kind]
	switch {
	case !meterName.MatchString(m.Name) || !strings.HasPrefix(m.Name, m.Kind+"."):
		return fault("name isn't %s.<what> in [a-z][a-z0-9_]*", m.Kind)
	case machine == nil:
		return fault("no machine for kind %q (known: %s)", m.Kind, strings.Join(t.kinds(), ", "))
	case slices.ContainsFunc(t.meters[m.Kind], func(other Meter) bool { return other.Name == m.Name }):
		return fault("is there twice")
	case len(m.States) == 0:
		return fault("runs in no state")
	}
	for _, s := range m.States {
		if class, ok := machine.Class(s); !ok || class == fsm.Transitional {
			return fault("%q is no steady state of %s", s, m.Kind)
		}
	}
	return nil
}

// kinds lists the kinds that have a machine.
func (t *table) kinds() []string {
	kinds := make([]string, 0, len(t.machines))
	for kind := range t.machines {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	return kinds
}

// metered lists the kinds that have a meter.
func (t *table) metered() []string {
	var kinds []string
	for kind := range t.meters {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	return kinds
}

// names lists all meters.
func (t *table) names() []string {
	var names []string
	for _, meters := range t.meters {
		for _, m := range meters {
			names = append(names, m.Name)
		}
	}
	slices.Sort(names)
	return names
}

// kindOf returns the kind of a meter, "" if there is no such meter.
func (t *table) kindOf(meter string) string {
	for kind, meters := range t.meters {
		if slices.ContainsFunc(meters, func(m Meter) bool { return m.Name == meter }) {
			return kind
		}
	}
	return ""
}

// running returns those of a kind's meters that run in a state. What runs is a function of the steady state: in a transitional state the meters of its origin run on if an
// edge leads back there, and none otherwise.
func running(machine *fsm.Machine, meters []Meter, state, origin fsm.State) []Meter {
	if class, _ := machine.Class(state); class == fsm.Transitional {
		if !machine.Back(state, origin) {
			return nil
		}
		state = origin
	}
	var on []Meter
	for _, m := range meters {
		if slices.Contains(m.States, state) {
			on = append(on, m)
		}
	}
	return on
}
