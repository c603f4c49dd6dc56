package journal

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"
)

// HorizonSuffix ends the name of a cursor that holds events for a durable subscription beside the subscription's own: those that it has handled, and may
// have to go back to. It is claimed as long as the subscription runs.
const HorizonSuffix = "_horizon"

// Claim is a cursor's right to the events that it hasn't passed: retention leaves them alone.
type Claim struct {
	Cursor
	Behind   uint64    // how many events it hasn't passed
	Running  bool      // a durable subscription of its name runs, here or on another server, or the one whose horizon it is (HorizonSuffix)
	Holds    bool      // false: it is unclaimed for so long that retention doesn't wait for it any more
	WarnedAt time.Time // when it was warned of; zero: it wasn't, or has moved since
	EndsAt   time.Time // when it stops holding, unless it is claimed before; zero if it runs, or if nothing is behind it
}

// Claims lists the cursors with what they hold under Options.Retention, in order of their names.
func (j *Journal) Claims(ctx context.Context) ([]Claim, error) {
	all, err := j.claims(j.read.WithContext(ctx), j.retention, j.now())
	if err != nil {
		return nil, j.readError("claims", err)
	}
	return all, nil
}

// claims reads them on a connection of the caller's.
func (j *Journal) claims(db *gorm.DB, r Retention, now time.Time) ([]Claim, error) {
	text := claimsText
	if j.leases != nil {
		text = claimsOfServers
	}
	rows, err := db.Raw(text).Rows()
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var all []Claim
	for rows.Next() {
		var c Claim
		var head uint64
		var updated, warned int64
		if err := rows.Scan(&c.Name, &c.Seq, &updated, &head, &warned, &c.Running); err != nil {
			return nil, err
		}
		c.UpdatedAt, c.WarnedAt = TimeOf(updated), TimeOf(warned)
		c.Running = c.Running || j.runs(c.Name) || j.runs(strings.TrimSuffix(c.Name, HorizonSuffix))
		c.Behind = head - min(c.Seq, head)
		c.judge(r, now)
		all = append(all, c)
	}
	return all, rows.Err()
}

const (
	claimsColumns = "SELECT c.name, c.seq, c.updated_at, h.seq, COALESCE(u.warned_at, 0), "
	claimsTables  = " FROM journal_cursor c JOIN journal_head h ON h.one = 1 LEFT JOIN journal_unclaimed u ON u.name = c.name "
	claimsText    = claimsColumns + "1 = 0" + claimsTables + "ORDER BY c.name"
	// claimsOfServers knows of subscriptions that run on other servers by their leases.
	claimsOfServers = claimsColumns + "EXISTS (SELECT 1 FROM leases l WHERE l.name IN (c.name, regexp_replace(c.name, '" + HorizonSuffix + "$', '')) AND l.until >= clock_timestamp())" +
		claimsTables + "ORDER BY c.name"
)

// runs reports whether a durable subscription runs on the bus.
func (j *Journal) runs(name string) bool {
	a := j.attachment.Load()
	return a != nil && a.Running != nil && a.Running(name)
}

// judge decides whether a cursor still holds.
func (c *Claim) judge(r Retention, now time.Time) {
	if c.Running || !c.UpdatedAt.Before(c.WarnedAt) || c.WarnedAt.After(now.Add(r.Notice)) {
		c.WarnedAt = time.Time{} // of a warning before it was claimed again, or by a clock that was far ahead
	}
	if c.Holds = true; c.Running || c.Behind == 0 {
		return
	}
	c.EndsAt = c.UpdatedAt.Add(r.Unclaimed)
	warned := c.WarnedAt
	if warned.IsZero() {
		warned = now // at the earliest
	}
	if notice := warned.Add(r.Notice); notice.After(c.EndsAt) {
		c.EndsAt = notice
	}
	c.Holds = now.Before(c.EndsAt)
}

// ending reports whether a cursor is to be warned of.
func (c *Claim) ending(r Retention, now time.Time) bool {
	return !c.EndsAt.IsZero() && c.WarnedAt.IsZero() && !now.Add(r.Notice).Before(c.EndsAt)
}

// holder returns the cursor furthest behind of those that hold; "" if none does.
func (t *Tx) holder(r Retention, now time.Time) (name string, at uint64, err error) {
	all, err := t.j.claims(t.DB(), r, now)
	if err != nil {
		return "", 0, err
	}
	for _, c := range all {
		if c.Holds && (name == "" || c.Seq < at) {
			name, at = c.Name, c.Seq
		}
	}
	return name, at, nil
}

// warnOfUnclaimed tells of cursors that are about to stop holding, each once until it is claimed again.
func (j *Journal) warnOfUnclaimed(ctx context.Context, r Retention) error {
	now := j.now()
	all, err := j.claims(j.read.WithContext(ctx), r, now)
	if err != nil {
		return j.line.classify(err)
	}
	for _, c := range all {
		if !c.ending(r, now) {
			continue
		}
		first, err := j.noteWarning(ctx, c, r, now)
		if err != nil {
			return err
		}
		if !first {
			continue // another server, or another call
		}
		c.WarnedAt = now
		j.logger.Warn("nobody reads from a cursor; soon it won't keep events any more (journal.Forget removes it)",
			"cursor", c.Name, "at", c.Seq, "behind", c.Behind, "unclaimed_since", c.UpdatedAt, "holds_until", c.EndsAt)
		if r.OnUnclaimed != nil {
			r.OnUnclaimed(c)
		}
	}
	return nil
}

// noteWarning stores that a cursor was warned of; false if it was already.
func (j *Journal) noteWarning(ctx context.Context, c Claim, r Retention, now time.Time) (first bool, err error) {
	err = j.Do(ctx, func(t *Tx) error {
		res, err := t.Exec(j.text.warnOf, c.Name, now.UnixNano(), c.UpdatedAt.UnixNano(), now.Add(r.Notice).UnixNano())
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		first = n > 0
		return err
	}, Background(), Named("retention"))
	return first, err
}

// Forget removes the cursor of a durable subscription that won't come back, so that it doesn't hold events any more,
// what it has parked, and the cursor of its horizon (HorizonSuffix). If the name subscribes again, it is new.
// Errors: ErrSubscribed while the subscription runs, here or on another server; a name that has no cursor.
func (j *Journal) Forget(ctx context.Context, name string) error {
	return j.Do(ctx, func(t *Tx) error {
		if j.runs(name) {
			return fmt.Errorf("journal: forget %q: %w", name, ErrSubscribed)
		}
		if err := t.keepFree(name); err != nil {
			return fmt.Errorf("journal: forget %q: %w: %w", name, ErrSubscribed, err)
		}
		if err := t.forgetLease(name); err != nil {
			return err
		}
		j.rides.forget(name)
		for _, text := range []string{j.text.forgetWarning, j.text.forgetParked, j.text.forgetAttempts} {
			if _, err := t.Exec(text, name); err != nil {
				return err
			}
		}
		for _, text := range []string{j.text.forgetWarning, j.text.forgetCursor} {
			if _, err := t.Exec(text, name+HorizonSuffix); err != nil {
				return err
			}
		}
		res, err := t.Exec(j.text.forgetCursor, name)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n > 0 {
			return err
		}
		return fmt.Errorf("journal: forget %q: there is no such cursor (Cursors lists them)", name)
	}, Named("forget "+name))
}
