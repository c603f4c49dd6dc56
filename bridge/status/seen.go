package status

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
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
	found, err := lookUp(ctx, i.observations, kind, id)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("status: %w: nothing was observed of %s/%s", resources.ErrNotFound, kind, id)
	}
	if err != nil {
		return Seen{}, err
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
	rows, next, err := selection{q.Kind, q.Provider, q.After, q.Limit, "differs_at > 0", q.Differs}.page(ctx, i.observations)
	if err != nil {
		return nil, "", err
	}
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
	rows, next, err := selection{q.Kind, q.Provider, q.After, q.Limit, "orphaned_at > 0", q.Orphans}.page(ctx, i.held)
	if err != nil {
		return nil, "", err
	}
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
	found, err := lookUp(ctx, i.held, kind, id)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("status: %w: nothing is held of %s/%s", resources.ErrNotFound, kind, id)
	}
	if err != nil {
		return err
	}
	return i.drop(ctx, found)
}

// reader reads rows of one of the tables: Ingest.observations, Ingest.held.
type reader func(ctx context.Context, where string, args ...any) ([]*row, error)

// selection is what queries of observations and of held ones have in common.
type selection struct {
	kind, provider, after string // "": any
	limit                 int
	flag                  string // a condition,
	flagged               bool   // if it is asked for
}

// page reads the rows in order of kind and id. next is where the next page begins, "" at the end.
func (s selection) page(ctx context.Context, read reader) (page []*row, next string, err error) {
	limit, err := limitOf(s.limit)
	if err != nil {
		return nil, "", err
	}
	where, args := conditions{}, []any{}
	if err := errors.Join(where.after(&args, s.after), where.equal(&args, "kind", s.kind), where.equal(&args, "provider", s.provider)); err != nil {
		return nil, "", err
	}
	if s.flagged {
		where = append(where, s.flag)
	}
	rows, err := read(ctx, where.String()+" ORDER BY kind, resource_id LIMIT ?", append(args, limit+1)...)
	if err != nil {
		return nil, "", fmt.Errorf("status: %w", err)
	}
	page, next = cut(rows, limit)
	return page, next, nil
}

// lookUp reads the row of a resource, if there is one.
func lookUp(ctx context.Context, read reader, kind, id string) ([]*row, error) {
	if !askable(kind, id) {
		return nil, nil
	}
	found, err := read(ctx, "WHERE kind = ? AND resource_id = ?", kind, id)
	if err != nil {
		return nil, fmt.Errorf("status: %w", err)
	}
	return found, nil
}

// askable reports whether a database can be asked for texts; nothing is stored under others.
func askable(texts ...string) bool {
	return !slices.ContainsFunc(texts, func(s string) bool { return bus.TextFault(s) != "" })
}

// conditions of a WHERE clause.
type conditions []string

func (c conditions) String() string {
	if len(c) == 0 {
		return ""
	}
	return "WHERE " + strings.Join(c, " AND ")
}

// equal selects by a column, whatever it has if value is "". Errors: *resources.InvalidError.
func (c *conditions) equal(args *[]any, column, value string) error {
	if fault := bus.TextFault(value); fault != "" {
		return &resources.InvalidError{Field: column, Reason: fault}
	}
	if value != "" {
		*c, *args = append(*c, column+" = ?"), append(*args, value)
	}
	return nil
}

// after goes on behind a page.
func (c *conditions) after(args *[]any, token string) error {
	if token == "" {
		return nil
	}
	text, err := base64.RawURLEncoding.DecodeString(token)
	kind, id, ok := strings.Cut(string(text), "/")
	if err != nil || !ok || !askable(kind, id) {
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
