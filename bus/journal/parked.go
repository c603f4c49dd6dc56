package journal

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/cloudbus-go/cloudbus/bus"
)

// maxReason bounds the stored reason of a parked event, in bytes.
const maxReason = 4096

// Park copies events of the journal for a subscription, all or none, as a background member. One that is parked already gets the new reason and tries.
// Errors: bus.ErrLeaseLost if the subscription runs on another server; one that names an event which isn't there.
func (j *Journal) Park(ctx context.Context, subscription string, events ...bus.Parking) error {
	return j.storeFor(ctx, subscription, "parking of ", func(t *Tx) error { return t.park(subscription, events) })
}

func (t *Tx) park(subscription string, events []bus.Parking) error {
	for _, e := range events {
		if err := t.parkOne(subscription, e); err != nil {
			return fmt.Errorf("journal: park event %d for %q: %w", e.Seq, subscription, err)
		}
	}
	return nil
}

func (t *Tx) parkOne(subscription string, e bus.Parking) error {
	at, reason := t.j.now().UnixNano(), reasonText(e.Reason)
	if e.Tries > 0 {
		res, err := t.Exec(t.j.text.parkAgain, reason, e.Tries, at, subscription, e.Seq)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n > 0 {
			return err
		}
	}
	res, err := t.Exec(t.j.text.park, subscription, reason, e.Tries, at, e.Seq)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n > 0 {
		return err
	}
	var there int
	return t.QueryRow(t.j.text.isParked, []any{subscription, e.Seq}, &there)
}

// reasonText is an error's text as every database can store it.
func reasonText(s string) string {
	s = strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\uFFFD"), "\uFFFD")
	if len(s) > maxReason {
		s = strings.ToValidUTF8(s[:maxReason], "") + "…"
	}
	return s
}

// Unpark removes parked events for good, as a background member; those that aren't parked are passed over.
func (j *Journal) Unpark(ctx context.Context, subscription string, seqs ...uint64) error {
	return j.storeFor(ctx, subscription, "parking of ", func(t *Tx) error { return t.unpark(subscription, seqs) })
}

func (t *Tx) unpark(subscription string, seqs []uint64) error {
	for _, seq := range seqs {
		if _, err := t.Exec(t.j.text.unpark, subscription, seq); err != nil {
			return fmt.Errorf("journal: unpark event %d of %q: %w", seq, subscription, err)
		}
	}
	return nil
}

// Parked returns events that durable subscriptions have set aside, in order of subscription and number.
func (j *Journal) Parked(ctx context.Context, q bus.ParkedQuery) ([]bus.Parked, error) {
	text, args := "SELECT "+columns+", subscription, reason, tries, parked_at FROM journal_parked WHERE seq > ?", []any{q.After}
	for _, f := range []struct {
		column, value string
		set           bool
	}{
		{"subscription", q.Subscription, q.Subscription != ""},
		{"kind", q.Kind, q.Kind != "" || q.ResourceID != ""},
		{"resource_id", q.ResourceID, q.Kind != "" || q.ResourceID != ""},
	} {
		if f.set {
			text, args = text+" AND "+f.column+" = ?", append(args, f.value)
		}
	}
	rows, err := j.readSQL.QueryContext(ctx, bind(j.dialect, text+" ORDER BY subscription, seq LIMIT ?"), append(args, cmp.Or(q.Limit, 100))...)
	if err != nil {
		return nil, j.readError("parked", err)
	}
	defer func() { _ = rows.Close() }()
	var all []bus.Parked
	for rows.Next() {
		var e bus.Parked
		var at int64
		if err := scanRecord(rows, &e.Record, &e.Subscription, &e.Reason, &e.Tries, &at); err != nil {
			return nil, j.readError("parked", err)
		}
		e.At = TimeOf(at)
		all = append(all, e)
	}
	return all, j.readError("parked", rows.Err())
}

// ParkedResources returns the resources that have parked events, in order of their oldest one. An event that is about no resource stands for itself.
func (j *Journal) ParkedResources(ctx context.Context, subscription string) ([]bus.ParkedResource, error) {
	rows, err := j.readSQL.QueryContext(ctx, j.text.parkedResources, subscription, subscription)
	if err != nil {
		return nil, j.readError("parked resources", err)
	}
	defer func() { _ = rows.Close() }()
	var all []bus.ParkedResource
	for rows.Next() {
		var r bus.ParkedResource
		var at int64
		if err := rows.Scan(&r.Kind, &r.ResourceID, &r.Events, &r.First, &r.Type, &r.Reason, &r.Tries, &at); err != nil {
			return nil, j.readError("parked resources", err)
		}
		r.At = TimeOf(at)
		all = append(all, r)
	}
	return all, j.readError("parked resources", rows.Err())
}

var _ bus.Parker = (*Journal)(nil)
