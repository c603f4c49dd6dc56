package bridge

import (
	"fmt"
	"strings"

	"github.com/cloudbus-go/cloudbus/bus"
)

// StateRoot is the first token of every subject of a state stream.
const StateRoot = "cloudbus-state"

// What an event's type says of a resource's state, after "<kind>.".
const (
	stateCreated  = "created"
	stateUpdated  = "updated"
	stateRemoved  = "removed"
	stateSnapshot = "snapshot"
	stateMoved    = "state."
)

// StateSubject returns where the newest state of a resource lies: cloudbus-state.<tenant>.<kind>.<id>. Tenant and id are written as Subject writes a tenant; no tenant is "_".
// A kind that can't be part of a subject, and no id, are errors.
func StateSubject(tenant, kind, id string) (string, error) {
	if err := checkTokens(kind); err != nil || strings.Contains(kind, ".") {
		return "", fmt.Errorf("%w: kind %q must be one token of printable ASCII without wildcards", ErrSubject, kind)
	}
	if id == "" {
		return "", fmt.Errorf("%w: a resource of kind %s has no id", ErrSubject, kind)
	}
	return StateRoot + "." + escapeTenant(tenant) + "." + kind + "." + escapeTenant(id), nil
}

// ParseStateSubject returns what StateSubject was given. It takes nothing but what StateSubject returns.
func ParseStateSubject(subject string) (tenant, kind, id string, err error) {
	tokens := strings.Split(subject, ".")
	if len(tokens) != 4 || tokens[0] != StateRoot || tokens[3] == noTenant {
		return "", "", "", fmt.Errorf("%w: %q isn't %s.<tenant>.<kind>.<id>", ErrSubject, subject, StateRoot)
	}
	if tenant, err = unescapeTenant(tokens[1]); err == nil {
		err = checkTokens(tokens[2])
	}
	if err == nil {
		id, err = unescapeTenant(tokens[3])
	}
	if err != nil {
		return "", "", "", fmt.Errorf("%w: %q: %w", ErrSubject, subject, err)
	}
	return tenant, tokens[2], id, nil
}

// StateKeeper is a Sink that can keep states: what a bridge with Options.State needs.
//
// Such a sink keeps one message for each subject. Send of a message replaces the one that lies on its subject if Newer says so of their headers (DecodeMessage reads
// that of the one there), and leaves it alone otherwise; both is an acknowledgement. It decides and writes in one step: two servers may send at the same time
// when one takes over from the other. It must not tell repeats by the id: a message that was replaced, or lost with its stream, comes again with the same one.
// What is Gone may be removed after a day at the earliest, so that who was away for less learns of it.
type StateKeeper interface {
	Sink
	// KeepsState reports whether the sink was made for states: one and the same sink isn't for events too.
	KeepsState() bool
	// Renewed gets a value each time the sink has found that what it kept isn't there any more: its stream was made anew, or purged. The bridge then sends the states of all
	// resources again. It is the same channel at each call, has room for a value, and is never closed; who finds it full leaves it at that.
	Renewed() <-chan struct{}
}

// Newer reports whether a state is to replace the one that is there: a message of a state stream, by the headers of their events.
//
// Events are compared by their place in the journal. A snapshot (Options.State) is what a resource was at some time after its place in the journal, so it replaces what lies
// at or before that place, and events after it replace it only if they are of a later version.
func Newer(state, there bus.Header) bool {
	switch {
	case state.Seq < there.Seq:
		return false
	case state.Seq == there.Seq:
		return isSnapshot(state) && isSnapshot(there) && later(state, there)
	case isSnapshot(state) && isSnapshot(there):
		return later(state, there)
	case isSnapshot(state):
		return Gone(there) || state.Version != there.Version
	case isSnapshot(there):
		return state.Version > there.Version
	}
	return true
}

// later compares snapshots, which servers that start together may read and send in different orders. A resource that was made anew begins again with version 1, but is younger.
func later(state, there bus.Header) bool {
	return state.Time.After(there.Time) || state.Time.Equal(there.Time) && state.Version > there.Version
}

// Gone reports whether an event is the last one of its resource, which was purged: in a state stream, its tombstone.
func Gone(h bus.Header) bool { return h.Type == h.Kind+"."+stateRemoved }

func isSnapshot(h bus.Header) bool { return h.Type == h.Kind+"."+stateSnapshot }

// isState reports whether an event has the state of its resource: it was created, moved, updated or removed.
func isState(h bus.Header) bool {
	rest, ok := strings.CutPrefix(h.Type, h.Kind+".")
	if !ok || h.Kind == "" || h.ResourceID == "" {
		return false
	}
	switch rest {
	case stateCreated, stateUpdated, stateRemoved, stateSnapshot:
		return true
	}
	return strings.HasPrefix(rest, stateMoved)
}
