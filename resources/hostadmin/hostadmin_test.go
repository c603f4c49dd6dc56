package hostadmin_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/hostadmin"
)

func TestValidate(t *testing.T) {
	tests := []struct {
		name  string
		give  hostadmin.HostAdmin
		field string // that is refused; "" for none
	}{
		{"nothing known", hostadmin.HostAdmin{}, ""},
		{"all in order", hostadmin.HostAdmin{Reason: strings.Repeat("r", 1024), RequestedBy: strings.Repeat("w", 255)}, ""},
		{"reason too long", hostadmin.HostAdmin{Reason: strings.Repeat("r", 1025)}, "reason"},
		{"who too long", hostadmin.HostAdmin{RequestedBy: strings.Repeat("w", 256)}, "requested_by"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.give.ID = "42"
			err := tt.give.Validate()
			var invalid *resources.InvalidError
			switch {
			case tt.field == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.field != "" && (!errors.As(err, &invalid) || invalid.Kind != hostadmin.Kind || invalid.ID != "42" || invalid.Field != tt.field || invalid.Reason == ""):
				t.Errorf("got %#v, want an *InvalidError for %s", err, tt.field)
			}
		})
	}
}
