package status

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cloudbus-go/cloudbus/fsm"
)

// Intake says how a server takes what is reported of a service type.
type Intake struct {
	ServiceType
	Triggers map[Status]fsm.Trigger // What a status fires at the resource. One that isn't here is observed only.
	Agree    map[Status][]fsm.State // The steady states that agree with a status; with one that isn't here all do.
	Schema   []byte                 // A JSON Schema of an observation's data. Defaults to one made of the statuses and aliases.
}

// Intakes returns how servers take the built-in service types. The maps are the caller's.
func Intakes() []Intake {
	return []Intake{
		{
			ServiceType: VM,
			Triggers: map[Status]fsm.Trigger{
				Running: "report_running", Stopped: "report_stopped", Paused: "report_paused",
				Deleted: "report_stopped", // the guest is gone; that the resource isn't is a disagreement
			},
			Agree: map[Status][]fsm.State{
				Provisioning: {"stopped"}, Running: {"running"}, Stopping: {"stopped"}, Stopped: {"stopped", "destroyed", "error", "expunged"},
				Paused: {"paused"}, Deleting: {"destroyed", "expunged"}, Deleted: {"destroyed", "expunged"}, Error: {"error"},
			},
		},
		{ServiceType: Container, Triggers: reportAll(Container), Agree: agreeByName(Container)},
		{ServiceType: Cluster, Triggers: reportAll(Cluster), Agree: agreeByName(Cluster)},
		{
			ServiceType: Storage,
			Agree: map[Status][]fsm.State{
				Provisioning: {"allocated"}, Running: {"ready", "uploaded"}, Failed: {"upload_failed"},
				Deleting: {"destroyed", "expunged"}, Deleted: {"destroyed", "expunged"},
			},
		},
		{
			ServiceType: Network,
			Agree: map[Status][]fsm.State{
				Pending: {"allocated", "setup"}, Ready: {"implemented", "setup"}, Deleted: {"allocated", "setup", "deleted"},
			},
		},
	}
}

// reportAll has each status fire report_<status>.
func reportAll(t ServiceType) map[Status]fsm.Trigger {
	all := map[Status]fsm.Trigger{}
	for _, s := range t.Statuses {
		all[s] = fsm.Trigger("report_" + strings.ToLower(string(s)))
	}
	return all
}

// agreeByName has each status agree with the state of its name.
func agreeByName(t ServiceType) map[Status][]fsm.State {
	all := map[Status][]fsm.State{}
	for _, s := range t.Statuses {
		all[s] = fsm.States(fsm.State(strings.ToLower(string(s))))
	}
	return all
}

// check finds what keeps an intake from being used with a machine.
func (t *Intake) check(m *fsm.Machine) error {
	for _, s := range slices.Concat(slices.Collect(maps.Keys(t.Triggers)), slices.Collect(maps.Keys(t.Agree))) {
		if !slices.Contains(t.Statuses, s) {
			return fmt.Errorf("status: service type %q has no status %q (allowed: %v)", t.Name, s, t.Statuses)
		}
	}
	for s, on := range t.Triggers {
		if !m.Knows(on) {
			return fmt.Errorf("status: service type %q: %s fires %q, which the machine of %s doesn't know (allowed: %v)", t.Name, s, on, t.Kind, m.Triggers())
		}
	}
	for s, states := range t.Agree {
		for _, state := range states {
			if !m.Has(state) {
				return fmt.Errorf("status: service type %q: %s agrees with %q, which the machine of %s doesn't have (allowed: %v)", t.Name, s, state, t.Kind, m.States())
			}
		}
	}
	return nil
}

// agrees reports whether a status says the same as a resource's own state. With a transitional state everything agrees: it is on its way.
func (t *Intake) agrees(m *fsm.Machine, s Status, state fsm.State) bool {
	states, compared := t.Agree[s]
	if !compared || slices.Contains(states, state) {
		return true
	}
	class, _ := m.Class(state)
	return class == fsm.Transitional
}
