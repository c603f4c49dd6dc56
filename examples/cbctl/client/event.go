package client

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// Event is an event, of the journal or of the event log.
type Event struct {
	Seq           uint64          `json:"seq"`
	ID            bus.ID          `json:"id"`
	Type          string          `json:"type"`
	Schema        int             `json:"schema"`
	Source        string          `json:"source"`
	Subject       string          `json:"subject"`
	Kind          string          `json:"kind"`
	ResourceID    string          `json:"resource_id"`
	Time          time.Time       `json:"time"`
	Tenant        string          `json:"tenant"`
	Actor         string          `json:"actor"`
	Version       uint64          `json:"version"`
	Level         string          `json:"level"` // of the event log only
	CorrelationID string          `json:"correlation_id"`
	CausationID   string          `json:"causation_id"`
	TraceParent   string          `json:"trace_parent"`
	Data          json.RawMessage `json:"data"`

	Raw json.RawMessage `json:"-"` // all of it, as the server said it
}

// UnmarshalJSON keeps what it reads in Raw. The journal gives a subject, the event log kind and id: both are filled in.
func (e *Event) UnmarshalJSON(b []byte) error {
	type plain Event
	var p plain
	if err := json.Unmarshal(b, &p); err != nil {
		return err
	}
	*e = Event(p)
	e.Raw = append(json.RawMessage(nil), b...)
	if e.Subject == "" {
		e.Subject = bus.Header{Kind: e.Kind, ResourceID: e.ResourceID}.Subject()
	} else {
		e.Kind, e.ResourceID, _ = strings.Cut(e.Subject, "/")
	}
	return nil
}

// Recorded returns the event as the bus has it.
func (e *Event) Recorded() bus.Event[bus.Raw] {
	return bus.Event[bus.Raw]{
		Header: bus.Header{
			ID: e.ID, Type: e.Type, Schema: e.Schema, Source: e.Source, Kind: e.Kind, ResourceID: e.ResourceID, Time: e.Time, Seq: e.Seq,
			Tenant: e.Tenant, Actor: e.Actor, Version: e.Version,
			CorrelationID: e.CorrelationID, CausationID: e.CausationID, TraceParent: e.TraceParent,
		},
		Payload: bus.Raw(e.Data),
	}
}
