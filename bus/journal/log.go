package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// record gives staged events their numbers and inserts them: the last statements before COMMIT.
func (j *Journal) record(staged []bus.Record) error {
	if len(staged) == 0 {
		return nil
	}
	if j.dialect == "postgres" {
		return j.recordAtOnce(staged)
	}
	n, last := uint64(len(staged)), uint64(0)
	if _, err := j.line.queryRow(j.text.takeNumbers, []any{n}, []any{&last}); err != nil {
		return j.line.failed("record events", err)
	}
	now := j.now()
	number(staged, last, now)
	for i := range staged {
		if err := j.insert(&staged[i], now.UnixNano()); err != nil {
			return j.line.failed("record events", err)
		}
	}
	return nil
}

func (j *Journal) insert(r *bus.Record, recordedAt int64) error {
	at, err := Nanoseconds(r.Time)
	if err != nil {
		return err
	}
	row := append(j.row[:0],
		r.Seq, r.ID.String(), r.Type, r.Schema, r.Kind, r.ResourceID, r.Version, r.Tenant, r.Actor, r.Source, at, recordedAt,
		r.CorrelationID, r.CausationID, r.TraceParent, string(r.Data))
	_, _, err = j.line.exec(j.text.insert, row)
	clear(row)
	j.row = row
	return err
}

// Bounds returns the numbers of the oldest and the newest event there are; first = last+1 if there is none.
func (j *Journal) Bounds(ctx context.Context) (first, last uint64, err error) {
	var oldest sql.Null[uint64]
	if err := j.readSQL.QueryRowContext(ctx, j.text.bounds).Scan(&oldest, &last); err != nil {
		return 0, 0, j.readError("bounds", err)
	}
	if !oldest.Valid {
		return last + 1, last, nil
	}
	return oldest.V, last, nil
}

// Read returns up to limit records with Seq > after, in order and without holes. A hole in the table, which nothing of ours makes, is an error,
// and so is a limit below 1.
func (j *Journal) Read(ctx context.Context, after uint64, limit int) ([]bus.Record, error) {
	if limit < 1 {
		return nil, fmt.Errorf("journal: read: limit %d is not 1 or more", limit)
	}
	records, err := j.selectRecords(ctx, j.text.read, limit, after, limit)
	if err != nil {
		return nil, j.readError("read", err)
	}
	if len(records) > 0 && records[0].Seq != after+1 {
		if err := j.checkStart(ctx, records[0].Seq); err != nil {
			return nil, err
		}
	}
	for i := 1; i < len(records); i++ {
		if have, want := records[i].Seq, records[i-1].Seq+1; have != want {
			return nil, fmt.Errorf("journal: read: %w: number %d is missing", ErrCorrupt, want)
		}
	}
	return records, nil
}

// checkStart refuses a first record behind a gap that retention didn't make: then nothing is left before it.
func (j *Journal) checkStart(ctx context.Context, seq uint64) error {
	first, _, err := j.Bounds(ctx)
	if err == nil && first < seq {
		err = fmt.Errorf("journal: read: %w: number %d is missing", ErrCorrupt, seq-1)
	}
	return err
}

// SeqBefore returns the number of the newest record that was recorded before t, 0 if there is none. It looks at all that are newer.
func (j *Journal) SeqBefore(ctx context.Context, t time.Time) (uint64, error) {
	at, err := Nanoseconds(t)
	if err != nil {
		return 0, fmt.Errorf("journal: %w", err)
	}
	var seq uint64
	err = j.readSQL.QueryRowContext(ctx, j.text.seqBefore, at).Scan(&seq)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return seq, j.readError("seq before", err)
}

// fewRecords is what a reader that has caught up mostly finds.
const fewRecords = 4

func (j *Journal) selectRecords(ctx context.Context, query string, limit int, args ...any) ([]bus.Record, error) {
	rows, err := j.readSQL.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var records []bus.Record
	for rows.Next() {
		if len(records) == fewRecords {
			records = slices.Grow(records, min(limit, maxBatch)) // it won't be the few of a caught-up reader
		}
		records = append(records, bus.Record{})
		if err := scanRecord(rows, &records[len(records)-1]); err != nil {
			return nil, err
		}
	}
	return records, rows.Err()
}

// scanRecord reads the columns of a record, and what is selected after them.
func scanRecord(rows *sql.Rows, r *bus.Record, more ...any) error {
	var at, recordedAt int64
	err := rows.Scan(append([]any{&r.Seq, &r.ID, &r.Type, &r.Schema, &r.Kind, &r.ResourceID, &r.Version, &r.Tenant, &r.Actor, &r.Source, &at, &recordedAt,
		&r.CorrelationID, &r.CausationID, &r.TraceParent, &r.Data}, more...)...)
	if err != nil {
		return err
	}
	r.Time, r.RecordedAt = TimeOf(at), TimeOf(recordedAt)
	return nil
}

func (j *Journal) readError(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("journal: %s: %w", what, j.line.classify(err))
}
