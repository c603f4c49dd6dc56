package eventlog

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// Line is an event as Export writes it: a CloudEvent (1.0, structured) with the attributes that the bridges give it, and those of the log.
type Line struct {
	SpecVersion     string          `json:"specversion"`
	ID              string          `json:"id"`
	Source          string          `json:"source"`
	Type            string          `json:"type"`
	Subject         string          `json:"subject,omitempty"`
	Time            time.Time       `json:"time"`
	DataContentType string          `json:"datacontenttype"`
	Sequence        string          `json:"sequence"` // 20 digits, so that they sort as text
	Tenant          string          `json:"tenant,omitempty"`
	Actor           string          `json:"actor,omitempty"`
	ResourceVersion string          `json:"resourceversion,omitempty"`
	SchemaVersion   string          `json:"schemaversion,omitempty"`
	CorrelationID   string          `json:"correlationid,omitempty"`
	CausationID     string          `json:"causationid,omitempty"`
	TraceParent     string          `json:"traceparent,omitempty"`
	Level           string          `json:"level"`
	ArchivedAt      time.Time       `json:"archivedat,omitzero"`
	Data            json.RawMessage `json:"data"`
}

func lineOf(e *Event) Line {
	number := func(n uint64) string {
		if n == 0 {
			return ""
		}
		return fmt.Sprint(n)
	}
	return Line{
		SpecVersion: "1.0", ID: e.ID.String(), Source: e.Source, Type: e.Type, Subject: e.Subject(), Time: e.Time, DataContentType: "application/json",
		Sequence: fmt.Sprintf("%020d", e.Seq), Tenant: e.Tenant, Actor: e.Actor, ResourceVersion: number(e.Version), SchemaVersion: number(uint64(e.Schema)),
		CorrelationID: e.CorrelationID, CausationID: e.CausationID, TraceParent: e.TraceParent, Level: e.Level, ArchivedAt: e.ArchivedAt, Data: e.Data,
	}
}

// Export writes all that a query selects, in its order and from its After on, a JSON object (Line) on each line, and returns how many. It reads a page after the other, so it
// neither holds a transaction open nor takes much memory; what comes meanwhile may be in it. Limit and Before make no sense here. Error: *QueryError.
func (p *Plugin) Export(ctx context.Context, w io.Writer, q Query) (lines int, err error) {
	switch {
	case q.Before != "":
		return 0, &QueryError{Field: "before", Value: q.Before, Reason: "is for pages"}
	case q.Limit != 0:
		return 0, &QueryError{Field: "limit", Value: fmt.Sprint(q.Limit), Reason: "is for pages"}
	}
	q.Limit = maxLimit
	out := bufio.NewWriter(w)
	encoder := json.NewEncoder(out)
	for {
		page, err := p.List(ctx, q)
		if err != nil {
			return lines, err
		}
		for _, e := range page.Events {
			if err := encoder.Encode(lineOf(e)); err != nil {
				return lines, fmt.Errorf("eventlog: export: %w", err)
			}
			lines++
		}
		if err := out.Flush(); err != nil {
			return lines, fmt.Errorf("eventlog: export: %w", err)
		}
		if q.After = page.Next; q.After == "" {
			return lines, nil
		}
	}
}
