package network

import (
	"fmt"
	"net/netip"

	"github.com/cloudbus-go/cloudbus/resources"
)

// Validate refuses unknown types, types that don't go with the state, VLANs that are none, and addresses that are none or
// don't go together, with a *resources.InvalidError.
func (n *Network) Validate() error {
	if err := n.checkType(); err != nil {
		return err
	}
	if n.VLAN < 0 || n.VLAN > 4094 {
		return n.invalid("vlan", "is %d: must be 1 to 4094, or 0 (none)", n.VLAN)
	}
	if err := n.checkAddresses("cidr", n.CIDR, "gateway", n.Gateway, "IPv4", netip.Addr.Is4); err != nil {
		return err
	}
	if err := n.checkAddresses("ipv6_cidr", n.IPv6CIDR, "ipv6_gateway", n.IPv6Gateway, "IPv6", isIPv6); err != nil {
		return err
	}
	if err := n.checkDNS("dns1", n.DNS1); err != nil {
		return err
	}
	return n.checkDNS("dns2", n.DNS2)
}

// checkType keeps shared networks out of the states of isolated ones and the other way round: a shared network that
// began in Allocated could be shut down while others use it.
func (n *Network) checkType() error {
	switch {
	case n.Type != "" && n.Type != Isolated && n.Type != Shared:
		return n.invalid("type", "is %q: must be %s or %s, or empty (unknown)", n.Type, Isolated, Shared)
	case n.State == "" || n.State == Deleted:
		return nil
	case n.Type == Shared && n.State != Setup:
		return n.invalid("state", "is %q: a shared network begins in %q", n.State, Setup)
	case n.Type == Isolated && n.State == Setup:
		return n.invalid("state", "is %q: an isolated network begins in %q", n.State, Allocated)
	}
	return nil
}

func (n *Network) checkAddresses(cidrField, cidr, gatewayField, gateway, family string, ok func(netip.Addr) bool) error {
	prefix, err := netip.ParsePrefix(cidr)
	if cidr != "" && (err != nil || !ok(prefix.Addr())) {
		return n.invalid(cidrField, "%q is not an %s network such as 10.1.1.0/24 or fd00:1::/64", cidr, family)
	}
	if cidr != "" && prefix.Masked() != prefix {
		return n.invalid(cidrField, "%q has bits set behind its mask: the network is %s", cidr, prefix.Masked())
	}
	if gateway == "" {
		return nil
	}
	addr, err := netip.ParseAddr(gateway)
	if err != nil || !ok(addr) {
		return n.invalid(gatewayField, "%q is not an %s address", gateway, family)
	}
	if cidr != "" && !prefix.Contains(addr) {
		return n.invalid(gatewayField, "%s is outside %s", gateway, cidr)
	}
	return nil
}

func (n *Network) checkDNS(field, server string) error {
	if _, err := netip.ParseAddr(server); server != "" && err != nil {
		return n.invalid(field, "%q is not an IP address", server)
	}
	return nil
}

// isIPv6 leaves out addresses with a zone, which mean something on one host only, and IPv4 ones in disguise.
func isIPv6(a netip.Addr) bool { return a.Is6() && a.Zone() == "" && !a.Is4In6() }

func (n *Network) invalid(field, reason string, args ...any) error {
	return &resources.InvalidError{Kind: Kind, ID: n.ID, Field: field, Reason: fmt.Sprintf(reason, args...)}
}
