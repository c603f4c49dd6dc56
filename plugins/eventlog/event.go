package eventlog

import (
	"database/sql"
	"encoding/json"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
)

// Event is an event as the log has it.
type Event struct {
	Seq           uint64          `json:"seq"` // place in the journal
	ID            bus.ID          `json:"id"`
	Type          string          `json:"type"`
	Schema        int             `json:"schema,omitempty"`
	Source        string          `json:"source"`
	Kind          string          `json:"kind,omitempty"`
	ResourceID    string          `json:"resource_id,omitempty"`
	Version       uint64          `json:"version,omitempty"` // of the resource
	Tenant        string          `json:"tenant,omitempty"`
	Actor         string          `json:"actor,omitempty"`
	Time          time.Time       `json:"time"`
	Level         string          `json:"level"` // of Levels
	CorrelationID string          `json:"correlation_id,omitempty"`
	CausationID   string          `json:"causation_id,omitempty"`
	TraceParent   string          `json:"trace_parent,omitempty"`
	ArchivedAt    time.Time       `json:"archived_at,omitzero"`
	Data          json.RawMessage `json:"data"`
}

// Subject is kind/id, or the one that is set.
func (e *Event) Subject() string { return bus.Header{Kind: e.Kind, ResourceID: e.ResourceID}.Subject() }

// chain is the correlation id by which an event's chain goes: its own ID if it began one.
func (e *Event) chain() string {
	if e.CorrelationID != "" {
		return e.CorrelationID
	}
	return e.ID.String()
}

const columns = "seq, id, type, schema, source, kind, resource_id, version, tenant, actor, time, level, correlation_id, causation_id, trace_parent, archived_at, data"

// values are an event's, in order of columns.
func (e *Event) values() ([]any, error) {
	at, err := journal.Nanoseconds(e.Time)
	if err != nil {
		return nil, err
	}
	archived, err := journal.Nanoseconds(e.ArchivedAt)
	return []any{
		int64(e.Seq), e.ID.String(), e.Type, int64(e.Schema), e.Source, e.Kind, e.ResourceID, int64(e.Version), e.Tenant, e.Actor, at, e.Level,
		e.CorrelationID, e.CausationID, e.TraceParent, archived, string(e.Data),
	}, err
}

// scan reads a row of columns.
func (e *Event) scan(rows *sql.Rows) error {
	var id, data string
	var at, archived int64
	err := rows.Scan(&e.Seq, &id, &e.Type, &e.Schema, &e.Source, &e.Kind, &e.ResourceID, &e.Version, &e.Tenant, &e.Actor, &at, &e.Level,
		&e.CorrelationID, &e.CausationID, &e.TraceParent, &archived, &data)
	if err != nil {
		return err
	}
	if e.ID, err = bus.ParseID(id); err != nil {
		return err
	}
	e.Data = json.RawMessage(data)
	e.Time, e.ArchivedAt = journal.TimeOf(at), journal.TimeOf(archived)
	return nil
}
