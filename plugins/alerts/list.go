package alerts

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Query selects alerts; zero fields don't filter.
type Query struct {
	Active     bool // only those that aren't cleared
	Name       string
	Kind       string
	ResourceID string
	Tenant     string
	Before     string // keyset: an alert's ID; the next page is of those raised before it
	Limit      int    // Defaults to 100; at most 1,000.
}

// QueryError: a query asks for something that there isn't.
type QueryError struct {
	Field, Value, Reason string
	Known                []string // what it may be, if that can be listed
}

func (e *QueryError) Error() string {
	s := fmt.Sprintf("alerts: query: %s %q %s", e.Field, e.Value, e.Reason)
	if e.Known != nil {
		s += fmt.Sprintf(" (allowed: %s)", strings.Join(e.Known, ", "))
	}
	return s
}

const (
	defaultLimit = 100
	maxLimit     = 1000
)

// rules are the names that an alert can have.
var rules = []string{FailureRateRule, StuckRule, UnclaimedRule}

// check returns a *QueryError; kinds are those that are watched.
func (q Query) check(kinds []string) error {
	switch {
	case q.Limit < 0 || q.Limit > maxLimit:
		return &QueryError{Field: "limit", Value: strconv.Itoa(q.Limit), Reason: fmt.Sprintf("is not in 1 to %d", maxLimit)}
	case q.Name != "" && !slices.Contains(rules, q.Name):
		return &QueryError{"name", q.Name, "is no rule", rules}
	case q.Kind != "" && !slices.Contains(kinds, q.Kind):
		return &QueryError{"kind", q.Kind, "is not watched", kinds}
	}
	return nil
}

// kinds lists what alerts may be about.
func (p *Plugin) kinds() []string { return append(sortedKeys(p.machines), SubscriptionKind) }

// List returns alerts, the newest first, and the Before of the next page, "" at the end. Error: *QueryError.
func (p *Plugin) List(ctx context.Context, q Query) (found []Alert, next string, err error) {
	if p.runtime == nil {
		return nil, "", fmt.Errorf("alerts: list: the plugin hasn't started")
	}
	if err := q.check(p.kinds()); err != nil {
		return nil, "", err
	}
	if q.Limit == 0 {
		q.Limit = defaultLimit
	}
	db := p.runtime.Read().WithContext(ctx)
	if q.Active {
		db = db.Where("cleared_at = 0")
	}
	for column, value := range map[string]string{"name": q.Name, "kind": q.Kind, "resource_id": q.ResourceID, "tenant": q.Tenant} {
		if value != "" {
			db = db.Where(column+" = ?", value)
		}
	}
	if q.Before != "" {
		db = db.Where("id < ?", q.Before)
	}
	var rows []row
	if err := db.Order("id DESC").Limit(q.Limit + 1).Find(&rows).Error; err != nil {
		return nil, "", fmt.Errorf("alerts: list: %w", err)
	}
	if len(rows) > q.Limit {
		rows = rows[:q.Limit]
		next = rows[q.Limit-1].ID
	}
	found = make([]Alert, len(rows))
	for i, r := range rows {
		found[i] = r.alert()
	}
	return found, next, nil
}
