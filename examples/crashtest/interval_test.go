package main

import (
	"slices"
	"testing"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// The table of meters is written out here once more, from the machine: in a transitional state those of its origin run on if an edge leads back there.
func TestMetersFollowTheMachine(t *testing.T) {
	steady := map[fsm.State][]string{
		vm.Stopped: {"vm.allocated"}, vm.Running: {"vm.allocated", "vm.running"}, vm.Paused: {"vm.allocated", "vm.running"},
	}
	for _, state := range vm.Machine.States() {
		if class, _ := vm.Machine.Class(state); class != fsm.Transitional {
			if got := meters(string(state), ""); !slices.Equal(got, steady[state]) {
				t.Errorf("%s: %v, want %v", state, got, steady[state])
			}
			continue
		}
		for _, origin := range vm.Machine.Origins(state) {
			var want []string
			if vm.Machine.Back(state, origin) {
				want = steady[origin]
			}
			if got := meters(string(state), string(origin)); !slices.Equal(got, want) {
				t.Errorf("%s from %s: %v, want %v", state, origin, got, want)
			}
		}
	}
}
