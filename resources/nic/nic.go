package nic

import (
	"embed"
	"fmt"
	"io/fs"
	"net"
	"net/netip"

	"github.com/cloudbus-go/cloudbus/resources"
)

// NIC is a network interface of a VM. What isn't known is left empty or 0.
type NIC struct {
	resources.Object
	VMID        string `json:"vm_id,omitempty" cloudbus:"ref=vm" gorm:"column:vm_id;type:text;not null"`
	NetworkID   string `json:"network_id,omitempty" cloudbus:"ref=network" gorm:"column:network_id;type:text;not null"`
	DeviceID    int    `json:"device_id" gorm:"column:device_id;type:bigint;not null"`    // its place among the VM's NICs, from 0
	IsDefault   bool   `json:"is_default" gorm:"column:is_default;type:boolean;not null"` // the VM's way out
	MAC         string `json:"mac,omitempty" gorm:"column:mac;type:text;not null"`        // 48 bits: 02:00:4c:9f:00:03
	IPv4        string `json:"ipv4,omitempty" gorm:"column:ipv4;type:text;not null"`
	IPv4Gateway string `json:"ipv4_gateway,omitempty" gorm:"column:ipv4_gateway;type:text;not null"`
	IPv6        string `json:"ipv6,omitempty" gorm:"column:ipv6;type:text;not null"`
	IPv6Gateway string `json:"ipv6_gateway,omitempty" gorm:"column:ipv6_gateway;type:text;not null"`
}

// Changed is the event of a NIC.
type Changed = resources.Changed[NIC]

//go:embed migrations/*.sql
var migrations embed.FS

// TableName is the table that holds NICs.
func (NIC) TableName() string { return "nics" }

// Migrations is the SQL of the table.
func (*NIC) Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder's name is a constant
	}
	return sub
}

// Validate refuses device numbers below 0 and addresses that are none, with a *resources.InvalidError.
func (n *NIC) Validate() error {
	if n.DeviceID < 0 {
		return n.invalid("device_id", "is %d: must be 0 or more", n.DeviceID)
	}
	if err := n.checkMAC(); err != nil {
		return err
	}
	for _, a := range []struct {
		field, value, family string
		ok                   func(netip.Addr) bool
	}{
		{"ipv4", n.IPv4, "an IPv4 address", netip.Addr.Is4},
		{"ipv4_gateway", n.IPv4Gateway, "an IPv4 address", netip.Addr.Is4},
		{"ipv6", n.IPv6, "an IPv6 address", isIPv6},
		{"ipv6_gateway", n.IPv6Gateway, "an IPv6 address", isIPv6},
	} {
		if addr, err := netip.ParseAddr(a.value); a.value != "" && (err != nil || !a.ok(addr)) {
			return n.invalid(a.field, "%q is not %s", a.value, a.family)
		}
	}
	return nil
}

func (n *NIC) checkMAC() error {
	if n.MAC == "" {
		return nil
	}
	if mac, err := net.ParseMAC(n.MAC); err != nil || len(mac) != 6 {
		return n.invalid("mac", "%q is not a MAC address of 48 bits", n.MAC)
	}
	return nil
}

// isIPv6 leaves out addresses with a zone, which mean something on one host only, and IPv4 ones in disguise.
func isIPv6(a netip.Addr) bool { return a.Is6() && a.Zone() == "" && !a.Is4In6() }

func (n *NIC) invalid(field, reason string, args ...any) error {
	return &resources.InvalidError{Kind: Kind, ID: n.ID, Field: field, Reason: fmt.Sprintf(reason, args...)}
}

var (
	_ resources.Migrator  = (*NIC)(nil)
	_ resources.Validator = (*NIC)(nil)
)
