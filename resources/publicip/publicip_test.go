package publicip_test

import (
	"errors"
	"testing"

	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/publicip"
)

func TestValidate(t *testing.T) {
	tests := []struct {
		name  string
		give  publicip.PublicIP
		field string // that is refused; "" for none
	}{
		{"nothing known", publicip.PublicIP{}, ""},
		{"all in order", publicip.PublicIP{Address: "203.0.113.5", Gateway: "203.0.113.1", VLAN: 4094, StaticNAT: true}, ""},
		{"IPv6", publicip.PublicIP{Address: "2001:db8::5", Gateway: "fe80::1", SourceNAT: true}, ""},
		{"address that is none", publicip.PublicIP{Address: "203.0.113.256"}, "address"},
		{"address with a mask", publicip.PublicIP{Address: "203.0.113.5/24"}, "address"},
		{"address with a zone", publicip.PublicIP{Address: "fe80::1%eth0"}, "address"},
		{"IPv4 in disguise", publicip.PublicIP{Address: "::ffff:203.0.113.5"}, "address"},
		{"gateway that is none", publicip.PublicIP{Gateway: "router"}, "gateway"},
		{"gateway of the other family", publicip.PublicIP{Address: "203.0.113.5", Gateway: "2001:db8::1"}, "gateway"},
		{"VLAN below 0", publicip.PublicIP{VLAN: -1}, "vlan"},
		{"VLAN beyond the last", publicip.PublicIP{VLAN: 4095}, "vlan"},
		{"both sorts of NAT", publicip.PublicIP{SourceNAT: true, StaticNAT: true}, "static_nat"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.give.ID = "42"
			err := tt.give.Validate()
			var invalid *resources.InvalidError
			switch {
			case tt.field == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.field != "" && (!errors.As(err, &invalid) || invalid.Kind != publicip.Kind || invalid.ID != "42" || invalid.Field != tt.field || invalid.Reason == ""):
				t.Errorf("got %#v, want an *InvalidError for %s", err, tt.field)
			}
		})
	}
}
