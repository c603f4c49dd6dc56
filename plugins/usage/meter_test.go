package usage

import (
	"fmt"
	"slices"
	"testing"

	"github.com/cloudbus-go/cloudbus/fsm"
)

func TestRunningFollowsTheSteadyState(t *testing.T) {
	table := defaultTable(t)
	for _, c := range []struct {
		kind          string
		state, origin fsm.State
		want          []string
	}{
		{"vm", "stopped", "", []string{"vm.allocated"}},
		{"vm", "running", "", []string{"vm.allocated", "vm.running"}},
		{"vm", "paused", "", []string{"vm.allocated", "vm.running"}},
		{"vm", "destroyed", "", nil},
		{"vm", "error", "", nil},
		{"vm", "starting", "stopped", []string{"vm.allocated"}},
		{"vm", "stopping", "running", []string{"vm.allocated", "vm.running"}},
		{"vm", "migrating", "stopped", []string{"vm.allocated"}},
		{"vm", "migrating", "running", []string{"vm.allocated", "vm.running"}},
		{"vm", "restoring", "destroyed", nil},
		{"vm", "expunging", "stopped", nil},
		{"vm", "expunged", "", nil},
		{"volume", "allocated", "", nil},
		{"volume", "creating", "allocated", nil},
		{"volume", "resizing", "ready", []string{"volume.allocated"}},
		{"volume", "copying", "uploaded", []string{"volume.uploaded"}},
		{"nic", "releasing", "reserved", []string{"nic.reserved"}},
		{"network", "setup", "", []string{"network.implemented"}},
		{"network", "shutting_down", "implemented", nil},
		{"network", "implementing", "allocated", nil},
	} {
		t.Run(fmt.Sprintf("%s %s of %s", c.kind, c.state, c.origin), func(t *testing.T) {
			var got []string
			for _, m := range running(table.machines[c.kind], table.meters[c.kind], c.state, c.origin) {
				got = append(got, m.Name)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("running %v, want %v", got, c.want)
			}
		})
	}
}
