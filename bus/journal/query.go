package journal

import (
	"context"
	"fmt"
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
	for {
		text, args := j.queryText(q, p)
		page, err := j.selectRecords(ctx, text, q.Limit, args...)
		if err != nil {
			return nil, j.readError("query", err)
		}
		for _, r := range page {
			if len(found) < q.Limit && (p == nil || p.matches(r.Type)) {
				found = append(found, r)
			}
		}
		if len(found) == q.Limit || len(page) < q.Limit {
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

func (q *Query) check() (p pattern, err error) {
	if q.Type != "" {
		var wrong string
		if p, wrong = parsePattern(q.Type); wrong != "" {
			return nil, &QueryError{Field: "Type", Reason: fmt.Sprintf("%q %s", q.Type, wrong)}
		}
	}
	if q.Limit < 0 || q.Limit > maxLimit {
		return nil, &QueryError{Field: "Limit", Reason: fmt.Sprintf("%d is not in 1 to %d (0 is %d)", q.Limit, maxLimit, defaultLimit)}
	}
	if q.Before != 0 && q.Before <= q.After {
		return nil, &QueryError{Field: "Before", Reason: fmt.Sprintf("%d is not above After %d", q.Before, q.After)}
	}
	if !q.Since.IsZero() && !q.Until.IsZero() && !q.Since.Before(q.Until) {
		return nil, &QueryError{Field: "Until", Reason: fmt.Sprintf("%s is not after Since %s", q.Until.Format(time.RFC3339Nano), q.Since.Format(time.RFC3339Nano))}
	}
	for field, at := range map[string]time.Time{"Since": q.Since, "Until": q.Until} {
		if _, err := nanoseconds(at); err != nil {
			return nil, &QueryError{Field: field, Reason: err.Error()}
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
func (j *Journal) queryText(q Query, p pattern) (string, []any) {
	var c conditions
	c.add(q.After > 0, "seq > ?", q.After)
	c.add(q.Before > 0, "seq < ?", q.Before)
	c.addType(p)
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
	return bind(j.dialect, text), append(c.args, q.Limit)
}

// addType narrows to what the pattern's literal tokens say; the rest is matched on the way.
func (c *conditions) addType(p pattern) {
	if len(p) == 0 {
		return
	}
	prefix, all := p.literal()
	switch {
	case all:
		c.add(true, "type = ?", prefix)
	case prefix != "":
		c.add(true, "type || '' >= ? AND type || '' < ?", prefix+".", prefix+"/") // "/" comes after "."
	}
}
