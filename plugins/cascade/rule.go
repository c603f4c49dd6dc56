package cascade

import (
	"github.com/cloudbus-go/cloudbus/fsm"
)

// Rule says what follows from an event: when it happens to a resource (the cause), a trigger is fired at those related to it.
//
// Who is related: with Find and By, the resources of the kind Find whose field By names the cause; with Follow, the resource that the
// cause names in its field Follow. With Create nothing is fired, but a resource made.
type Rule struct {
	Name string `json:"name"` // [a-z][a-z0-9_]*, unique: it stands in the reason of each consequence
	// When is a pattern of the types of events of one kind: vm.state.destroyed, vm.state.*, vm.removed.
	When string `json:"when"`
	// While are the states of the cause in which the rule holds: when the event is handled, and later, when something related comes
	// into one of States. Defaults to the state that When names; without one the rule looks at the event alone.
	While []fsm.State `json:"while,omitempty"`

	Find   string `json:"find,omitempty"`   // a kind
	By     string `json:"by,omitempty"`     // its relation to the kind of When; or id, for kinds that share theirs
	Follow string `json:"follow,omitempty"` // a relation of the kind of When

	// States are those in which the related are fired at. Defaults to all from which Fire leads elsewhere.
	States []fsm.State    `json:"states,omitempty"`
	Where  map[string]any `json:"where,omitempty"`  // fields that must have a value, or one of several, as in resources.Query
	Unless map[string]any `json:"unless,omitempty"` // fields that must not

	Fire   fsm.Trigger `json:"fire,omitempty"`
	Then   fsm.Trigger `json:"then,omitempty"`   // fired at the same resource when the operation that Fire began has succeeded. Defaults to nothing.
	Create string      `json:"create,omitempty"` // a kind: one with the cause's ID, tenant and name is made, unless there is one
	Reason string      `json:"reason,omitempty"` // for people, after what the cause says; at most 256 bytes
}

// Forbid excludes that one resource is where it says while others that name it are in certain states. A change to the one is refused
// while there are such others, and theirs while it is there: whichever comes first, in whatever order they commit.
type Forbid struct {
	Name string        `json:"name"`         // [a-z][a-z0-9_]*, unique
	Kind string        `json:"kind"`         // of the one
	To   []fsm.State   `json:"to"`           // the states that it must not enter
	On   []fsm.Trigger `json:"on,omitempty"` // on these triggers; what is a fact can't be forbidden. Defaults to all.

	While  string        `json:"while"`            // kind of the others
	By     string        `json:"by"`               // their relation to Kind
	States []fsm.State   `json:"states"`           // in which they hold it
	Enter  []fsm.Trigger `json:"enter,omitempty"`  // refused if they would bring another into States. Defaults to all; creations always.
	Advice string        `json:"advice,omitempty"` // what to do about it, for people
}
