package usage

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// CorrectionQuery selects corrections; zero fields don't filter.
type CorrectionQuery struct {
	Tenant     string
	Kind       string
	Meter      string
	ResourceID string
	Key        string
	OpenedSeq  uint64    // of the interval that was corrected
	From, To   time.Time // of the time they are about: they overlap [From, To)
	After      bus.ID    // keyset: the last of the page before
	Limit      int       // Defaults to 100; at most 1,000.
}

const (
	defaultLimit = 100
	maxLimit     = 1000
)

func (q CorrectionQuery) check(t *table) error {
	switch {
	case q.Limit < 0 || q.Limit > maxLimit:
		return &QueryError{Field: "limit", Value: strconv.Itoa(q.Limit), Reason: fmt.Sprintf("is not in 1 to %d", maxLimit)}
	case !q.From.IsZero() && !q.To.IsZero() && !q.From.Before(q.To):
		return &QueryError{Field: "from", Value: q.From.Format(time.RFC3339Nano), Reason: fmt.Sprintf("is not before to %q", q.To.Format(time.RFC3339Nano))}
	}
	if bad := bus.TextFault(q.Key); bad != "" {
		return &QueryError{Field: "key", Value: q.Key, Reason: bad}
	}
	if err := checkTexts(q.Tenant, q.ResourceID); err != nil {
		return err
	}
	return t.checkNames(q.Kind, q.Meter)
}

// Corrections returns corrections in the order in which they were entered, and the After of the next page, zero at the end. Error: *QueryError.
func (p *Plugin) Corrections(ctx context.Context, q CorrectionQuery) (found []Correction, next bus.ID, err error) {
	if p.runtime == nil {
		return nil, next, errors.New("usage: corrections: the plugin hasn't started")
	}
	if err := q.check(p.table); err != nil {
		return nil, next, err
	}
	if q.Limit == 0 {
		q.Limit = defaultLimit
	}
	db := p.runtime.Read().WithContext(ctx)
	for column, value := range map[string]string{"tenant": q.Tenant, "kind": q.Kind, "meter": q.Meter, "resource_id": q.ResourceID, "key": q.Key} {
		if value != "" {
			db = db.Where(column+" = ?", value)
		}
	}
	if q.OpenedSeq != 0 {
		db = db.Where("opened_seq = ?", q.OpenedSeq)
	}
	if !q.To.IsZero() {
		db = db.Where("from_at < ?", nanoseconds(q.To))
	}
	if from := nanoseconds(q.From); !q.From.IsZero() {
		db = db.Where("(to_at > ? OR from_at >= ?)", from, from)
	}
	var rows []*correction
	if err := db.Where("id > ?", q.After.String()).Order("id").Limit(q.Limit + 1).Find(&rows).Error; err != nil {
		return nil, next, fmt.Errorf("usage: corrections: %w", err)
	}
	if len(rows) > q.Limit {
		rows = rows[:q.Limit]
		next = rows[q.Limit-1].ID
	}
	found = make([]Correction, len(rows))
	for i, r := range rows {
		found[i] = r.correction()
	}
	return found, next, nil
}
