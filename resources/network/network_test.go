package network_test

import (
	"errors"
	"testing"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/network"
)

func in(s fsm.State, typ network.Type) network.Network {
	return network.Network{Object: resources.Object{State: s}, Type: typ}
}

func TestValidate(t *testing.T) {
	tests := []struct {
		name  string
		give  network.Network
		field string // that is refused; "" for none
	}{
		{"nothing known", network.Network{}, ""},
		{"all in order", network.Network{Type: network.Isolated, CIDR: "10.1.1.0/24", Gateway: "10.1.1.1", IPv6CIDR: "fd00:1::/64",
			IPv6Gateway: "fd00:1::1", VLAN: 4094, DNS1: "9.9.9.9", DNS2: "2620:fe::fe"}, ""},
		{"unknown type", network.Network{Type: "public"}, "type"},
		{"shared in setup", in(network.Setup, network.Shared), ""},
		{"shared and deleted", in(network.Deleted, network.Shared), ""},
		{"shared in allocated", in(network.Allocated, network.Shared), "state"},
		{"isolated in allocated", in(network.Allocated, network.Isolated), ""},
		{"isolated and implemented", in(network.Implemented, network.Isolated), ""},
		{"isolated in setup", in(network.Setup, network.Isolated), "state"},
		{"unknown type in setup", in(network.Setup, ""), ""},
		{"VLAN below 0", network.Network{VLAN: -1}, "vlan"},
		{"VLAN beyond the last", network.Network{VLAN: 4095}, "vlan"},
		{"CIDR that is none", network.Network{CIDR: "10.1.1.0"}, "cidr"},
		{"CIDR of a host", network.Network{CIDR: "10.1.1.5/24"}, "cidr"},
		{"IPv6 in the place of IPv4", network.Network{CIDR: "fd00:1::/64"}, "cidr"},
		{"IPv4 in the place of IPv6", network.Network{IPv6CIDR: "10.1.1.0/24"}, "ipv6_cidr"},
		{"gateway that is none", network.Network{Gateway: "router"}, "gateway"},
		{"gateway without a network", network.Network{Gateway: "10.1.1.1"}, ""},
		{"gateway outside the network", network.Network{CIDR: "10.1.1.0/24", Gateway: "10.1.2.1"}, "gateway"},
		{"IPv6 gateway outside the network", network.Network{IPv6CIDR: "fd00:1::/64", IPv6Gateway: "fd00:2::1"}, "ipv6_gateway"},
		{"IPv6 gateway of IPv4", network.Network{IPv6Gateway: "10.1.1.1"}, "ipv6_gateway"},
		{"name servers that are none", network.Network{DNS1: "dns"}, "dns1"},
		{"second name server that is none", network.Network{DNS1: "9.9.9.9", DNS2: "9.9.9"}, "dns2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.give.ID = "42"
			err := tt.give.Validate()
			var invalid *resources.InvalidError
			switch {
			case tt.field == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.field != "" && (!errors.As(err, &invalid) || invalid.Kind != network.Kind || invalid.ID != "42" || invalid.Field != tt.field || invalid.Reason == ""):
				t.Errorf("got %#v, want an *InvalidError for %s", err, tt.field)
			}
		})
	}
}
