package usage

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"
)

// Report is the answer to a Query: what ran inside the window, clipped to it, and what was corrected there.
type Report struct {
	From   time.Time `json:"from,omitzero"` // zero: the beginning
	To     time.Time `json:"to"`            // of a query without To: now
	Bucket string    `json:"bucket,omitempty"`
	TZ     string    `json:"tz,omitempty"`
	Rows   []Row     `json:"rows"` // in order of tenant, kind, meter, resource, size, bucket
}

// Row sums up the intervals and corrections of a report that agree in what the query groups by; other fields are empty.
type Row struct {
	Tenant     string `json:"tenant,omitempty"`
	Kind       string `json:"kind,omitempty"`
	Meter      string `json:"meter,omitempty"`
	ResourceID string `json:"resource_id,omitempty"`
	Size
	From        time.Time `json:"from,omitzero"` // with buckets: the row's bucket, or as much of it as the window has. Buckets without anything have no row.
	To          time.Time `json:"to,omitzero"`
	Seconds     Amount    `json:"seconds"`     // metered
	Corrections Amount    `json:"corrections"` // what corrections add, or take away
	Total       Amount    `json:"total"`       // both
	Intervals   int64     `json:"intervals"`
	Open        int64     `json:"open"` // of them those that hadn't ended at the end of the window or bucket
}

// Total is the sum of a meter.
type Total struct {
	Seconds     Amount `json:"seconds"` // metered
	Corrections Amount `json:"corrections,omitzero"`
	Open        int64  `json:"open"`
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
	bounds, err := q.bounds()
	if err != nil {
		return nil, err
	}
	now := p.runtime.Now()
	r := &Report{From: q.From.UTC(), To: q.To.UTC(), Bucket: q.Bucket, TZ: q.TZ}
	if q.To.IsZero() {
		r.To = now.UTC()
	}
	w := q.window(now)
	t := newTally(w, bounds)
	err = p.runtime.Read().WithContext(ctx).Transaction(func(db *gorm.DB) error {
		if bounds == nil {
			if r.Rows, err = q.sumUp(db, w); err != nil {
				return err
			}
		} else if err := q.read(db, w, t); err != nil {
			return err
		}
		return q.readCorrections(db, w, t)
	})
	if err != nil {
		return nil, fmt.Errorf("usage: report: %w", err)
	}
	return r, r.finish(q, t)
}

// finish adds the rows of a tally, and sorts all.
func (r *Report) finish(q Query, t *tally) error {
	counted, ok := t.rows()
	if !ok {
		return q.tooMany()
	}
	r.Rows = append(r.Rows, counted...)
	slices.SortFunc(r.Rows, Row.compare)
	if q.Bucket == "" {
		r.Rows = merged(r.Rows)
	}
	for i := range r.Rows {
		r.Rows[i].Total = r.Rows[i].Seconds.Add(r.Rows[i].Corrections)
	}
	return nil
}

// sumUp has the database sum up intervals.
func (q Query) sumUp(db *gorm.DB, w window) ([]Row, error) {
	ended, err := endedColumn(db, w)
	if err != nil {
		return nil, err
	}
	by := ""
	if db.Name() == "sqlite" && ended == "ended_at" {
		by = "+" // else SQLite goes through the whole of an index that has the groups in order
	}
	statement, args := q.sums(w, ended, by)
	var found []sums
	if err := db.Raw(statement, args...).Scan(&found).Error; err != nil {
		return nil, err
	}
	rows := make([]Row, len(found))
	for i, s := range found {
		rows[i] = Row{
			Tenant: s.Tenant, Kind: s.Kind, Meter: s.Meter, ResourceID: s.ResourceID, Size: s.Size,
			Seconds: amount(s.Seconds, s.Nanoseconds), Intervals: s.Intervals, Open: s.OpenIntervals,
		}
	}
	return rows, nil
}

// compare orders rows by what they are about, texts byte by byte.
func (r Row) compare(o Row) int {
	return cmp.Or(
		cmp.Compare(r.Tenant, o.Tenant), cmp.Compare(r.Kind, o.Kind), cmp.Compare(r.Meter, o.Meter), cmp.Compare(r.ResourceID, o.ResourceID),
		r.Size.compare(o.Size), r.From.Compare(o.From),
	)
}

// merged joins neighbours that are about the same: what was metered, and what was corrected.
func merged(rows []Row) []Row {
	all := make([]Row, 0, len(rows))
	for _, r := range rows {
		if n := len(all) - 1; n >= 0 && all[n].compare(r) == 0 {
			all[n].Seconds, all[n].Corrections = all[n].Seconds.Add(r.Seconds), all[n].Corrections.Add(r.Corrections)
			all[n].Intervals, all[n].Open = all[n].Intervals+r.Intervals, all[n].Open+r.Open
			continue
		}
		all = append(all, r)
	}
	return all
}

// Totals sums up the ledger by meter, whatever the query groups by; it takes no buckets. Meters without anything in the window aren't in it. Error: *QueryError.
func (p *Plugin) Totals(ctx context.Context, q Query) (map[string]Total, error) {
	if q.Bucket != "" {
		return nil, &QueryError{Field: "bucket", Value: q.Bucket, Reason: "is for reports: totals are of the window as a whole"}
	}
	q.By = []string{ByMeter}
	r, err := p.Report(ctx, q)
	if err != nil {
		return nil, err
	}
	totals := make(map[string]Total, len(r.Rows))
	for _, row := range r.Rows {
		totals[row.Meter] = Total{row.Seconds, row.Corrections, row.Open}
	}
	return totals, nil
}
