package resources

import (
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// ActionStatus is how far an action is.
type ActionStatus string

const (
	ActionScheduled ActionStatus = "scheduled"
	ActionStarted   ActionStatus = "started"
	ActionSucceeded ActionStatus = "succeeded"
	ActionFailed    ActionStatus = "failed"
)

// Failure is the sort of an action's failure.
type Failure string

const (
	FailureError     Failure = "error"     // what was done returned an error
	FailurePanic     Failure = "panic"     // it panicked, or ended its goroutine
	FailureAbandoned Failure = "abandoned" // its process was stopped, or didn't answer for longer than others wait: how far it came nobody knows
)

// Acted is the event action.<kind>.<verb>.<status>: somebody's action has come to a status. Its header has the actor, the tenant, the
// resource and the correlation of the action.
type Acted struct {
	Action      bus.ID       `json:"action"` // the same in all events of one action: the id of its scheduled event
	Kind        string       `json:"kind"`   // what is acted on; not necessarily a registered kind
	Verb        string       `json:"verb"`
	Status      ActionStatus `json:"status"`
	ResourceID  string       `json:"resource_id,omitempty"`
	Tenant      string       `json:"tenant,omitempty"`
	Actor       string       `json:"actor"`
	Reason      string       `json:"reason,omitempty"` // why it is done, for people
	Owner       string       `json:"owner"`            // the server that carries it out
	ScheduledAt time.Time    `json:"scheduled_at"`
	StartedAt   time.Time    `json:"started_at,omitzero"`
	EndedAt     time.Time    `json:"ended_at,omitzero"` // of an abandoned one: when that was found out
	Failure     Failure      `json:"failure,omitempty"` // of what failed: how
	Error       string       `json:"error,omitempty"`   // of what failed: what it said; valid UTF-8, at most 1,024 bytes
}

// EventType is action.<kind>.<verb>.<status>.
func (a Acted) EventType() string {
	return "action." + a.Kind + "." + a.Verb + "." + string(a.Status)
}

// Address says which tenant and resource it is about.
func (a Acted) Address() (tenant, kind, id string) { return a.Tenant, a.Kind, a.ResourceID }

var _ bus.Addressed = Acted{}
