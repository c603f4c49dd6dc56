package status

// Status is what a provider says of a resource, in the words that all platforms share. Which of them a resource can have depends on its [ServiceType].
type Status string

// Statuses. The word in parentheses is the kind of service they are of, where it isn't most of them.
const (
	Provisioning Status = "PROVISIONING" // being made, or started for the first time (vm, storage)
	Pending      Status = "PENDING"      // not running yet (container, network)
	Creating     Status = "CREATING"     // the control plane isn't reachable yet (cluster)
	Running      Status = "RUNNING"      // (vm, container, storage)
	Active       Status = "ACTIVE"       // the control plane is healthy, the minimum of workers is ready (cluster)
	Ready        Status = "READY"        // (network)
	Updating     Status = "UPDATING"     // a rolling upgrade, the API stays reachable (cluster)
	Degraded     Status = "DEGRADED"     // the API is reachable, critical components are unhealthy (cluster)
	Stopping     Status = "STOPPING"     // (vm)
	Stopped      Status = "STOPPED"      // (vm)
	Paused       Status = "PAUSED"       // (vm)
	Succeeded    Status = "SUCCEEDED"    // ended by itself, and well (container)
	Deleting     Status = "DELETING"     // (vm, cluster, storage)
	Deleted      Status = "DELETED"      // it isn't there any more
	Error        Status = "ERROR"        // (vm)
	Failed       Status = "FAILED"       // (container, cluster, storage)
	Unknown      Status = "UNKNOWN"      // the provider can't tell (vm, container)
)

// Final reports whether a resource of this status has come to its end.
func (s Status) Final() bool { return s == Deleted || s == Succeeded }

// Faulty reports whether a resource of this status has failed.
func (s Status) Faulty() bool { return s == Error || s == Failed }
