package main

import (
	"cmp"
	"slices"
)

// interval is a row of the ledger: a stretch of time in which a meter ran for a VM at one size.
type interval struct {
	OpenedSeq          uint64
	Meter              string
	Tenant, Resource   string
	CPUs, MemoryMiB    int64
	StartedAt, EndedAt int64
	ClosedSeq          uint64
}

// meters says what runs in a state; in a transitional one it depends on where the VM came from. It is the table of meters written out for VMs, not what the plugin uses.
func meters(state, origin string) []string {
	switch state {
	case "starting", "stopping", "pausing", "resuming", "migrating", "restoring":
		state = origin // an edge leads back
	}
	switch state {
	case "stopped":
		return []string{"vm.allocated"}
	case "running", "paused":
		return []string{"vm.allocated", "vm.running"}
	}
	return nil // destroyed, expunging, expunged, error
}

// bill computes the ledger from the events of all VMs.
func bill(events map[string][]*entry) []interval {
	var all []interval
	for resource, history := range events {
		open := map[string]*interval{}
		for _, e := range history {
			all = append(all, turn(open, resource, e)...)
		}
		for _, i := range open {
			all = append(all, *i)
		}
	}
	slices.SortFunc(all, compareIntervals)
	return all
}

// turn brings what is open for a VM in line with an event, and returns what that closed.
func turn(open map[string]*interval, resource string, e *entry) (closed []interval) {
	c := e.Change
	wanted := meters(c.To, c.Origin)
	for _, meter := range []string{"vm.allocated", "vm.running"} {
		from := int64(c.Time)
		i := open[meter]
		wants := slices.Contains(wanted, meter)
		if i != nil && wants && i.Tenant == c.Tenant && i.CPUs == c.Resource.CPUs && i.MemoryMiB == c.Resource.MemoryMiB {
			continue
		}
		if i != nil {
			i.EndedAt, i.ClosedSeq = max(from, i.StartedAt), e.Seq
			from = i.EndedAt
			closed = append(closed, *i)
			delete(open, meter)
		}
		if wants {
			open[meter] = &interval{
				OpenedSeq: e.Seq, Meter: meter, Tenant: c.Tenant, Resource: resource,
				CPUs: c.Resource.CPUs, MemoryMiB: c.Resource.MemoryMiB, StartedAt: from,
			}
		}
	}
	return closed
}

func compareIntervals(a, b interval) int {
	return cmp.Or(cmp.Compare(a.OpenedSeq, b.OpenedSeq), cmp.Compare(a.Meter, b.Meter))
}
