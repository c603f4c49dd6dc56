package alerts

import (
	"context"
	"fmt"
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
}

func (e *QueryError) Error() string {
	return fmt.Sprintf("alerts: query: %s %q %s", e.Field, e.Value, e.Reason)
}

const (
	defaultLimit = 100
	maxLimit     = 1000
)

// List returns alerts, the newest first, and the Before of the next page, "" at the end. Error: *QueryError.
func (p *Plugin) List(ctx context.Context, q Query) (found []Alert, next string, err error) {
	if p.runtime == nil {
		return nil, "", fmt.Errorf("alerts: list: the plugin hasn't started")
	}
	if q.Limit < 0 || q.Limit > maxLimit {
		return nil, "", &QueryError{"limit", fmt.Sprint(q.Limit), fmt.Sprintf("is not in 1 to %d", maxLimit)}
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
