package hostadmin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
)

// GuardName is the name of the listener, as a *resources.VetoError tells it.
const GuardName = "hostadmin"

// HostKind is the kind of hosts: what a relation to it names is guarded.
const HostKind = "host"

// startRequested brings a VM back to the host that it names already.
const startRequested fsm.Trigger = "start_requested"

// reports begin the triggers by which somebody tells what is.
const reports = "report_"

const maxOccupants = 10 // that an error names

// Occupants are the resources that are on a host: a host isn't empty while there is one.
type Occupants struct {
	Kind   string      // vm
	Field  string      // its relation to the host: host_id
	States []fsm.State // in which it is there
}

// VMs are the occupants that Guard looks for unless it is given others.
func VMs() Occupants {
	return Occupants{Kind: "vm", Field: "host_id",
		States: fsm.States("starting", "running", "pausing", "paused", "resuming", "stopping", "migrating")}
}

// Guard returns an in-transaction listener, for resources.New, that makes the states of this kind mean something:
//
// A resource whose relation names a host is refused, with a *NotEnabledError, where that is new (created with it, set by an Update, a start
// or a migration), and where it starts on the host that it names already, unless the host's administration is enabled. One that isn't there
// isn't enabled. Reports (report_…) tell what is, and are never refused; neither is anything that leaves a resource where it is or takes it
// away.
//
// Maintenance isn't reached, and a host and its administration aren't removed, while occupants are there: a *OccupiedError. Occupants
// default to VMs().
//
// A host is best named when a start or a migration is asked for. Who names it with the outcome only is refused then if it was disabled in
// the meantime: the resource stays in its transitional state, and the driver has to name another host, or to fail the operation.
//
// Both hold at the moment of the commit: who puts a VM on a host keeps its administration from moving until then.
func Guard(occupants ...Occupants) resources.Listener {
	if len(occupants) == 0 {
		occupants = []Occupants{VMs()}
	}
	return guard{slices.Clone(occupants)}
}

type guard struct{ occupants []Occupants }

func (guard) Name() string { return GuardName }

func (g guard) InTx(_ context.Context, tx resources.Tx, c resources.Change) error {
	if c.Action == resources.Removed {
		return nil
	}
	if empties(c) {
		if err := g.checkEmpty(tx, c); err != nil {
			return err
		}
	}
	if strings.HasPrefix(string(c.Trigger), reports) {
		return nil
	}
	for _, ref := range c.References() {
		if ref.Kind != HostKind || !ref.New && c.Trigger != startRequested {
			continue
		}
		if err := checkEnabled(tx, c, ref); err != nil {
			return err
		}
	}
	return nil
}

// empties reports whether a change is for hosts without occupants only.
func empties(c resources.Change) bool {
	switch c.Kind {
	case Kind:
		return c.To != c.From && (c.To == Maintenance || c.To == Removed)
	case HostKind:
		return c.To != c.From && c.Trigger == RemoveRequested
	}
	return false
}

// checkEnabled refuses a host whose administration isn't enabled, and keeps it enabled until the commit. Whether a host that is newly named
// is there is looked at by the relation's check; one that was named before may have been removed since.
func checkEnabled(tx resources.Tx, c resources.Change, ref resources.Reference) error {
	refused := &NotEnabledError{Kind: c.Kind, ID: c.ResourceID, Host: ref.ID}
	if !ref.New {
		state, err := tx.State(HostKind, ref.ID)
		if state == Removed {
			refused.State = state
			return refused
		}
		if err != nil && !errors.Is(err, resources.ErrNotFound) && !unregistered(err) {
			return err
		}
	}
	state, err := tx.State(Kind, ref.ID)
	switch {
	case unregistered(err):
		return nil
	case err != nil && !errors.Is(err, resources.ErrNotFound):
		return err
	case state != Enabled:
		refused.State = state
		return refused
	}
	return nil
}

// checkEmpty refuses what is for empty hosts while there is somebody. Who comes meanwhile waits for the row of the administration.
func (g guard) checkEmpty(tx resources.Tx, c resources.Change) error {
	if c.Kind == HostKind {
		if _, err := tx.Resource(Kind, c.ResourceID); err != nil && !errors.Is(err, resources.ErrNotFound) && !unregistered(err) {
			return err
		}
	}
	for _, o := range g.occupants {
		found, err := tx.Resources(o.Kind, resources.Query{Where: map[string]any{o.Field: c.ResourceID}, States: o.States, Limit: maxOccupants + 1})
		if unregistered(err) {
			continue
		}
		if err != nil {
			return err
		}
		if len(found) == 0 {
			continue
		}
		occupied := &OccupiedError{Host: c.ResourceID, To: c.To, Kind: o.Kind, More: len(found) > maxOccupants}
		for _, obj := range found[:min(len(found), maxOccupants)] {
			occupied.IDs = append(occupied.IDs, resources.ObjectOf(obj).ID)
		}
		return occupied
	}
	return nil
}

// unregistered: there is no such kind in this engine, so nothing of it is on a host.
func unregistered(err error) bool {
	var unknown *resources.UnknownError
	return errors.As(err, &unknown) && unknown.What == "kind"
}

// NotEnabledError: a resource would come to a host that takes none. A *resources.VetoError wraps it.
type NotEnabledError struct {
	Kind, ID string // what would come
	Host     string
	State    fsm.State // of the host's administration; "": there is none
}

func (e *NotEnabledError) Error() string {
	if e.State == "" {
		return fmt.Sprintf("%s/%s can't come to host/%s, which has no administration: create %s/%s, or name another host", e.Kind, e.ID, e.Host, Kind, e.Host)
	}
	return fmt.Sprintf("%s/%s can't come to host/%s, which is %q: name a host that is %q", e.Kind, e.ID, e.Host, e.State, Enabled)
}

// OccupiedError: a host isn't empty. A *resources.VetoError wraps it.
type OccupiedError struct {
	Host string
	To   fsm.State // what it, or its administration, would become
	Kind string    // of the occupants
	IDs  []string  // the first ten, in order
	More bool      // there are others
}

func (e *OccupiedError) Error() string {
	s := fmt.Sprintf("host/%s can't become %q while %s %s", e.Host, e.To, e.Kind, strings.Join(e.IDs, ", "))
	if e.More {
		s += " and more"
	}
	return s + " are there: migrate or stop them first"
}

var _ resources.InTxListener = guard{}
