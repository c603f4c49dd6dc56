package cluster

import (
	"embed"
	"io/fs"

	"github.com/cloudbus-go/cloudbus/resources"
)

// Cluster is a Kubernetes cluster. What isn't known is left empty or 0.
type Cluster struct {
	resources.Object
	KubernetesVersion string `json:"kubernetes_version,omitempty" gorm:"column:kubernetes_version;type:text;not null"` // 1.31.2, or v1.31.2-rc.1+k3s1
	ControlPlanes     int    `json:"control_planes" gorm:"column:control_planes;type:bigint;not null"`                 // nodes of the control plane
	Workers           int    `json:"workers" gorm:"column:workers;type:bigint;not null"`                               // other nodes
	Endpoint          string `json:"endpoint,omitempty" gorm:"column:endpoint;type:text;not null"`                     // its API: https://10.1.1.5:6443
	PodCIDR           string `json:"pod_cidr,omitempty" gorm:"column:pod_cidr;type:text;not null"`                     // IPv4 or IPv6
	ServiceCIDR       string `json:"service_cidr,omitempty" gorm:"column:service_cidr;type:text;not null"`
	NetworkID         string `json:"network_id,omitempty" cloudbus:"ref=network" gorm:"column:network_id;type:text;not null"`    // of its nodes
	TemplateID        string `json:"template_id,omitempty" cloudbus:"ref=template" gorm:"column:template_id;type:text;not null"` // of its nodes
	ZoneID            string `json:"zone_id,omitempty" gorm:"column:zone_id;type:text;not null"`
	OfferingID        string `json:"offering_id,omitempty" gorm:"column:offering_id;type:text;not null"` // the size its nodes were sold as
}

// Changed is the event of a cluster.
type Changed = resources.Changed[Cluster]

//go:embed migrations/*.sql
var migrations embed.FS

// TableName is the table that holds clusters.
func (Cluster) TableName() string { return "clusters" }

// Migrations is the SQL of the table.
func (*Cluster) Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder's name is a constant
	}
	return sub
}

var (
	_ resources.Migrator  = (*Cluster)(nil)
	_ resources.Validator = (*Cluster)(nil)
)
