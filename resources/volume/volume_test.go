package volume_test

import (
	"errors"
	"testing"

	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/volume"
)

func TestValidate(t *testing.T) {
	tests := []struct {
		name  string
		give  volume.Volume
		field string // that is refused; "" for none
	}{
		{"nothing known", volume.Volume{}, ""},
		{"all in order", volume.Volume{SizeGiB: 1, Format: "qcow2", DeviceID: 1}, ""},
		{"size below 0", volume.Volume{SizeGiB: -1}, "size_gib"},
		{"device below 0", volume.Volume{DeviceID: -1}, "device_id"},
		{"unknown format", volume.Volume{Format: "QCOW2"}, "format"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.give.ID = "42"
			err := tt.give.Validate()
			var invalid *resources.InvalidError
			switch {
			case tt.field == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.field != "" && (!errors.As(err, &invalid) || invalid.Kind != volume.Kind || invalid.ID != "42" || invalid.Field != tt.field || invalid.Reason == ""):
				t.Errorf("got %#v, want an *InvalidError for %s", err, tt.field)
			}
		})
	}
}
