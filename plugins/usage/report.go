package usage

import (
	"context"
	"fmt"
	"time"
)

// Report is the answer to a Query: what ran inside the window, clipped to it.
type Report struct {
	From time.Time `json:"from,omitzero"` // zero: the beginning
	To   time.Time `json:"to"`            // of a query without To: now
	Rows []Row     `json:"rows"`          // in order of tenant, kind, meter, resource, size
}

// Row sums up the intervals of a report that agree in what the query groups by; other fields are empty.
type Row struct {
	Tenant     string `json:"tenant,omitempty"`
	Kind       string `json:"kind,omitempty"`
	Meter      string `json:"meter,omitempty"`
	ResourceID string `json:"resource_id,omitempty"`
	Size
	Seconds   Amount `json:"seconds" gorm:"-"`
	Intervals int64  `json:"intervals"`
	Open      int64  `json:"open"` // of them those that hadn't ended at the end of the window
}

// Total is the sum of a meter.
type Total struct {
	Seconds Amount `json:"seconds"`
	Open    int64  `json:"open"`
}

// sums is what the database sums up for a row.
type sums struct {
	Tenant, Kind, Meter, ResourceID string
	Size                            `gorm:"embedded"`
	Seconds, Nanoseconds            int64
	Intervals, OpenIntervals        int64
}

// Report sums up the ledger. It may lag behind the journal by what the plugin's subscription has not read yet; bus.Flush waits for it. Error: *QueryError.
func (p *Plugin) Report(ctx context.Context, q Query) (*Report, error) {
	if p.runtime == nil {
		return nil, fmt.Errorf("usage: report: the plugin hasn't started")
	}
	q, err := q.check(p.table)
	if err != nil {
		return nil, err
	}
	now := p.runtime.Now()
	statement, args := q.sql(now)
	var found []sums
	if err := p.runtime.Read().WithContext(ctx).Raw(statement, args...).Scan(&found).Error; err != nil {
		return nil, fmt.Errorf("usage: report: %w", err)
	}
	r := &Report{From: q.From.UTC(), To: q.To.UTC(), Rows: make([]Row, len(found))}
	if q.To.IsZero() {
		r.To = now.UTC()
	}
	for i, s := range found {
		r.Rows[i] = Row{s.Tenant, s.Kind, s.Meter, s.ResourceID, s.Size, amount(s.Seconds, s.Nanoseconds), s.Intervals, s.OpenIntervals}
	}
	return r, nil
}

// Totals sums up the ledger by meter, whatever the query groups by. Meters without an interval in the window aren't in it. Error: *QueryError.
func (p *Plugin) Totals(ctx context.Context, q Query) (map[string]Total, error) {
	q.By = []string{ByMeter}
	r, err := p.Report(ctx, q)
	if err != nil {
		return nil, err
	}
	totals := make(map[string]Total, len(r.Rows))
	for _, row := range r.Rows {
		totals[row.Meter] = Total{row.Seconds, row.Open}
	}
	return totals, nil
}
