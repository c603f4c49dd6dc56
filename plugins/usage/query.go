package usage

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
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
}

// check returns a *QueryError, or the query with its defaults.
func (q Query) check(t *table) (Query, error) {
	if !q.From.IsZero() && !q.To.IsZero() && q.From.After(q.To) {
		return q, &QueryError{Field: "from", Value: q.From.Format(time.RFC3339Nano), Reason: fmt.Sprintf("is after to %q", q.To.Format(time.RFC3339Nano))}
	}
	if metered := t.metered(); q.Kind != "" && !slices.Contains(metered, q.Kind) {
		return q, &QueryError{Field: "kind", Value: q.Kind, Reason: "is not metered", Known: metered}
	}
	if names := t.names(); q.Meter != "" && !slices.Contains(names, q.Meter) {
		return q, &QueryError{Field: "meter", Value: q.Meter, Reason: "is unknown", Known: names}
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

// sql returns the statement and its arguments. It sums whole seconds and the rest apart, because SQLite's sums overflow at 292 years of nanoseconds.
func (q Query) sql(now time.Time) (string, []any) {
	from, to := int64(math.MinInt64), int64(math.MaxInt64)
	if !q.From.IsZero() {
		from = nanoseconds(q.From)
	}
	if !q.To.IsZero() {
		to = nanoseconds(q.To)
	}
	openEnd := min(to, nanoseconds(now)) // an open interval isn't billed for time to come
	where, args := q.where()
	inner := `SELECT tenant, kind, meter, resource_id, cpus, memory_mib, gib, units,
		CASE WHEN closed_seq = 0 THEN ? WHEN ended_at > ? THEN ? ELSE ended_at END
		- CASE WHEN started_at < ? THEN ? ELSE started_at END AS length,
		CASE WHEN closed_seq = 0 OR ended_at > ? THEN 1 ELSE 0 END AS is_open
		FROM usage_intervals WHERE started_at < ? AND (closed_seq = 0 OR ended_at > ?)` + where
	args = append([]any{openEnd, to, to, from, from, to, to, from}, args...)

	sums := `CAST(COALESCE(SUM(CASE WHEN length > 0 THEN length / 1000000000 ELSE 0 END), 0) AS BIGINT) AS seconds,
		CAST(COALESCE(SUM(CASE WHEN length > 0 THEN length % 1000000000 ELSE 0 END), 0) AS BIGINT) AS nanoseconds,
		COUNT(*) AS intervals, CAST(COALESCE(SUM(is_open), 0) AS BIGINT) AS open_intervals`
	group := strings.Join(q.columns(), ", ")
	if group == "" {
		return "SELECT " + sums + " FROM (" + inner + ") AS clipped", args
	}
	return "SELECT " + group + ", " + sums + " FROM (" + inner + ") AS clipped GROUP BY " + group + " ORDER BY " + group, args
}

func (q Query) where() (string, []any) {
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
