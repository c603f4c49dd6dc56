package usage

import (
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// interval is a row of the ledger: a stretch of time in which a meter ran for a resource, at one size and for one tenant. Number and meter of the event that opened it are its
// identity, so that a replay finds what is there. Times are integer nanoseconds since 1970, UTC.
type interval struct {
	OpenedSeq  uint64 `gorm:"primaryKey;autoIncrement:false"`
	Meter      string `gorm:"primaryKey"`
	Tenant     string
	Kind       string
	ResourceID string
	Size       `gorm:"embedded"`
	StartedAt  int64
	EndedAt    int64  // of an open interval: 0
	ClosedSeq  uint64 // of an open interval: 0
}

// TableName is gorm's.
func (interval) TableName() string { return "usage_intervals" }

// openAt reports whether the interval was open just before the event seq.
func (i *interval) openAt(seq uint64) bool {
	return i.OpenedSeq < seq && (i.ClosedSeq == 0 || i.ClosedSeq >= seq)
}

// What happened to an interval.
const (
	Opened = "opened"
	Closed = "closed"
)

// Metered is the event usage.<meter>.opened or usage.<meter>.closed: a meter began or ceased to run for a resource.
type Metered struct {
	What       string    `json:"what"` // Opened, Closed
	Meter      string    `json:"meter"`
	Tenant     string    `json:"tenant,omitempty"`
	Kind       string    `json:"kind"`
	ResourceID string    `json:"resource_id"`
	Size       Size      `json:"size"`
	OpenedSeq  uint64    `json:"opened_seq"` // number of the event that opened the interval
	StartedAt  time.Time `json:"started_at"`
	EndedAt    time.Time `json:"ended_at,omitzero"` // of Closed
}

// EventType is usage.<meter>.<what>.
func (m Metered) EventType() string { return "usage." + m.Meter + "." + m.What }

// Address names the resource.
func (m Metered) Address() (tenant, kind, id string) { return m.Tenant, m.Kind, m.ResourceID }

var _ bus.Addressed = Metered{}

func (i *interval) event(what string) Metered {
	m := Metered{
		What: what, Meter: i.Meter, Tenant: i.Tenant, Kind: i.Kind, ResourceID: i.ResourceID, Size: i.Size, OpenedSeq: i.OpenedSeq,
		StartedAt: time.Unix(0, i.StartedAt).UTC(),
	}
	if what == Closed {
		m.EndedAt = time.Unix(0, i.EndedAt).UTC()
	}
	return m
}
