package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Cursor is the stored position of a durable subscription: all up to Seq has been scanned.
type Cursor struct {
	Name      string
	Seq       uint64
	UpdatedAt time.Time
}

// Cursor returns a stored position. One that is past the end of the journal is ErrCursorPastEnd.
func (j *Journal) Cursor(ctx context.Context, name string) (seq uint64, known bool, err error) {
	j.rides.forget(name)
	var head uint64
	err = j.readSQL.QueryRowContext(ctx, j.text.cursor, name).Scan(&seq, &head)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 0, false, nil
	case err != nil:
		return 0, false, j.readError("cursor "+name, err)
	case seq > head:
		return 0, false, fmt.Errorf("%w: %q is at %d, the end at %d", ErrCursorPastEnd, name, seq, head)
	}
	return seq, true, nil
}

// SetCursor creates or raises a cursor as a background member; it never lowers one. A position past the end is ErrCursorPastEnd,
// a subscription that runs on another server bus.ErrLeaseLost.
func (j *Journal) SetCursor(ctx context.Context, name string, seq uint64) error {
	return j.Do(ctx, func(t *Tx) error {
		if err := t.checkPosition(name, seq); err != nil {
			return err
		}
		if err := t.mayStore(name, false); err != nil {
			return err
		}
		return t.raiseCursor(name, seq)
	}, Background(), Named("cursor "+name))
}

func (t *Tx) raiseCursor(name string, seq uint64) error {
	_, err := t.Exec(t.j.text.raiseCursor, name, seq, t.j.now().UnixNano())
	return err
}

func (t *Tx) checkPosition(name string, seq uint64) error {
	var head uint64
	if err := t.QueryRow(t.j.text.head, nil, &head); err != nil {
		return err
	}
	if seq > head {
		return fmt.Errorf("%w: %q can't go to %d, the end is %d", ErrCursorPastEnd, name, seq, head)
	}
	return nil
}

// Cursors lists all cursors in order of their names.
func (j *Journal) Cursors(ctx context.Context) ([]Cursor, error) {
	rows, err := j.readSQL.QueryContext(ctx, j.text.cursors)
	if err != nil {
		return nil, j.readError("cursors", err)
	}
	defer func() { _ = rows.Close() }()
	var all []Cursor
	for rows.Next() {
		var c Cursor
		var at int64
		if err := rows.Scan(&c.Name, &c.Seq, &at); err != nil {
			return nil, j.readError("cursors", err)
		}
		c.UpdatedAt = TimeOf(at)
		all = append(all, c)
	}
	return all, j.readError("cursors", rows.Err())
}

// Rewind moves the cursor of a durable subscription, back or forth: the next event it gets is the first after seq.
// Errors: ErrSubscribed while the subscription runs, in this process or on another server, ErrCursorPastEnd, a name that has no cursor,
// and a position before the oldest event that is left.
func (j *Journal) Rewind(ctx context.Context, name string, seq uint64) error {
	return j.Do(ctx, func(t *Tx) error {
		if a := j.attachment.Load(); a != nil && a.Running != nil && a.Running(name) {
			return fmt.Errorf("journal: rewind %q: %w", name, ErrSubscribed)
		}
		if err := t.keepFree(name); err != nil {
			return fmt.Errorf("journal: rewind %q: %w: %w", name, ErrSubscribed, err)
		}
		if err := t.checkPosition(name, seq); err != nil {
			return err
		}
		if err := t.checkLeft(name, seq); err != nil {
			return err
		}
		j.rides.forget(name)
		return t.moveCursor(name, seq)
	}, Named("rewind "+name))
}

// checkLeft makes sure that what follows a position is still there.
func (t *Tx) checkLeft(name string, seq uint64) error {
	first, _, err := t.bounds()
	if err == nil && seq+1 < first {
		err = fmt.Errorf("journal: rewind %q: the oldest event left is %d, so %d is the lowest position", name, first, first-1)
	}
	return err
}

func (t *Tx) moveCursor(name string, seq uint64) error {
	res, err := t.Exec(t.j.text.setCursor, seq, t.j.now().UnixNano(), name)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return fmt.Errorf("journal: rewind %q: there is no such cursor (Cursors lists them)", name)
}
