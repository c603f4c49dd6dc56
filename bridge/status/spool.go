package status

import (
	"context"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// Spooled is what a spool keeps of a resource: the newest observation of it.
type Spooled struct {
	Observation Observation `json:"observation"`
	EventID     bus.ID      `json:"event"`             // of the observation, the same whenever it is sent
	Sequence    uint64      `json:"sequence"`          // of the observation
	Pending     bool        `json:"pending,omitempty"` // it isn't acknowledged
	Gone        bool        `json:"gone,omitempty"`    // the resource is forgotten: the spool drops what it has of it
	At          time.Time   `json:"at"`                // when this was written down
}

// Spool keeps what a reporter knows, so that it goes on there after a restart. A reporter calls its methods one at a time, from goroutines of its own: none of them may wait for the reporter.
type Spool interface {
	// Load returns what is kept, one for each resource. It is called once, before everything else.
	Load(ctx context.Context) ([]Spooled, error)
	// Write keeps each of batch in place of what is kept of its resource; it returns nil when they survive a crash of the machine.
	// After an error any part of the batch may have been kept; the reporter writes it again later.
	Write(ctx context.Context, batch []Spooled) error
	// Close is called once, last.
	Close() error
}
