package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

const (
	firstRemoval = 64   // events in the first member
	maxRemoval   = 1024 // events in any
	// removalTime is how long a member that removes may hold the writer before the next ones get smaller.
	removalTime = 2 * time.Millisecond
	// removalPause is how many times as long as a member took the next one waits, so that removing costs writers a fifth of their time at most.
	removalPause = 4
)

// Retained is what a Retain did, and what is left.
type Retained struct {
	Removed     uint64 // events
	First, Last uint64 // as of Bounds
	// HeldBy is the cursor that keeps events which the policy would remove, the one furthest behind, and HeldAt its position. "" if none does.
	HeldBy string
	HeldAt uint64
}

// Retain removes what a policy doesn't keep, now, the oldest first: in small background members with pauses between them, so that writers hardly notice.
// What was removed stays removed if ctx ends meanwhile. Options.Retention has it called regularly; this is for tests, command lines and cron.
// Errors: *RetentionError; ErrInWriter, ErrClosed, what the database says.
func (j *Journal) Retain(ctx context.Context, r Retention) (Retained, error) {
	r, err := r.complete()
	if err != nil {
		return Retained{}, err
	}
	if err := j.warnOfUnclaimed(ctx, r); err != nil {
		return Retained{}, fmt.Errorf("journal: retain: %w", err)
	}
	done := Retained{}
	if r.removes() {
		err = j.removeOld(ctx, r, &done)
	}
	if err == nil {
		done.First, done.Last, err = j.Bounds(ctx)
	}
	if err != nil {
		return done, fmt.Errorf("journal: retain: %w", err)
	}
	return done, nil
}

// removeOld removes until nothing is left to remove.
func (j *Journal) removeOld(ctx context.Context, r Retention, done *Retained) error {
	now := j.now()
	for size := uint64(firstRemoval); ; {
		var one removal
		began := time.Now()
		err := j.Do(ctx, func(t *Tx) (err error) {
			one, err = t.removeOldest(r, now, size)
			return err
		}, Background(), Named("retention"))
		if err != nil {
			return err
		}
		done.Removed += one.removed
		done.HeldBy, done.HeldAt = one.heldBy, one.heldAt
		if one.removed < size {
			return nil
		}
		size = min(2*size, maxRemoval)
		if one.took > removalTime {
			size = max(1, one.removed/2)
		}
		if err := pause(ctx, removalPause*time.Since(began)); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// removal is what one member did.
type removal struct {
	removed uint64
	took    time.Duration // of the writer's time
	heldBy  string
	heldAt  uint64
}

// removeOldest removes up to size of the oldest events, if the policy and the cursors let them go.
func (t *Tx) removeOldest(r Retention, now time.Time, size uint64) (one removal, err error) {
	began := time.Now()
	first, last, err := t.bounds()
	if err != nil || first > last {
		return one, err
	}
	upTo, err := t.expired(r, now, first, last, first+size-1)
	if err != nil || upTo < first {
		return one, err
	}
	by, at, err := t.holder(r, now)
	if err != nil {
		return one, err
	}
	if by != "" && at < upTo {
		one.heldBy, one.heldAt, upTo = by, at, at
	}
	if upTo < first {
		return one, nil
	}
	_, err = t.Exec(t.j.text.removeUpTo, upTo)
	one.removed, one.took = upTo-first+1, time.Since(began)
	return one, err
}

// expired returns the number up to which the policy lets events go, looking at none beyond most.
func (t *Tx) expired(r Retention, now time.Time, first, last, most uint64) (upTo uint64, err error) {
	old := func(age time.Duration) (uint64, error) { return t.recordedBefore(now.Add(-age), min(most, last)) }
	if r.Rows > 0 && last-first+1 > r.Rows {
		upTo, err = old(r.Horizon)
		if upTo = min(upTo, last-r.Rows); err != nil {
			return 0, err
		}
	}
	if r.Age > 0 {
		byAge, err := old(max(r.Age, r.Horizon))
		return max(upTo, byAge), err
	}
	return upTo, nil
}

// recordedBefore returns the number up to which, most at the latest, all events were recorded before a time. It asks each event, as clocks may have been wrong.
func (t *Tx) recordedBefore(at time.Time, most uint64) (uint64, error) {
	ns, err := Nanoseconds(at)
	if err != nil {
		return 0, err
	}
	var young uint64
	err = t.QueryRow(t.j.text.firstSince, []any{most, ns}, &young)
	if errors.Is(err, sql.ErrNoRows) {
		return most, nil
	}
	return young - 1, err
}

func (t *Tx) bounds() (first, last uint64, err error) {
	var oldest sql.Null[uint64]
	if err := t.QueryRow(t.j.text.bounds, nil, &oldest, &last); err != nil {
		return 0, 0, err
	}
	if !oldest.Valid {
		return last + 1, last, nil
	}
	return oldest.V, last, nil
}
