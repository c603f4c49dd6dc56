package status

import (
	"fmt"
	"maps"
	"slices"
)

// ServiceType is a class of things that providers report: vm, storage.
type ServiceType struct {
	Name     string            // Last token of subject and event type: "storage"
	Kind     string            // Of the resources of a server that it is about: "volume"
	Statuses []Status          // What can be reported
	Aliases  map[string]Status // Other words that providers use for them, as they are written on the wire: "FAILED" for Error of a vm
}

// Service types that every server knows. The aliases of a vm have the phases in which KubeVirt's providers report.
var (
	VM = ServiceType{
		Name: "vm", Kind: "vm",
		Statuses: []Status{Provisioning, Running, Stopping, Stopped, Paused, Deleting, Deleted, Error, Unknown},
		Aliases: map[string]Status{
			"FAILED":  Error,
			"Pending": Provisioning, "Scheduling": Provisioning, "Scheduled": Provisioning, "Running": Running,
			"Succeeded": Stopped, "Terminating": Deleting, "Failed": Error, "Unknown": Unknown,
		},
	}
	Container = ServiceType{
		Name: "container", Kind: "container",
		Statuses: []Status{Pending, Running, Succeeded, Failed, Unknown, Deleted},
		Aliases:  map[string]Status{"Pending": Pending, "Running": Running, "Succeeded": Succeeded, "Failed": Failed, "Unknown": Unknown},
	}
	Cluster = ServiceType{
		Name: "cluster", Kind: "cluster",
		Statuses: []Status{Creating, Active, Updating, Degraded, Failed, Deleting, Deleted},
		Aliases: map[string]Status{
			"PENDING": Creating, "PROVISIONING": Creating, "PROGRESSING": Creating, "READY": Active, "UNAVAILABLE": Degraded,
		},
	}
	Storage = ServiceType{
		Name: "storage", Kind: "volume",
		Statuses: []Status{Provisioning, Running, Failed, Deleting, Deleted},
	}
	Network = ServiceType{
		Name: "network", Kind: "network",
		Statuses: []Status{Pending, Ready, Deleted},
	}
)

// BuiltIn returns the service types that every server knows.
func BuiltIn() []ServiceType { return []ServiceType{VM, Container, Cluster, Storage, Network} }

// Parse reads a status as it is written on the wire; false if it is neither a status of this type nor an alias of one.
func (t ServiceType) Parse(text string) (Status, bool) {
	if slices.Contains(t.Statuses, Status(text)) {
		return Status(text), true
	}
	s, ok := t.Aliases[text]
	return s, ok
}

// check finds what keeps t from being registered.
func (t ServiceType) check() error {
	if reason := tokenFault(t.Name); reason != "" {
		return fmt.Errorf("status: service type %q %s", t.Name, reason)
	}
	if t.Kind == "" || len(t.Statuses) == 0 {
		return fmt.Errorf("status: service type %q needs a kind and statuses", t.Name)
	}
	for _, s := range slices.Concat(t.Statuses, slices.Collect(maps.Values(t.Aliases))) {
		if reason := statusFault(s); reason != "" {
			return fmt.Errorf("status: service type %q: status %q %s", t.Name, s, reason)
		}
		if !slices.Contains(t.Statuses, s) {
			return fmt.Errorf("status: service type %q: an alias stands for %q, which isn't among its statuses", t.Name, s)
		}
	}
	return nil
}
