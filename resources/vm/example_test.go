package vm_test

import (
	"fmt"

	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// A failed migration leads back to where the VM came from.
func Example() {
	v := &vm.VM{}
	v.State = vm.Running
	step, _ := vm.Machine.Next(v.State, v.Origin, vm.MigrationRequested, v)
	fmt.Printf("%s, from %s\n", step.To, step.Origin)
	step, _ = vm.Machine.Next(step.To, step.Origin, vm.OperationFailed, v)
	fmt.Println(step.To)

	_, err := vm.Machine.Next(vm.Expunged, "", vm.ReportRunning, v)
	fmt.Println(err)
	// Output:
	// migrating, from running
	// running
	// fsm: vm cannot "report_running" in "expunged" (allowed: report_stopped, expunge_requested, destroy_requested)
}
