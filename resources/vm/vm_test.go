package vm_test

import (
	"errors"
	"testing"

	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

func TestValidate(t *testing.T) {
	tests := []struct {
		name  string
		give  vm.VM
		field string // that is refused; "" for none
	}{
		{"nothing known", vm.VM{}, ""},
		{"all in order", vm.VM{CPUs: 1, MemoryMiB: 1}, ""},
		{"CPUs below 0", vm.VM{CPUs: -1}, "cpus"},
		{"memory below 0", vm.VM{MemoryMiB: -1}, "memory_mib"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.give.ID = "42"
			err := tt.give.Validate()
			var invalid *resources.InvalidError
			switch {
			case tt.field == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.field != "" && (!errors.As(err, &invalid) || invalid.Kind != vm.Kind || invalid.ID != "42" || invalid.Field != tt.field || invalid.Reason == ""):
				t.Errorf("got %#v, want an *InvalidError for %s", err, tt.field)
			}
		})
	}
}
