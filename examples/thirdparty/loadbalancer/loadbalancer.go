package loadbalancer

import (
	"embed"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"

	"github.com/cloudbus-go/cloudbus/resources"
)

// Algorithm by which a load balancer spreads its connections.
type Algorithm string

const (
	RoundRobin Algorithm = "round_robin"
	LeastConn  Algorithm = "least_conn"
	SourceHash Algorithm = "source_hash"
)

var algorithms = []Algorithm{RoundRobin, LeastConn, SourceHash}

// LoadBalancer spreads the connections to one address over its backends.
type LoadBalancer struct {
	resources.Object
	VIP       string    `json:"vip" gorm:"column:vip;type:text;not null"`                                     // the address that clients connect to
	Port      int       `json:"port" gorm:"column:port;type:bigint;not null"`                                 // of the address
	Algorithm Algorithm `json:"algorithm" gorm:"column:algorithm;type:text;not null"`                         //
	Backends  int       `json:"backends" gorm:"column:backends;type:bigint;not null"`                         // how many there are
	NetworkID string    `json:"network_id,omitempty" gorm:"column:network_id;type:text;not null"`             // where they are
	TLSKey    string    `json:"tls_key,omitempty" gorm:"column:tls_key;type:text;not null" cloudbus:"secret"` // PEM; never leaves in an event
}

// Changed is the event of a load balancer.
type Changed = resources.Changed[LoadBalancer]

// TableName is the table that holds load balancers.
func (LoadBalancer) TableName() string { return "loadbalancers" }

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations is the SQL of the table.
func (*LoadBalancer) Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder's name is a constant
	}
	return sub
}

// Validate refuses addresses and ports that are none, unknown algorithms and a negative number of backends.
func (lb *LoadBalancer) Validate() error {
	invalid := func(field, format string, args ...any) error {
		return &resources.InvalidError{Kind: Kind, ID: lb.ID, Field: field, Reason: fmt.Sprintf(format, args...)}
	}
	if _, err := netip.ParseAddr(lb.VIP); err != nil {
		return invalid("vip", "%q is not an IP address", lb.VIP)
	}
	if lb.Port < 1 || lb.Port > 65535 {
		return invalid("port", "is %d: must be 1 to 65535", lb.Port)
	}
	if !slices.Contains(algorithms, lb.Algorithm) {
		return invalid("algorithm", "is %q: must be one of %q", lb.Algorithm, algorithms)
	}
	if lb.Backends < 0 {
		return invalid("backends", "is %d: must be 0 or more", lb.Backends)
	}
	return nil
}

var (
	_ resources.Migrator  = (*LoadBalancer)(nil)
	_ resources.Validator = (*LoadBalancer)(nil)
)
