package status

import (
	"context"
	"database/sql"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/fsm"
)

// row is what is stored of a resource: the newest observation, or the one that is held. Times are Unix nanoseconds.
type row struct {
	kind, id, tenant, provider, serviceType string
	status                                  Status
	raw, message                            string
	mark
	received, changed int64

	// Of an observation; revision is the row's.
	state         fsm.State
	version       int64
	differs, told int64
	revision      int64
	heldToo       *row // what is held beside it

	// Of one that is held.
	isHeld           bool
	heldAt, orphaned int64
	due              int64
}

// place is where a resource is found.
type place struct{ kind, id string }

func (r *row) place() place { return place{r.kind, r.id} }

func (r *row) scanObservation(scan func(...any) error) error {
	return scan(&r.kind, &r.id, &r.tenant, &r.provider, &r.source, &r.serviceType, &r.status, &r.raw, &r.message, &r.event, &r.sequence, &r.time, &r.seq,
		&r.received, &r.changed, &r.state, &r.version, &r.differs, &r.told, &r.revision)
}

func (r *row) scanHeld(scan func(...any) error) error {
	r.isHeld = true
	return scan(&r.kind, &r.id, &r.provider, &r.source, &r.serviceType, &r.status, &r.raw, &r.message, &r.event, &r.sequence, &r.time, &r.seq,
		&r.received, &r.heldAt, &r.due, &r.orphaned)
}

// observe writes an observation; false: the row isn't what it was planned on any more.
func (r *row) observe(tx *journal.Tx, s *statements) (bool, error) {
	return changed(tx.Exec(s.observe, r.kind, r.id, r.tenant, r.provider, r.source, r.serviceType, string(r.status), r.raw, r.message, r.event, r.sequence, r.time, r.seq,
		r.received, r.changed, string(r.state), r.version, r.differs, r.told, r.revision))
}

// hold writes an observation whose resource isn't there; false: another is held that isn't older, or of another provider.
func (r *row) hold(tx *journal.Tx, s *statements) (bool, error) {
	return changed(tx.Exec(s.hold, r.kind, r.id, r.provider, r.source, r.serviceType, string(r.status), r.raw, r.message, r.event, r.sequence, r.time, r.seq,
		r.received, r.received, 0, 0))
}

func changed(res sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// report is what a held row was made of.
func (r *row) report() Report {
	return Report{
		ID: r.event, Source: r.source, Provider: r.provider, Sequence: uint64(r.sequence), Time: time.Unix(0, r.time).UTC(),
		ServiceType: r.serviceType, Kind: r.kind, ResourceID: r.id, Status: r.status, Raw: r.raw, Message: r.message,
	}
}

// observations reads what is committed.
func (i *Ingest) observations(ctx context.Context, where string, args ...any) ([]*row, error) {
	return i.rows(ctx, "SELECT "+observationColumns+" FROM status_observations "+where, (*row).scanObservation, args...)
}

func (i *Ingest) held(ctx context.Context, where string, args ...any) ([]*row, error) {
	return i.rows(ctx, "SELECT "+heldColumns+" FROM status_held "+where, (*row).scanHeld, args...)
}

func (i *Ingest) rows(ctx context.Context, query string, scan func(*row, func(...any) error) error, args ...any) ([]*row, error) {
	rows, err := i.runtime.Read().WithContext(ctx).Raw(query, args...).Rows()
	if err != nil {
		return nil, err
	}
	return collect(rows, scan)
}

func collect(rows *sql.Rows, scan func(*row, func(...any) error) error) ([]*row, error) {
	defer func() { _ = rows.Close() }()
	var all []*row
	for rows.Next() {
		r := &row{}
		if err := scan(r, rows.Scan); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}
