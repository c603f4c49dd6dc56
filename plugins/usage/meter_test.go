package usage

import (
	"fmt"
	"slices"
	"testing"

	"github.com/cloudbus-go/cloudbus/fsm"
)

// inSteadyStates is what runs in the steady states of the metered kinds; in others nothing does.
var inSteadyStates = map[string][]string{
	"vm stopped": {"vm.allocated"}, "vm running": {"vm.allocated", "vm.running"}, "vm paused": {"vm.allocated", "vm.running"},
	"volume ready": {"volume.allocated"}, "volume uploaded": {"volume.uploaded"},
	"nic reserved":        {"nic.reserved"},
	"network implemented": {"network.implemented"}, "network setup": {"network.implemented"},
	"public_ip allocated": {"public_ip.allocated"},
	"snapshot created":    {"snapshot.stored"}, "snapshot backed_up": {"snapshot.stored"},
	"template active": {"template.stored"}, "template inactive": {"template.stored"},
}

// inTransit is what runs in each transitional state, by the steady state that was left for it: what ran there, if an edge leads back.
var inTransit = map[string][]string{
	"vm starting from stopped":               {"vm.allocated"},
	"vm pausing from running":                {"vm.allocated", "vm.running"},
	"vm resuming from paused":                {"vm.allocated", "vm.running"},
	"vm stopping from running":               {"vm.allocated", "vm.running"},
	"vm stopping from paused":                {"vm.allocated", "vm.running"},
	"vm migrating from stopped":              {"vm.allocated"},
	"vm migrating from running":              {"vm.allocated", "vm.running"},
	"vm restoring from stopped":              {"vm.allocated"},
	"vm restoring from destroyed":            {},
	"vm expunging from stopped":              {},
	"vm expunging from destroyed":            {},
	"vm expunging from error":                {},
	"volume creating from allocated":         {},
	"volume resizing from ready":             {"volume.allocated"},
	"volume snapshotting from ready":         {"volume.allocated"},
	"volume reverting from ready":            {"volume.allocated"},
	"volume migrating from ready":            {"volume.allocated"},
	"volume attaching from ready":            {"volume.allocated"},
	"volume detaching from ready":            {"volume.allocated"},
	"volume uploading from allocated":        {},
	"volume uploading from upload_failed":    {},
	"volume copying from uploaded":           {"volume.uploaded"},
	"volume restoring from destroyed":        {},
	"volume expunging from destroyed":        {},
	"nic reserving from allocated":           {},
	"nic releasing from reserved":            {"nic.reserved"},
	"network implementing from allocated":    {},
	"network shutting_down from allocated":   {},
	"network shutting_down from implemented": {},
	"public_ip allocating from free":         {},
	"public_ip allocating from reserved":     {},
	"public_ip releasing from allocated":     {"public_ip.allocated"},
	"snapshot creating from allocated":       {},
	"snapshot backing_up from created":       {"snapshot.stored"},
	"snapshot backing_up from backed_up":     {"snapshot.stored"},
	"snapshot copying from backed_up":        {"snapshot.stored"},
	"snapshot destroying from allocated":     {},
	"snapshot destroying from created":       {},
	"snapshot destroying from backed_up":     {},
	"snapshot destroying from error":         {},
	"template uploading from not_uploaded":   {},
	"template uploading from upload_failed":  {},
}

func TestWhatRunsFollowsTheSteadyState(t *testing.T) {
	table := defaultTable(t)
	transits := 0
	for _, m := range builtin() {
		for _, state := range m.States() {
			origins := m.Origins(state)
			if len(origins) == 0 {
				checkRunning(t, table, m, state, "", inSteadyStates[m.Kind()+" "+string(state)])
			}
			for _, origin := range origins {
				name := fmt.Sprintf("%s %s from %s", m.Kind(), state, origin)
				want, known := inTransit[name]
				if transits++; !known {
					t.Errorf("%s isn't in the table", name)
				}
				checkRunning(t, table, m, state, origin, want)
			}
		}
	}
	if transits != len(inTransit) {
		t.Errorf("the table has %d rows, the machines %d", len(inTransit), transits)
	}
}

func checkRunning(t *testing.T, table *table, m *fsm.Machine, state, origin fsm.State, want []string) {
	t.Run(fmt.Sprintf("%s %s of %s", m.Kind(), state, origin), func(t *testing.T) {
		var got []string
		for _, meter := range running(m, table.meters[m.Kind()], state, origin) {
			got = append(got, meter.Name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("running %v, want %v", got, want)
		}
	})
}

func TestUnknownStatesRunNothing(t *testing.T) {
	table := defaultTable(t)
	for _, c := range []struct{ state, origin fsm.State }{{"gone", ""}, {"stopping", "gone"}, {"stopping", ""}, {"", "running"}} {
		checkRunning(t, table, table.machines["vm"], c.state, c.origin, nil)
	}
}
