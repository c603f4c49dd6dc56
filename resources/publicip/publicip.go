package publicip

import (
	"embed"
	"fmt"
	"io/fs"
	"net/netip"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
)

// PublicIP is a public IP address. What isn't known is left empty or 0.
type PublicIP struct {
	resources.Object
	Address   string `json:"address,omitempty" gorm:"column:address;type:text;not null"` // IPv4 or IPv6
	Gateway   string `json:"gateway,omitempty" gorm:"column:gateway;type:text;not null"`
	VLAN      int    `json:"vlan" gorm:"column:vlan;type:bigint;not null"`                                            // 1 to 4094; 0: none
	NetworkID string `json:"network_id,omitempty" cloudbus:"ref=network" gorm:"column:network_id;type:text;not null"` // the network it was allocated to
	VMID      string `json:"vm_id,omitempty" cloudbus:"ref=vm" gorm:"column:vm_id;type:text;not null"`                // the VM that it leads to
	NICID     string `json:"nic_id,omitempty" cloudbus:"ref=nic" gorm:"column:nic_id;type:text;not null"`             // and the NIC there
	SourceNAT bool   `json:"source_nat" gorm:"column:source_nat;type:boolean;not null"`                               // the network goes out by it
	StaticNAT bool   `json:"static_nat" gorm:"column:static_nat;type:boolean;not null"`                               // all that comes in goes to one VM
	ZoneID    string `json:"zone_id,omitempty" gorm:"column:zone_id;type:text;not null"`
}

// Changed is the event of a public IP address.
type Changed = resources.Changed[PublicIP]

//go:embed migrations/*.sql
var migrations embed.FS

// TableName is the table that holds public IP addresses.
func (PublicIP) TableName() string { return "public_ips" }

// Migrations is the SQL of the table.
func (*PublicIP) Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder's name is a constant
	}
	return sub
}

// Validate refuses addresses that are none or don't go together, VLANs that are none, and two sorts of NAT at once, with a
// *resources.InvalidError.
func (p *PublicIP) Validate() error {
	address, gateway := addressOf(p.Address), addressOf(p.Gateway)
	switch {
	case p.Address != "" && !address.IsValid():
		return p.invalid("address", "%q is not an IP address", p.Address)
	case p.Gateway != "" && !gateway.IsValid():
		return p.invalid("gateway", "%q is not an IP address", p.Gateway)
	case address.IsValid() && gateway.IsValid() && address.Is4() != gateway.Is4():
		return p.invalid("gateway", "%s is not of the family of the address %s", p.Gateway, p.Address)
	case p.VLAN < 0 || p.VLAN > 4094:
		return p.invalid("vlan", "is %d: must be 1 to 4094, or 0 (none)", p.VLAN)
	case p.SourceNAT && p.StaticNAT:
		return p.invalid("static_nat", "can't be together with source_nat: an address is a network's way out, or one VM's")
	}
	return nil
}

// addressOf leaves out addresses with a zone, which mean something on one host only, and IPv4 ones in disguise.
func addressOf(text string) netip.Addr {
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" || a.Is4In6() {
		return netip.Addr{}
	}
	return a
}

func (p *PublicIP) invalid(field, reason string, args ...any) error {
	return &resources.InvalidError{Kind: Kind, ID: p.ID, Field: field, Reason: fmt.Sprintf(reason, args...)}
}

// Moved ends the use of an address that is free again, or whose allocation failed.
func (p *PublicIP) Moved(from, to fsm.State, on fsm.Trigger) {
	if to == Free || from == Allocating && on == OperationFailed {
		p.NetworkID, p.VMID, p.NICID, p.SourceNAT, p.StaticNAT = "", "", "", false, false
	}
}

var (
	_ resources.Migrator  = (*PublicIP)(nil)
	_ resources.Validator = (*PublicIP)(nil)
	_ resources.Mover     = (*PublicIP)(nil)
)
