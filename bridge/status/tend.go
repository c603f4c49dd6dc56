package status

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources"
)

// tend looks after what is held, and after disagreements, until ctx ends.
func (i *Ingest) tend(ctx context.Context) error {
	ticks := time.NewTicker(i.options.CheckEvery)
	defer ticks.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-i.wake:
			err = i.applyDue(ctx)
		case <-ticks.C:
			err = i.CheckNow(ctx)
		}
		i.untended.Store(nil)
		if err != nil && ctx.Err() == nil {
			err = fmt.Errorf("status: held reports and disagreements can't be looked after: %w", err)
			i.untended.Store(&err)
			i.complain(ctx, "held reports and disagreements can't be looked after", "error", err, "again_in", i.options.CheckEvery)
		}
	}
}

// CheckNow does what is otherwise done every CheckEvery: it applies what is due, reports orphans and disagreements whose time has come, and
// keeps the tables within their bounds.
func (i *Ingest) CheckNow(ctx context.Context) error {
	err := errors.Join(i.applyDue(ctx), i.reportOrphans(ctx), i.reportDisagreements(ctx), i.count(ctx))
	if err != nil {
		return err
	}
	if err := i.trimHeld(ctx); err != nil {
		return err
	}
	i.applying.Lock()
	defer i.applying.Unlock()
	return i.trimQuarantine(ctx)
}

// reportOrphans reports what has been held for too long.
func (i *Ingest) reportOrphans(ctx context.Context) error {
	for {
		until := i.runtime.Now().Add(-i.options.OrphanAfter).UnixNano()
		late, err := i.held(ctx, "WHERE due = 0 AND orphaned_at = 0 AND held_at <= ? ORDER BY held_at LIMIT ?", until, atOnce)
		if err != nil || len(late) == 0 {
			return err
		}
		missing, err := i.adoptThere(ctx, late)
		if err != nil {
			return err
		}
		if err := i.runtime.Write(ctx, func(tx *journal.Tx) error { return i.orphan(tx, missing) }); err != nil {
			return err
		}
		if len(late) < atOnce {
			return nil
		}
	}
}

func (i *Ingest) orphan(tx *journal.Tx, missing []*row) error {
	now := i.runtime.Now().UnixNano()
	for _, r := range missing {
		res := tx.DB().Exec("UPDATE status_held SET orphaned_at = ? WHERE kind = ? AND resource_id = ? AND due = 0 AND orphaned_at = 0", now, r.kind, r.id)
		if res.Error != nil {
			return res.Error
		}
		if res.RowsAffected == 0 {
			continue
		}
		_, err := tx.Append(resources.Orphaned{
			Kind: r.kind, ResourceID: r.id, Provider: r.provider, Status: string(r.status), Since: journal.TimeOf(r.heldAt),
		}, at(now))
		if err != nil {
			return err
		}
	}
	return nil
}

// trimHeld drops the oldest of what is held beyond the limit.
func (i *Ingest) trimHeld(ctx context.Context) error {
	for {
		surplus := i.store.held.Load() - int64(i.options.MaxHeld)
		if surplus <= 0 {
			return nil
		}
		oldest, err := i.held(ctx, "WHERE due = 0 ORDER BY held_at, kind, resource_id LIMIT ?", min(surplus, atOnce))
		if err != nil || len(oldest) == 0 {
			return err
		}
		if err := i.drop(ctx, oldest); err != nil {
			return err
		}
		i.store.held.Add(-int64(len(oldest)))
		i.counts.dropped.Add(uint64(len(oldest)))
		i.complain(ctx, "more observations are held than there is room for: the oldest are dropped", "limit", i.options.MaxHeld, "dropped", len(oldest))
	}
}

// drop removes held observations, and says of orphans that they are none any more.
func (i *Ingest) drop(ctx context.Context, held []*row) error {
	now := i.runtime.Now().UnixNano()
	return i.runtime.Write(ctx, func(tx *journal.Tx) error {
		for _, r := range held {
			gone, err := changed(tx.Exec(i.text.drop, r.kind, r.id))
			if err != nil {
				return err
			}
			if !gone || r.orphaned == 0 {
				continue
			}
			o := resources.Orphaned{Kind: r.kind, ResourceID: r.id, Provider: r.provider, Status: string(r.status), Since: journal.TimeOf(r.heldAt), Over: true}
			if _, err := tx.Append(o, at(now)); err != nil {
				return err
			}
		}
		return nil
	})
}

// reportDisagreements reports resources whose own state and observed status have disagreed for too long.
func (i *Ingest) reportDisagreements(ctx context.Context) error {
	for {
		until := i.runtime.Now().Add(-i.options.DisagreeAfter).UnixNano()
		late, err := i.observations(ctx, "WHERE differs_at > 0 AND differs_at <= ? AND told_at = 0 ORDER BY differs_at LIMIT ?", until, atOnce)
		if err != nil || len(late) == 0 {
			return err
		}
		now := i.runtime.Now().UnixNano()
		err = i.runtime.Write(ctx, func(tx *journal.Tx) error {
			for _, r := range late {
				told, err := changed(tx.Exec(i.text.tell, now, r.kind, r.id, r.differs))
				if err != nil {
					return err
				}
				if !told {
					continue
				}
				if _, err := tx.Append(r.disagreed(false), at(now)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || len(late) < atOnce {
			return err
		}
	}
}
