package status

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
)

// Seen is what was observed last of a resource, beside its own state.
type Seen struct {
	Kind         string    `json:"kind"`
	ResourceID   string    `json:"resource_id"`
	Tenant       string    `json:"tenant,omitempty"`
	Provider     string    `json:"provider,omitempty"` // whose the resource is: who reported it first; "" until the next report, after it was released
	Source       string    `json:"source"`
	ServiceType  string    `json:"service_type"`
	Status       Status    `json:"status"`
	Raw          string    `json:"raw,omitempty"` // the platform's own word
	Message      string    `json:"message,omitempty"`
	Time         time.Time `json:"time"` // when it was observed
	ReceivedAt   time.Time `json:"received_at"`
	ChangedAt    time.Time `json:"changed_at"`             // since when it is observed so
	State        fsm.State `json:"state"`                  // the resource's own, when it was compared last
	DiffersSince time.Time `json:"differs_since,omitzero"` // since when the two disagree; zero: they don't
}

func (r *row) seen() Seen {
	return Seen{
		Kind: r.kind, ResourceID: r.id, Tenant: r.tenant, Provider: r.provider, Source: r.source, ServiceType: r.serviceType, Status: r.status, Raw: r.raw,
		Message: r.message, Time: journal.TimeOf(r.time), ReceivedAt: journal.TimeOf(r.received), ChangedAt: journal.TimeOf(r.changed), State: r.state,
		DiffersSince: journal.TimeOf(r.differs),
	}
}

// Observed returns what was observed last of a resource; resources.ErrNotFound if nothing was.
func (i *Ingest) Observed(ctx context.Context, kind, id string) (Seen, error) {
	found, err := i.observations(ctx, "WHERE kind = ? AND resource_id = ?", kind, id)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("%w: nothing was observed of %s/%s", resources.ErrNotFound, kind, id)
	}
	if err != nil {
		return Seen{}, fmt.Errorf("status: %w", err)
	}
	return found[0].seen(), nil
}

// SeenQuery selects observations. The zero value lists all.
type SeenQuery struct {
	Kind     string // "": any
	Provider string // "": any
	Differs  bool   // only those that disagree with their resource's own state
	After    string // next of the page before
	Limit    int    // Defaults to 100; at most 1,000
}

// List lists observations in order of kind and id. next is the After of the next page, "" at the end. Errors: *resources.InvalidError for
// a wrong After or Limit.
func (i *Ingest) List(ctx context.Context, q SeenQuery) (page []Seen, next string, err error) {
	limit, err := limitOf(q.Limit)
	if err != nil {
		return nil, "", err
	}
	where, args := conditions{}, []any{}
	if err := where.after(&args, q.After); err != nil {
		return nil, "", err
	}
	where.equal(&args, "kind", q.Kind)
	where.equal(&args, "provider", q.Provider)
	if q.Differs {
		where = append(where, "differs_at > 0")
	}
	rows, err := i.observations(ctx, where.String()+" ORDER BY kind, resource_id LIMIT ?", append(args, limit+1)...)
	if err != nil {
		return nil, "", fmt.Errorf("status: %w", err)
	}
	rows, next = cut(rows, limit)
	page = make([]Seen, len(rows))
	for n, r := range rows {
		page[n] = r.seen()
	}
	return page, next, nil
}

// Held is an observation whose resource isn't there.
type Held struct {
	Kind        string    `json:"kind"`
	ResourceID  string    `json:"resource_id"`
	Provider    string    `json:"provider"`
	ServiceType string    `json:"service_type"`
	Status      Status    `json:"status"`
	Raw         string    `json:"raw,omitempty"`
	Message     string    `json:"message,omitempty"`
	Time        time.Time `json:"time"`                 // when it was observed
	HeldSince   time.Time `json:"held_since"`           // when the resource was first reported
	OrphanedAt  time.Time `json:"orphaned_at,omitzero"` // when that was reported; zero: it isn't an orphan
	Due         bool      `json:"due,omitempty"`        // the resource is there now, and the observation about to be applied
}

// HeldQuery selects held observations. The zero value lists all.
type HeldQuery struct {
	Kind     string // "": any
	Provider string // "": any
	Orphans  bool   // only those that were reported as orphans
	After    string // next of the page before
	Limit    int    // Defaults to 100; at most 1,000
}

// Held lists held observations in order of kind and id. next is the After of the next page, "" at the end. Errors as for List.
func (i *Ingest) Held(ctx context.Context, q HeldQuery) (page []Held, next string, err error) {
	limit, err := limitOf(q.Limit)
	if err != nil {
		return nil, "", err
	}
	where, args := conditions{}, []any{}
	if err := where.after(&args, q.After); err != nil {
		return nil, "", err
	}
	where.equal(&args, "kind", q.Kind)
	where.equal(&args, "provider", q.Provider)
	if q.Orphans {
		where = append(where, "orphaned_at > 0")
	}
	rows, err := i.held(ctx, where.String()+" ORDER BY kind, resource_id LIMIT ?", append(args, limit+1)...)
	if err != nil {
		return nil, "", fmt.Errorf("status: %w", err)
	}
	rows, next = cut(rows, limit)
	page = make([]Held, len(rows))
	for n, r := range rows {
		page[n] = Held{
			Kind: r.kind, ResourceID: r.id, Provider: r.provider, ServiceType: r.serviceType, Status: r.status, Raw: r.raw, Message: r.message,
			Time: journal.TimeOf(r.time), HeldSince: journal.TimeOf(r.heldAt), OrphanedAt: journal.TimeOf(r.orphaned), Due: r.due == 1,
		}
	}
	return page, next, nil
}

// DropHeld removes a held observation for good, an orphan that is none of ours, say; resources.ErrNotFound.
func (i *Ingest) DropHeld(ctx context.Context, kind, id string) error {
	found, err := i.held(ctx, "WHERE kind = ? AND resource_id = ?", kind, id)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("%w: nothing is held of %s/%s", resources.ErrNotFound, kind, id)
	}
	if err != nil {
		return fmt.Errorf("status: %w", err)
	}
	return i.drop(ctx, found)
}

// conditions of a WHERE clause.
type conditions []string

func (c conditions) String() string {
	if len(c) == 0 {
		return ""
	}
	return "WHERE " + strings.Join(c, " AND ")
}

func (c *conditions) equal(args *[]any, column, value string) {
	if value != "" {
		*c, *args = append(*c, column+" = ?"), append(*args, value)
	}
}

// after goes on behind a page.
func (c *conditions) after(args *[]any, token string) error {
	if token == "" {
		return nil
	}
	text, err := base64.RawURLEncoding.DecodeString(token)
	kind, id, ok := strings.Cut(string(text), "/")
	if err != nil || !ok {
		return &resources.InvalidError{Field: "after", Reason: "isn't the next of a page"}
	}
	*c, *args = append(*c, "(kind > ? OR kind = ? AND resource_id > ?)"), append(*args, kind, kind, id)
	return nil
}

// cut makes a page of rows, and says where the next one begins.
func cut(rows []*row, limit int) (page []*row, next string) {
	if len(rows) <= limit {
		return rows, ""
	}
	last := rows[limit-1]
	return rows[:limit], base64.RawURLEncoding.EncodeToString([]byte(last.kind + "/" + last.id))
}

func limitOf(n int) (int, error) {
	switch {
	case n == 0:
		return 100, nil
	case n < 0 || n > 1000:
		return 0, &resources.InvalidError{Field: "limit", Reason: fmt.Sprintf("%d is not from 1 to 1,000", n)}
	}
	return n, nil
}
