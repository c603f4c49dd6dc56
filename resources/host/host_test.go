package host_test

import (
	"errors"
	"testing"

	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/host"
)

func TestValidate(t *testing.T) {
	tests := []struct {
		name  string
		give  host.Host
		field string // that is refused; "" for none
	}{
		{"nothing known", host.Host{}, ""},
		{"all in order", host.Host{CPUs: 1, MemoryMiB: 1, StorageGiB: 1, Address: "10.0.0.5", BMCAddress: "fd00:1::5"}, ""},
		{"CPUs below 0", host.Host{CPUs: -1}, "cpus"},
		{"memory below 0", host.Host{MemoryMiB: -1}, "memory_mib"},
		{"storage below 0", host.Host{StorageGiB: -1}, "storage_gib"},
		{"address that is none", host.Host{Address: "host-1"}, "address"},
		{"address with a port", host.Host{Address: "10.0.0.5:22"}, "address"},
		{"address with a zone", host.Host{Address: "fe80::1%eth0"}, "address"},
		{"controller's address that is none", host.Host{BMCAddress: "::ffff:10.0.0.5"}, "bmc_address"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.give.ID = "42"
			err := tt.give.Validate()
			var invalid *resources.InvalidError
			switch {
			case tt.field == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.field != "" && (!errors.As(err, &invalid) || invalid.Kind != host.Kind || invalid.ID != "42" || invalid.Field != tt.field || invalid.Reason == ""):
				t.Errorf("got %#v, want an *InvalidError for %s", err, tt.field)
			}
		})
	}
}
