package status

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Words for what a platform has no word of its own for: who watches it says which of them holds.
const (
	VMwareCreating     = "poweredOff while its create task runs"
	VMwareShuttingDown = "guest shutting down"
	VMwareDestroying   = "destroying"
	VMwareGone         = "object reference not found" // the fault ManagedObjectNotFound
	AzureGone          = "not found"
	ContainerGone      = "gone"
)

// Tables of the contract. Where one word could stand for two statuses the more specific one has it: an EC2 instance that is stopping is STOPPING, one that is terminated DELETED,
// and a VM of VMware that is off while it is being made is PROVISIONING.
var (
	EC2 = MustTable("ec2", VM, []Row{
		{Raw: "pending", Status: Provisioning}, {Raw: "running", Status: Running},
		{Raw: "stopping", Status: Stopping}, {Raw: "stopped", Status: Stopped},
		{Raw: "shutting-down", Status: Deleting}, {Raw: "terminated", Status: Deleted},
		{Raw: "error", Status: Error}, {Raw: "impaired", Status: Error, Note: "the instance status of one that runs"},
	}, TableOptions{Closest: map[string]Status{"insufficient-data": Unknown, "initializing": Running}})

	// Azure takes the codes of its API, too: PowerState/running, ProvisioningState/creating, and "VM running" of its portal.
	Azure = MustTable("azure", VM, []Row{
		{Raw: "Creating", Status: Provisioning}, {Raw: "running", Status: Running},
		{Raw: "stopping", Status: Stopping}, {Raw: "deallocating", Status: Stopping},
		{Raw: "stopped", Status: Stopped}, {Raw: "deallocated", Status: Stopped}, {Raw: "paused", Status: Paused},
		{Raw: "Deleting", Status: Deleting}, {Raw: "Deleted", Status: Deleted}, {Raw: AzureGone, Status: Deleted}, {Raw: "Failed", Status: Error},
	}, TableOptions{Fold: foldAzure, Closest: map[string]Status{
		"starting": Provisioning, "Updating": Running, "Migrating": Running, "hibernating": Paused, "hibernated": Paused, "Canceled": Error, "unknown": Unknown,
	}})

	VMware = MustTable("vmware", VM, []Row{
		{Raw: VMwareCreating, Status: Provisioning}, {Raw: "poweredOn", Status: Running},
		{Raw: VMwareShuttingDown, Status: Stopping}, {Raw: "poweredOff", Status: Stopped}, {Raw: "suspended", Status: Paused},
		{Raw: VMwareDestroying, Status: Deleting}, {Raw: VMwareGone, Status: Deleted},
		{Raw: "error", Status: Error}, {Raw: "inaccessible", Status: Error}, {Raw: "orphaned", Status: Error},
		{Raw: "disconnected", Status: Unknown},
	}, TableOptions{Closest: map[string]Status{"invalid": Error, "notResponding": Unknown, "standby": Paused}})

	Libvirt = MustTable("libvirt", VM, []Row{
		{Raw: "running", Status: Running}, {Raw: "shutdown in progress", Status: Stopping}, {Raw: "shutoff", Status: Stopped},
		{Raw: "paused", Status: Paused}, {Raw: "pmsuspended", Status: Paused}, {Raw: "undefined", Status: Deleted}, {Raw: "crashed", Status: Error},
	}, TableOptions{Closest: map[string]Status{
		"idle": Running, "blocked": Running, "in shutdown": Stopping, "shut off": Stopped, "dying": Error, "no state": Unknown,
	}})

	KubeVirt = MustTable("kubevirt", VM, []Row{
		{Raw: "Pending", Status: Provisioning}, {Raw: "Scheduling", Status: Provisioning}, {Raw: "Scheduled", Status: Provisioning},
		{Raw: "Running", Status: Running}, {Raw: "Succeeded", Status: Stopped}, {Raw: "Terminating", Status: Deleting},
		{Raw: "Failed", Status: Error}, {Raw: "Unknown", Status: Unknown},
	}, TableOptions{Closest: map[string]Status{
		"Provisioning": Provisioning, "Starting": Provisioning, "WaitingForVolumeBinding": Provisioning, "WaitingForReceiver": Provisioning,
		"Migrating": Running, "Stopping": Stopping, "Stopped": Stopped, "Paused": Paused,
		"CrashLoopBackOff": Error, "ErrorUnschedulable": Error, "ErrImagePull": Error, "ImagePullBackOff": Error, "ErrorPvcNotFound": Error, "DataVolumeError": Error,
	}})

	Kubernetes = MustTable("kubernetes", Container, []Row{
		{Raw: "Pending", Status: Pending}, {Raw: "ContainerCreating", Status: Pending}, {Raw: "ImagePullBackOff", Status: Pending}, {Raw: "ErrImagePull", Status: Pending},
		{Raw: "Running", Status: Running}, {Raw: "Succeeded", Status: Succeeded},
		{Raw: "Failed", Status: Failed}, {Raw: "CrashLoopBackOff", Status: Failed}, {Raw: "OOMKilled", Status: Failed},
		{Raw: "Unknown", Status: Unknown, Note: "node lost"}, {Raw: ContainerGone, Status: Deleted},
	}, TableOptions{Closest: map[string]Status{
		"PodInitializing": Pending, "Terminating": Running, "Completed": Succeeded, "ContainerStatusUnknown": Unknown,
		"Error": Failed, "Evicted": Failed, "DeadlineExceeded": Failed, "ContainerCannotRun": Failed, "StartError": Failed, "RunContainerError": Failed,
		"CreateContainerConfigError": Failed, "CreateContainerError": Failed, "InvalidImageName": Failed, "ErrImageNeverPull": Failed,
	}})

	// Docker takes an exit code in parentheses behind exited: "exited (137)".
	Docker = MustTable("docker", Container, []Row{
		{Raw: "created", Status: Pending}, {Raw: "running", Status: Running, Note: "ready"},
		{Raw: "exited (0)", Status: Succeeded}, {Raw: "exited (non-zero)", Status: Failed}, {Raw: "dead", Status: Failed}, {Raw: "OOMKilled", Status: Failed},
		{Raw: ContainerGone, Status: Deleted},
	}, TableOptions{Fold: foldExitCode, Closest: map[string]Status{"paused": Running, "restarting": Failed}})
)

func foldAzure(raw string) string {
	for _, prefix := range [...]string{"PowerState/", "ProvisioningState/", "VM "} {
		raw = strings.TrimPrefix(raw, prefix)
	}
	switch raw { // its API writes them in lower case
	case "creating", "deleting", "deleted", "failed", "updating", "migrating", "canceled":
		return strings.ToUpper(raw[:1]) + raw[1:]
	}
	return raw
}

func foldExitCode(raw string) string {
	inner, cut := strings.CutPrefix(raw, "exited (")
	code, err := strconv.Atoi(strings.TrimSuffix(inner, ")"))
	if cut && err == nil && code != 0 && strings.HasSuffix(inner, ")") {
		return "exited (non-zero)"
	}
	return raw
}

var registry = struct {
	mu     sync.Mutex
	tables map[[2]string]*Table
}{tables: map[[2]string]*Table{}}

// RegisterTable makes a table known under its platform and service type, in place of one that is registered under them.
func RegisterTable(t *Table) error {
	if t == nil {
		return fmt.Errorf("status: RegisterTable needs a table made by NewTable")
	}
	registry.mu.Lock()
	defer registry.mu.Unlock()
	registry.tables[[2]string{t.platform, t.typ.Name}] = t
	return nil
}

// TableOf returns the table of a platform for a service type: what was registered, or else one of the contract's.
func TableOf(platform, serviceType string) (*Table, bool) {
	for _, t := range Tables() {
		if t.platform == platform && t.typ.Name == serviceType {
			return t, true
		}
	}
	return nil, false
}

// Tables returns all tables, by platform and service type.
func Tables() []*Table {
	all := map[[2]string]*Table{}
	for _, t := range [...]*Table{EC2, Azure, VMware, Libvirt, KubeVirt, Kubernetes, Docker} {
		all[[2]string{t.platform, t.typ.Name}] = t
	}
	registry.mu.Lock()
	for key, t := range registry.tables {
		all[key] = t
	}
	registry.mu.Unlock()
	tables := make([]*Table, 0, len(all))
	for _, t := range all {
		tables = append(tables, t)
	}
	slices.SortFunc(tables, func(a, b *Table) int {
		return cmp.Or(cmp.Compare(a.platform, b.platform), cmp.Compare(a.typ.Name, b.typ.Name))
	})
	return tables
}
