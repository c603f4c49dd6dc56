package usage

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// Columns that a report can group by.
const (
	ByTenant   = "tenant"
	ByKind     = "kind"
	ByMeter    = "meter"
	BySize     = "size"
	ByResource = "resource"
)

var columns = map[string][]string{
	ByTenant: {"tenant"}, ByKind: {"kind"}, ByMeter: {"meter"}, ByResource: {"resource_id"},
	BySize: {"cpus", "memory_mib", "gib", "units"},
}

// groupings in the order in which reports sort.
var groupings = []string{ByTenant, ByKind, ByMeter, ByResource, BySize}

// Query says what a report is about. The zero value is all that was ever used.
type Query struct {
	From       time.Time // Start of the window, inclusive. Defaults to the beginning.
	To         time.Time // End of the window, exclusive. Defaults to none: all that was closed, and what is open until now.
	Tenant     string    // Defaults to all.
	Kind       string    // Defaults to all.
	Meter      string    // Defaults to all.
	ResourceID string    // Defaults to all.
	By         []string  // One row for each combination of these. Defaults to tenant, kind, meter, size.
	Bucket     string    // ByHour, ByDay or ByMonth: rows for each of these in the window, which then needs From and To. Defaults to none: the window as a whole.
	TZ         string    // Time zone by whose clock hours, days and months are told: Europe/Berlin. Defaults to UTC. Only with Bucket.
}

// MaxRows is how many rows a report with buckets has at most: it is made in memory.
const MaxRows = 100_000

// check returns a *QueryError, or the query with its defaults.
func (q Query) check(t *table) (Query, error) {
	if !q.From.IsZero() && !q.To.IsZero() && !q.From.Before(q.To) {
		return q, &QueryError{Field: "from", Value: q.From.Format(time.RFC3339Nano), Reason: fmt.Sprintf("is not before to %q", q.To.Format(time.RFC3339Nano))}
	}
	if err := t.checkNames(q.Kind, q.Meter); err != nil {
		return q, err
	}
	if err := checkTexts(q.Tenant, q.ResourceID); err != nil {
		return q, err
	}
	if q.By == nil {
		q.By = []string{ByTenant, ByKind, ByMeter, BySize}
	}
	for i, by := range q.By {
		if columns[by] == nil {
			return q, &QueryError{Field: "by", Value: by, Reason: "is unknown", Known: groupings}
		}
		if slices.Contains(q.By[:i], by) {
			return q, &QueryError{Field: "by", Value: by, Reason: "is given twice"}
		}
	}
	return q, nil
}

// checkNames returns a *QueryError for a kind or a meter that isn't there; "" stands for all.
func (t *table) checkNames(kind, meter string) error {
	if metered := t.metered(); kind != "" && !slices.Contains(metered, kind) {
		return &QueryError{Field: "kind", Value: kind, Reason: "is not metered", Known: metered}
	}
	if names := t.names(); meter != "" && !slices.Contains(names, meter) {
		return &QueryError{Field: "meter", Value: meter, Reason: "is unknown", Known: names}
	}
	return nil
}

// checkTexts returns a *QueryError for what can't be in a column, and so not in a statement either.
func checkTexts(tenant, resource string) error {
	if bad := bus.TextFault(tenant); bad != "" {
		return &QueryError{Field: "tenant", Value: tenant, Reason: bad}
	}
	if bad := bus.TextFault(resource); bad != "" {
		return &QueryError{Field: "resource", Value: resource, Reason: bad}
	}
	return nil
}

// bounds returns those of the query's buckets; nil without buckets.
func (q Query) bounds() ([]time.Time, error) {
	if q.Bucket == "" {
		if q.TZ != "" {
			return nil, &QueryError{Field: "tz", Value: q.TZ, Reason: "says whose hours, days and months are meant: it needs a bucket", Known: buckets}
		}
		return nil, nil
	}
	if !slices.Contains(buckets, q.Bucket) {
		return nil, &QueryError{Field: "bucket", Value: q.Bucket, Reason: "is unknown", Known: buckets}
	}
	z, err := zone(q.TZ)
	if err != nil {
		return nil, err
	}
	for _, end := range []struct {
		field string
		at    time.Time
	}{{"from", q.From}, {"to", q.To}} {
		switch {
		case end.at.IsZero():
			return nil, &QueryError{Field: end.field, Reason: "is missing: buckets need a window with both ends"}
		case end.at.Before(earliest) || end.at.After(latest):
			return nil, &QueryError{Field: end.field, Value: end.at.Format(time.RFC3339Nano), Reason: "is out of reach: buckets are within the years 1678 to 2261"}
		}
	}
	bounds, ok := calendar{q.Bucket, z}.cut(q.From, q.To, MaxRows)
	if !ok {
		return nil, q.tooMany()
	}
	return bounds, nil
}

func (q Query) tooMany() error {
	return &QueryError{Field: "bucket", Value: q.Bucket, Reason: fmt.Sprintf("makes more than %d rows: take longer buckets, a shorter window, fewer groups, or one tenant or kind", MaxRows)}
}

// columns lists the columns to group by.
func (q Query) columns() []string {
	var names []string
	for _, by := range groupings {
		if slices.Contains(q.By, by) {
			names = append(names, columns[by]...)
		}
	}
	return names
}

// window is a query's time, in nanoseconds.
type window struct {
	from, to int64
	now      int64 // an open interval isn't billed for time to come
}

func (q Query) window(now time.Time) window {
	w := window{math.MinInt64, math.MaxInt64, nanoseconds(now)}
	if !q.From.IsZero() {
		w.from = nanoseconds(q.From)
	}
	if !q.To.IsZero() {
		w.to = nanoseconds(q.To)
	}
	return w
}

// sums returns the statement that sums up intervals, and its arguments; by goes before each column that it groups by. It sums whole seconds and the rest apart, because SQLite's sums overflow at 292 years of nanoseconds.
func (q Query) sums(w window, ended, by string) (string, []any) {
	where, args := q.where(w, ended)
	inner := `SELECT tenant, kind, meter, resource_id, cpus, memory_mib, gib, units,
		CASE WHEN closed_seq = 0 THEN ? WHEN ended_at > ? THEN ? ELSE ended_at END
		- CASE WHEN started_at < ? THEN ? ELSE started_at END AS length,
		CASE WHEN closed_seq = 0 OR ended_at > ? THEN 1 ELSE 0 END AS is_open
		FROM usage_intervals` + where
	args = append([]any{min(w.to, w.now), w.to, w.to, w.from, w.from, w.to}, args...)

	sums := `CAST(COALESCE(SUM(CASE WHEN length > 0 THEN length / 1000000000 ELSE 0 END), 0) AS BIGINT) AS seconds,
		CAST(COALESCE(SUM(CASE WHEN length > 0 THEN length % 1000000000 ELSE 0 END), 0) AS BIGINT) AS nanoseconds,
		COUNT(*) AS intervals, CAST(COALESCE(SUM(is_open), 0) AS BIGINT) AS open_intervals`
	group := q.columns()
	if len(group) == 0 {
		return "SELECT " + sums + " FROM (" + inner + ") AS clipped", args
	}
	return "SELECT " + strings.Join(group, ", ") + ", " + sums + " FROM (" + inner + ") AS clipped GROUP BY " + by + strings.Join(group, ", "+by), args
}

// times returns the statement that reads the intervals one by one.
func (q Query) times(w window, ended string) (string, []any) {
	where, args := q.where(w, ended)
	return "SELECT " + strings.Join(append(q.columns(), "started_at", "ended_at", "closed_seq"), ", ") + " FROM usage_intervals" + where, args
}

// where selects the intervals that a window overlaps, and those of no length that begin in it. ended is how the column ended_at is written.
func (q Query) where(w window, ended string) (string, []any) {
	filter, args := q.filter()
	return " WHERE started_at < ? AND (" + ended + " = 0 AND closed_seq = 0 OR " + ended + " >= ? AND closed_seq <> 0 AND (ended_at > ? OR started_at >= ?))" + filter,
		append([]any{w.to, w.from, w.from, w.from}, args...)
}

// filter adds what else rows of the ledger must be.
func (q Query) filter() (string, []any) {
	var b strings.Builder
	var args []any
	for _, f := range []struct{ column, value string }{{"tenant", q.Tenant}, {"kind", q.Kind}, {"meter", q.Meter}, {"resource_id", q.ResourceID}} {
		if f.value != "" {
			b.WriteString(" AND " + f.column + " = ?")
			args = append(args, f.value)
		}
	}
	return b.String(), args
}

var earliest, latest = time.Unix(0, math.MinInt64), time.Unix(0, math.MaxInt64)

// nanoseconds since 1970, held within what an integer of 64 bits can hold (1677 to 2262).
func nanoseconds(t time.Time) int64 {
	switch {
	case t.Before(earliest):
		return math.MinInt64
	case t.After(latest):
		return math.MaxInt64
	}
	return t.UnixNano()
}
