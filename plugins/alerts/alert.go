package alerts

import (
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// Names of the rules.
const (
	StuckRule       = "stuck"
	FailureRateRule = "failure_rate"
	UnclaimedRule   = "unclaimed"
)

// SubscriptionKind is the Kind of alerts about durable subscriptions; their ResourceID is the subscription's name.
const SubscriptionKind = "subscription"

// Severities.
const (
	Warning  = "warning"
	Critical = "critical"
)

// Alert says that something is, or was, wrong.
type Alert struct {
	ID         string    `json:"id"`                    // that of the event that raised it; IDs sort by time
	Name       string    `json:"name"`                  // of the rule: stuck
	Severity   string    `json:"severity"`              // warning, critical
	Kind       string    `json:"kind"`                  // of the resources it's about, or SubscriptionKind
	ResourceID string    `json:"resource_id,omitempty"` // empty: about the whole kind
	Tenant     string    `json:"tenant,omitempty"`
	Message    string    `json:"message"`
	RaisedAt   time.Time `json:"raised_at"`
	LastAt     time.Time `json:"last_at"` // of the newest repeat
	Count      int64     `json:"count"`   // from 1
	ClearedAt  time.Time `json:"cleared_at,omitzero"`
}

// What happened to an alert.
const (
	Raised  = "raised"
	Cleared = "cleared"
)

// Notice is the event alert.<name>.raised or alert.<name>.cleared.
type Notice struct {
	What string `json:"what"` // Raised, Cleared
	Alert
}

// EventType is alert.<name>.<what>.
func (n Notice) EventType() string { return "alert." + n.Name + "." + n.What }

// Address names the resource, or the kind.
func (n Notice) Address() (tenant, kind, id string) { return n.Tenant, n.Kind, n.ResourceID }

var _ bus.Addressed = Notice{}

// row is an alert as it lies in the database. Times are integer nanoseconds since 1970, UTC.
type row struct {
	ID         string `gorm:"primaryKey"`
	Name       string
	Kind       string
	ResourceID string
	Tenant     string
	Severity   string
	Message    string
	RaisedAt   int64
	LastAt     int64
	Count      int64
	ClearedAt  int64 // of an active alert: 0
}

// TableName is gorm's.
func (row) TableName() string { return "alerts" }

func (r row) alert() Alert {
	a := Alert{
		ID: r.ID, Name: r.Name, Severity: r.Severity, Kind: r.Kind, ResourceID: r.ResourceID, Tenant: r.Tenant, Message: r.Message,
		RaisedAt: timeOf(r.RaisedAt), LastAt: timeOf(r.LastAt), Count: r.Count,
	}
	if r.ClearedAt != 0 {
		a.ClearedAt = timeOf(r.ClearedAt)
	}
	return a
}

func timeOf(nanoseconds int64) time.Time { return time.Unix(0, nanoseconds).UTC() }
