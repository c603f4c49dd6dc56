package cluster_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/cluster"
)

func TestValidate(t *testing.T) {
	tests := []struct {
		name  string
		give  cluster.Cluster
		field string // that is refused; "" for none
	}{
		{"nothing known", cluster.Cluster{}, ""},
		{"all in order", cluster.Cluster{KubernetesVersion: "v1.31.2-rc.1+k3s1", ControlPlanes: 3, Workers: 5, Endpoint: "https://10.1.1.5:6443",
			PodCIDR: "10.244.0.0/16", ServiceCIDR: "10.96.0.0/12"}, ""},
		{"two families", cluster.Cluster{PodCIDR: "10.244.0.0/16", ServiceCIDR: "fd00:1::/108"}, ""},
		{"control planes below 0", cluster.Cluster{ControlPlanes: -1}, "control_planes"},
		{"workers below 0", cluster.Cluster{Workers: -1}, "workers"},
		{"version that is none", cluster.Cluster{KubernetesVersion: "latest"}, "kubernetes_version"},
		{"endpoint that isn't encrypted", cluster.Cluster{Endpoint: "http://10.1.1.5:6443"}, "endpoint"},
		{"endpoint without a host", cluster.Cluster{Endpoint: "https://:6443"}, "endpoint"},
		{"endpoint with a password", cluster.Cluster{Endpoint: "https://me:secret@10.1.1.5:6443"}, "endpoint"},
		{"endpoint that is none", cluster.Cluster{Endpoint: "10.1.1.5:6443"}, "endpoint"},
		{"network of pods that is none", cluster.Cluster{PodCIDR: "10.244.0.0"}, "pod_cidr"},
		{"network of services with bits behind its mask", cluster.Cluster{ServiceCIDR: "10.96.0.1/12"}, "service_cidr"},
		{"networks that overlap", cluster.Cluster{PodCIDR: "10.0.0.0/8", ServiceCIDR: "10.96.0.0/12"}, "service_cidr"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.give.ID = "42"
			err := tt.give.Validate()
			var invalid *resources.InvalidError
			switch {
			case tt.field == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.field != "" && (!errors.As(err, &invalid) || invalid.Kind != cluster.Kind || invalid.ID != "42" || invalid.Field != tt.field || invalid.Reason == ""):
				t.Errorf("got %#v, want an *InvalidError for %s", err, tt.field)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error tells the password: %v", err)
			}
		})
	}
}
