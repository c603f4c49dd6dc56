package alerts

import (
	"encoding/json"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// SubscriptionKind is the Kind of alerts about durable subscriptions; their ResourceID is the subscription's name.
const SubscriptionKind = "subscription"

// Alert says that something is, or was, wrong.
type Alert struct {
	ID           string           `json:"id"`                    // that of the event that raised it, if it was told; IDs sort by time
	Name         string           `json:"name"`                  // of the rule: stuck
	Severity     string           `json:"severity"`              // info, warning, critical
	Kind         string           `json:"kind"`                  // of the resources it's about, or SubscriptionKind
	ResourceID   string           `json:"resource_id,omitempty"` // empty: about the whole kind, or many of it
	Scope        string           `json:"scope,omitempty"`       // the part of the kind it's about: zone_id=z1; of a group the common cause, if there is one
	Tenant       string           `json:"tenant,omitempty"`
	Message      string           `json:"message"`
	RaisedAt     time.Time        `json:"raised_at"`
	LastAt       time.Time        `json:"last_at"` // of the newest repeat, or member
	Count        int64            `json:"count"`   // from 1; of a group how many members it has had
	Members      *Members         `json:"members,omitempty"`
	Group        string           `json:"group,omitempty"` // the ID of the group that it's a member of
	Acknowledged *Acknowledgement `json:"acknowledged,omitempty"`
	ClearedAt    time.Time        `json:"cleared_at,omitzero"`
}

// Members of a group.
type Members struct {
	Active int64    `json:"active"` // how many are active
	First  []string `json:"first"`  // resources of the first ones
}

// Acknowledgement says who takes care.
type Acknowledgement struct {
	By   string    `json:"by"`
	Note string    `json:"note,omitempty"`
	At   time.Time `json:"at"`
}

// What happened to an alert.
const (
	Raised       = "raised"
	Cleared      = "cleared"
	Acknowledged = "acknowledged"
)

// Notice is the event alert.<name>.<what>. One that is raised again says so: Renotified.
type Notice struct {
	What       string `json:"what"`                 // Raised, Cleared, Acknowledged
	Renotified int64  `json:"renotified,omitempty"` // Raised: how often it was told again, this time included
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
	Type       string // of the rule; "": it was raised before that was kept
	Kind       string
	ResourceID string
	Scope      string // of a group the common cause
	Cause      string // of what isn't a group: with which others it is grouped; "" with all
	Tenant     string
	Severity   string
	Message    string
	RaisedAt   int64
	LastAt     int64
	Count      int64
	ClearedAt  int64 // of an active alert: 0

	IsGroup      int64  // 1: a group
	Members      int64  // of a group: the active ones
	FirstMembers string // of a group: resources, as a JSON list
	GroupedBy    string // the ID of the group it's a member of
	Told         int64  // 1: its own events were recorded
	Notices      int64  // how many there were
	NotifyAt     int64  // when it is told again; 0: never

	AcknowledgedBy string
	AcknowledgedAt int64 // 0: it isn't
	Note           string
}

// TableName is gorm's.
func (row) TableName() string { return "alerts" }

func (r *row) key() key { return key{r.Name, r.Kind, r.ResourceID, r.Scope, r.IsGroup} }

func (r *row) alert() Alert {
	a := Alert{
		ID: r.ID, Name: r.Name, Severity: r.Severity, Kind: r.Kind, ResourceID: r.ResourceID, Scope: r.Scope, Tenant: r.Tenant, Message: r.Message,
		RaisedAt: timeOf(r.RaisedAt), LastAt: timeOf(r.LastAt), Count: r.Count, Group: r.GroupedBy,
	}
	if r.IsGroup == 1 {
		a.Members = &Members{Active: r.Members, First: r.first()}
	}
	if r.AcknowledgedAt != 0 {
		a.Acknowledged = &Acknowledgement{By: r.AcknowledgedBy, Note: r.Note, At: timeOf(r.AcknowledgedAt)}
	}
	if r.ClearedAt != 0 {
		a.ClearedAt = timeOf(r.ClearedAt)
	}
	return a
}

func (r *row) first() []string {
	first := []string{}
	_ = json.Unmarshal([]byte(r.FirstMembers), &first) // written by us
	return first
}

// firstMembers is how many members a group names.
const firstMembers = 10

func (r *row) name(members ...string) {
	first := r.first()
	for _, m := range members {
		if len(first) < firstMembers {
			first = append(first, m)
		}
	}
	text, _ := json.Marshal(first) // strings can't fail
	r.FirstMembers = string(text)
}

// noticeRow is what was told about an alert, kept with it.
type noticeRow struct {
	AlertID string `gorm:"primaryKey"`
	N       int64  `gorm:"primaryKey;autoIncrement:false"`
	What    string
	At      int64
	Message string
	Count   int64
	Actor   string
	Note    string
}

// TableName is gorm's.
func (noticeRow) TableName() string { return "alerts_notices" }

func timeOf(nanoseconds int64) time.Time { return time.Unix(0, nanoseconds).UTC() }
