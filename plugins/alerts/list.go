package alerts

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"gorm.io/gorm"
)

// Query selects alerts; zero fields don't filter. Members of groups are among them only if it asks for a group, a resource or a tenant: their group stands for them otherwise.
type Query struct {
	Active       bool  // only those that aren't cleared
	Acknowledged *bool // only those that are acknowledged, or aren't
	Name         string
	Kind         string
	ResourceID   string
	Tenant       string
	Severity     string
	Group        string // the ID of a group: its members
	Before       string // keyset: an alert's ID; the next page is of those raised before it
	Limit        int    // Defaults to 100; at most 1,000.
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

// check returns a *QueryError.
func (p *Plugin) checkQuery(ctx context.Context, q Query) error {
	switch {
	case q.Limit < 0 || q.Limit > maxLimit:
		return &QueryError{Field: "limit", Value: strconv.Itoa(q.Limit), Reason: fmt.Sprintf("is not in 1 to %d", maxLimit)}
	case q.Kind != "" && !slices.Contains(p.kinds(), q.Kind):
		return &QueryError{"kind", q.Kind, "is not watched", p.kinds()}
	case q.Severity != "" && !slices.Contains(severities, q.Severity):
		return &QueryError{"severity", q.Severity, "is none", severities}
	}
	for field, text := range map[string]string{"name": q.Name, "resource": q.ResourceID, "tenant": q.Tenant} {
		if fault := bus.TextFault(text); fault != "" {
			return &QueryError{Field: field, Value: text, Reason: fault}
		}
	}
	return p.checkName(ctx, q.Name)
}

// checkName takes the names of rules, and those of rules that there were.
func (p *Plugin) checkName(ctx context.Context, name string) error {
	if name == "" || p.rule(name) != nil {
		return nil
	}
	var found []string
	if err := p.runtime.Read().WithContext(ctx).Model(&row{}).Where("name = ?", name).Limit(1).Pluck("id", &found).Error; err != nil {
		return fmt.Errorf("alerts: list: %w", err)
	}
	if len(found) > 0 {
		return nil
	}
	known := make([]string, len(p.rules))
	for n := range p.rules {
		known[n] = p.rules[n].Name
	}
	slices.Sort(known)
	return &QueryError{"name", name, "is no rule", known}
}

// idOf returns an ID as the table has it; "" stays so.
func idOf(field, text string) (string, error) {
	id, err := bus.ParseID(text)
	if err != nil || text != "" && id.IsZero() {
		return "", &QueryError{Field: field, Value: text, Reason: "is no alert's id"}
	}
	return id.String(), nil
}

// alertID returns the ID of the one alert that is asked for.
func alertID(text string) (string, error) {
	if text == "" {
		return "", &QueryError{Field: "id", Value: text, Reason: "is no alert's id"}
	}
	return idOf("id", text)
}

// kinds lists what alerts may be about.
func (p *Plugin) kinds() []string { return append(p.world.names(), SubscriptionKind) }

func (p *Plugin) started(what string) error {
	if p.runtime == nil || p.runtime.Journal() == nil {
		return fmt.Errorf("alerts: %s: the plugin hasn't started", what)
	}
	return nil
}

// List returns alerts, the newest first, and the Before of the next page, "" at the end. Error: *QueryError.
func (p *Plugin) List(ctx context.Context, q Query) (found []Alert, next string, err error) {
	if err := p.started("list"); err != nil {
		return nil, "", err
	}
	if q.Before, err = idOf("before", q.Before); err != nil {
		return nil, "", err
	}
	if q.Group, err = idOf("group", q.Group); err != nil {
		return nil, "", err
	}
	if err := p.checkQuery(ctx, q); err != nil {
		return nil, "", err
	}
	if q.Limit == 0 {
		q.Limit = defaultLimit
	}
	var rows []row
	if err := q.where(p.runtime.Read().WithContext(ctx)).Order("id DESC").Limit(q.Limit + 1).Find(&rows).Error; err != nil {
		return nil, "", fmt.Errorf("alerts: list: %w", err)
	}
	if len(rows) > q.Limit {
		rows = rows[:q.Limit]
		next = rows[q.Limit-1].ID
	}
	found = make([]Alert, len(rows))
	for i := range rows {
		found[i] = rows[i].alert()
	}
	return found, next, nil
}

func (q Query) where(db *gorm.DB) *gorm.DB {
	if q.Active {
		db = db.Where("cleared_at = 0")
	}
	if q.Acknowledged != nil {
		db = db.Where(map[bool]string{true: "acknowledged_at > 0", false: "acknowledged_at = 0"}[*q.Acknowledged])
	}
	if q.Group == "" && q.ResourceID == "" && q.Tenant == "" {
		db = db.Where("grouped_by = ''")
	}
	for column, value := range map[string]string{
		"name": q.Name, "kind": q.Kind, "resource_id": q.ResourceID, "tenant": q.Tenant, "severity": q.Severity, "grouped_by": q.Group,
	} {
		if value != "" {
			db = db.Where(column+" = ?", value)
		}
	}
	if q.Before != "" {
		db = db.Where("id < ?", q.Before)
	}
	return db
}

// Told is one event about an alert.
type Told struct {
	What    string    `json:"what"` // Raised (again, if it isn't the first), Acknowledged, Cleared
	At      time.Time `json:"at"`
	Message string    `json:"message"` // as it was then
	Count   int64     `json:"count"`   // as it was then
	By      string    `json:"by,omitempty"`
	Note    string    `json:"note,omitempty"`
}

// Find returns an alert, and what was told about it, the oldest first: at most 100, the first and the newest. Errors: ErrNotFound; *QueryError for what is no ID.
func (p *Plugin) Find(ctx context.Context, id string) (Alert, []Told, error) {
	if err := p.started("find"); err != nil {
		return Alert{}, nil, err
	}
	id, err := alertID(id)
	if err != nil {
		return Alert{}, nil, err
	}
	var found []row
	var notices []noticeRow
	err = p.runtime.Read().WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := tx.Where("id = ?", id).Limit(1).Find(&found).Error; err != nil {
			return err
		}
		return tx.Where("alert_id = ?", id).Order("n").Find(&notices).Error
	})
	switch {
	case err != nil:
		return Alert{}, nil, fmt.Errorf("alerts: find: %w", err)
	case len(found) == 0:
		return Alert{}, nil, fmt.Errorf("%w: %s", ErrNotFound, id)
	}
	told := make([]Told, len(notices))
	for n, t := range notices {
		told[n] = Told{What: t.What, At: timeOf(t.At), Message: t.Message, Count: t.Count, By: t.Actor, Note: t.Note}
	}
	return found[0].alert(), told, nil
}
