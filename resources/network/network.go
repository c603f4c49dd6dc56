package network

import (
	"embed"
	"io/fs"

	"github.com/cloudbus-go/cloudbus/resources"
)

// Type says who uses a network.
type Type string

const (
	Isolated Type = "isolated" // one tenant's own: implemented when first needed; begins in Allocated
	Shared   Type = "shared"   // everybody's, usable as it is: begins in Setup
)

// Network is a layer 2 network with its addresses. What isn't known is left empty or 0.
type Network struct {
	resources.Object
	Type              Type   `json:"type,omitempty" gorm:"column:type;type:text;not null"`
	CIDR              string `json:"cidr,omitempty" gorm:"column:cidr;type:text;not null"` // IPv4: 10.1.1.0/24
	Gateway           string `json:"gateway,omitempty" gorm:"column:gateway;type:text;not null"`
	IPv6CIDR          string `json:"ipv6_cidr,omitempty" gorm:"column:ipv6_cidr;type:text;not null"`
	IPv6Gateway       string `json:"ipv6_gateway,omitempty" gorm:"column:ipv6_gateway;type:text;not null"`
	VLAN              int    `json:"vlan" gorm:"column:vlan;type:bigint;not null"` // 1 to 4094; 0: none
	DNS1              string `json:"dns1,omitempty" gorm:"column:dns1;type:text;not null"`
	DNS2              string `json:"dns2,omitempty" gorm:"column:dns2;type:text;not null"`
	Domain            string `json:"domain,omitempty" gorm:"column:domain;type:text;not null"`
	ZoneID            string `json:"zone_id,omitempty" gorm:"column:zone_id;type:text;not null"`
	PhysicalNetworkID string `json:"physical_network_id,omitempty" gorm:"column:physical_network_id;type:text;not null"`
	OfferingID        string `json:"offering_id,omitempty" gorm:"column:offering_id;type:text;not null"` // the services it was sold with
}

// Changed is the event of a network.
type Changed = resources.Changed[Network]

//go:embed migrations/*.sql
var migrations embed.FS

// TableName is the table that holds networks.
func (Network) TableName() string { return "networks" }

// Migrations is the SQL of the table.
func (*Network) Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder's name is a constant
	}
	return sub
}

var (
	_ resources.Migrator  = (*Network)(nil)
	_ resources.Validator = (*Network)(nil)
)
