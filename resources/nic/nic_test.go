package nic_test

import (
	"errors"
	"testing"

	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/nic"
)

func TestValidate(t *testing.T) {
	tests := []struct {
		name  string
		give  nic.NIC
		field string // that is refused; "" for none
	}{
		{"nothing known", nic.NIC{}, ""},
		{"all in order", nic.NIC{MAC: "02:00:4c:9f:00:03", IPv4: "10.1.1.5", IPv4Gateway: "10.1.1.1", IPv6: "fd00:1::5", IPv6Gateway: "fe80::1"}, ""},
		{"device below 0", nic.NIC{DeviceID: -1}, "device_id"},
		{"MAC that is none", nic.NIC{MAC: "02:00:4c:9f:00"}, "mac"},
		{"MAC of 64 bits", nic.NIC{MAC: "02:00:5e:10:00:00:00:01"}, "mac"},
		{"IPv4 that is none", nic.NIC{IPv4: "10.1.1.256"}, "ipv4"},
		{"IPv4 with a mask", nic.NIC{IPv4: "10.1.1.5/24"}, "ipv4"},
		{"IPv6 in the place of IPv4", nic.NIC{IPv4: "fd00:1::5"}, "ipv4"},
		{"IPv4 in the place of IPv6", nic.NIC{IPv6: "10.1.1.5"}, "ipv6"},
		{"IPv4 in disguise", nic.NIC{IPv6: "::ffff:10.1.1.5"}, "ipv6"},
		{"IPv6 with a zone", nic.NIC{IPv6: "fe80::1%eth0"}, "ipv6"},
		{"gateway that is none", nic.NIC{IPv4Gateway: "router"}, "ipv4_gateway"},
		{"IPv6 gateway that is none", nic.NIC{IPv6Gateway: "10.1.1.1"}, "ipv6_gateway"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.give.ID = "42"
			err := tt.give.Validate()
			var invalid *resources.InvalidError
			switch {
			case tt.field == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.field != "" && (!errors.As(err, &invalid) || invalid.Kind != nic.Kind || invalid.ID != "42" || invalid.Field != tt.field || invalid.Reason == ""):
				t.Errorf("got %#v, want an *InvalidError for %s", err, tt.field)
			}
		})
	}
}
