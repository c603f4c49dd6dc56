package cluster

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"

	"github.com/cloudbus-go/cloudbus/resources"
)

// version is what Kubernetes and its distributions call their releases.
var version = regexp.MustCompile(`^v?[0-9]+\.[0-9]+(\.[0-9]+)?([-+][0-9A-Za-z.+-]+)?$`)

// Validate refuses counts below 0, versions, endpoints and networks that are none, and pods and services that share addresses, with a
// *resources.InvalidError.
func (c *Cluster) Validate() error {
	switch {
	case c.ControlPlanes < 0:
		return c.invalid("control_planes", "is %d: must be 0 (unknown) or more", c.ControlPlanes)
	case c.Workers < 0:
		return c.invalid("workers", "is %d: must be 0 or more", c.Workers)
	case c.KubernetesVersion != "" && !version.MatchString(c.KubernetesVersion):
		return c.invalid("kubernetes_version", "%q is not a version such as 1.31.2", c.KubernetesVersion)
	}
	if u, err := url.Parse(c.Endpoint); c.Endpoint != "" && (err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil) {
		return c.invalid("endpoint", "is not an https URL with a host and without a user, such as https://10.1.1.5:6443")
	}
	return c.checkNetworks()
}

func (c *Cluster) checkNetworks() error {
	pods, err := c.prefix("pod_cidr", c.PodCIDR)
	if err != nil {
		return err
	}
	services, err := c.prefix("service_cidr", c.ServiceCIDR)
	if err != nil {
		return err
	}
	if pods.IsValid() && services.IsValid() && pods.Overlaps(services) {
		return c.invalid("service_cidr", "%s overlaps with pod_cidr, %s", services, pods)
	}
	return nil
}

// prefix is the zero Prefix for "".
func (c *Cluster) prefix(field, text string) (netip.Prefix, error) {
	if text == "" {
		return netip.Prefix{}, nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil || p.Addr().Is4In6() {
		return p, c.invalid(field, "%q is not a network such as 10.244.0.0/16 or fd00:1::/48", text)
	}
	if p.Masked() != p {
		return p, c.invalid(field, "%q has bits set behind its mask: the network is %s", text, p.Masked())
	}
	return p, nil
}

func (c *Cluster) invalid(field, reason string, args ...any) error {
	return &resources.InvalidError{Kind: Kind, ID: c.ID, Field: field, Reason: fmt.Sprintf(reason, args...)}
}
