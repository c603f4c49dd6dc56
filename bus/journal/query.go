package journal

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// Query selects records; zero fields don't filter.
type Query struct {
	Type          string // pattern, as bus.Type
	Kind          string
	ResourceID    string
	Tenant        string
	Actor         string
	CorrelationID string
	Since, Until  time.Time // of Time: at or after Since, before Until
	After, Before uint64    // keyset of Seq, both exclusive: the next page comes after the last Seq of this one, or before it with Newest
	Newest        bool      // newest first
	Limit         int       // Defaults to 100; at most 1,000.
}

const (
	defaultLimit = 100
	maxLimit     = 1000
)

// Query returns the records that q selects, in order of Seq; fewer than Limit only at the end. What is wrong with q is a *QueryError.
func (j *Journal) Query(ctx context.Context, q Query) ([]bus.Record, error) {
	p, err := q.check()
	if err != nil {
		return nil, err
	}
	if q.Limit == 0 {
		q.Limit = defaultLimit
	}
	found := make([]bus.Record, 0, q.Limit)
	size := q.Limit
	if strings.ContainsAny(q.Type, "*>") {
		size = max(size, maxBatch) // few of them may match
	}
	for {
		text, args := j.queryText(q, size)
		page, err := j.selectRecords(ctx, text, size, args...)
		if err != nil {
			return nil, j.readError("query", err)
		}
		for _, r := range page {
			if len(found) < q.Limit && (q.Type == "" || p.Match(r.Type)) {
				found = append(found, r)
			}
		}
		if len(found) == q.Limit || len(page) < size {
			return found, nil
		}
		q.turnTo(page[len(page)-1].Seq)
	}
}

// turnTo continues behind a record.
func (q *Query) turnTo(seq uint64) {
	if q.Newest {
		q.Before = seq
	} else {
		q.After = seq
	}
}

// check says what is wrong with a query; p is its compiled Type.
func (q *Query) check() (p bus.Pattern, err error) {
	if q.Type != "" {
		if p, err = bus.ParsePattern(q.Type); err != nil {
			return p, &QueryError{Field: "Type", Reason: err.Error()}
		}
	}
	if q.Limit < 0 || q.Limit > maxLimit {
		return p, &QueryError{Field: "Limit", Reason: fmt.Sprintf("%d is not in 1 to %d (0 is %d)", q.Limit, maxLimit, defaultLimit)}
	}
	for field, seq := range map[string]uint64{"After": q.After, "Before": q.Before} {
		if seq > math.MaxInt64 {
			return p, &QueryError{Field: field, Reason: fmt.Sprintf("%d is more than %d, the highest number there can be", seq, math.MaxInt64)}
		}
	}
	if q.Before != 0 && q.Before <= q.After {
		return p, &QueryError{Field: "Before", Reason: fmt.Sprintf("%d is not above After %d", q.Before, q.After)}
	}
	if !q.Since.IsZero() && !q.Until.IsZero() && !q.Since.Before(q.Until) {
		return p, &QueryError{Field: "Until", Reason: fmt.Sprintf("%s is not after Since %s", q.Until.Format(time.RFC3339Nano), q.Since.Format(time.RFC3339Nano))}
	}
	for field, at := range map[string]time.Time{"Since": q.Since, "Until": q.Until} {
		if _, err := Nanoseconds(at); err != nil {
			return p, &QueryError{Field: field, Reason: err.Error()}
		}
	}
	return p, nil
}

// conditions collects the terms of a WHERE clause.
type conditions struct {
	terms []string
	args  []any
}

func (c *conditions) add(holds bool, term string, args ...any) {
	if holds {
		c.terms = append(c.terms, term)
		c.args = append(c.args, args...)
	}
}

// queryText reads in order of seq, by the index of an exact value or through the table. Conditions that hold for much (a kind, a range of types)
// are written as expressions: through an index they would have all that they select sorted for each page.
func (j *Journal) queryText(q Query, limit int) (string, []any) {
	var c conditions
	c.add(q.After > 0, "seq > ?", q.After)
	c.add(q.Before > 0, "seq < ?", q.Before)
	c.addType(q.Type)
	c.add(q.Kind != "" && q.ResourceID != "", "kind = ?", q.Kind)
	c.add(q.Kind != "" && q.ResourceID == "", "kind || '' = ?", q.Kind)
	c.add(q.ResourceID != "", "resource_id = ?", q.ResourceID)
	c.add(q.Tenant != "", "tenant = ?", q.Tenant)
	c.add(q.Actor != "", "actor = ?", q.Actor)
	c.add(q.CorrelationID != "", "correlation_id = ?", q.CorrelationID)
	c.add(!q.Since.IsZero(), "time >= ?", q.Since.UnixNano())
	c.add(!q.Until.IsZero(), "time < ?", q.Until.UnixNano())

	text := "SELECT " + columns + " FROM journal"
	if len(c.terms) > 0 {
		text += " WHERE " + strings.Join(c.terms, " AND ")
	}
	if q.Newest {
		text += " ORDER BY seq DESC LIMIT ?"
	} else {
		text += " ORDER BY seq LIMIT ?"
	}
	return bind(j.dialect, text), append(c.args, limit)
}

// addType narrows to what a pattern says before its first wildcard; the rest is matched on the way.
func (c *conditions) addType(pattern string) {
	wildcard := strings.IndexAny(pattern, "*>")
	switch {
	case pattern == "" || wildcard == 0:
	case wildcard < 0:
		c.add(true, "type = ?", pattern)
	default:
		prefix := pattern[:wildcard-1]
		c.add(true, "type || '' >= ? AND type || '' < ?", prefix+".", prefix+"/") // "/" comes after "."
	}
}
