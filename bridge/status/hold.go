package status

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources"
)

// atOnce is how many rows are tended in one transaction.
const atOnce = 200

// hold keeps an observation whose resource isn't there. It looks again, in the transaction that holds: a Create is either seen by it, or sees
// what is held (Listener).
func (i *Ingest) hold(tx resources.Tx, writer *journal.Tx, it *item) error {
	if err := i.lock(writer, it.report.Kind, it.report.ResourceID); err != nil {
		return err
	}
	_, err := tx.State(it.report.Kind, it.report.ResourceID)
	if err == nil {
		return resources.ErrConflict // it was made meanwhile
	}
	if !errors.Is(err, resources.ErrNotFound) {
		return err
	}
	it.outcome, it.next.isHeld = isHeld, true
	if it.fromHeld {
		_, err := writer.Exec(i.text.wait, it.report.Kind, it.report.ResourceID)
		return err
	}
	written, err := it.next.hold(writer, &i.text)
	if err == nil && !written {
		return errAnew
	}
	return err
}

// lock keeps other servers from holding or making the resource until the transaction has ended.
func (i *Ingest) lock(writer *journal.Tx, kind, id string) error {
	if i.text.lock == "" {
		return nil
	}
	_, err := writer.Exec(i.text.lock, kind+"/"+id)
	return err
}

// unhold removes what was held of a resource that is there now.
func (i *Ingest) unhold(tx resources.Tx, writer *journal.Tx, it *item) error {
	var held *row
	switch prev := it.prev; {
	case prev == nil && !it.fromHeld:
		return nil
	case prev != nil && prev.isHeld:
		held = prev
	case prev != nil && prev.heldToo != nil:
		held = prev.heldToo
	case it.fromHeld:
		held = it.next
		held.heldAt = it.heldAt
	default:
		return nil
	}
	gone, err := i.takeHeld(writer, it, held)
	if err != nil || !gone || held.orphaned == 0 && !it.orphaned {
		return err
	}
	_, err = tx.Append(resources.Orphaned{
		Kind: held.kind, ResourceID: held.id, Provider: held.provider, Status: string(held.status), Since: journal.TimeOf(held.heldAt), Over: true,
	}, at(it.next.received))
	return err
}

// takeHeld removes a held row whose turn it is, or that the batch was planned on: it has been taken, or reported as an orphan, since then if it isn't there
// as it was.
func (i *Ingest) takeHeld(writer *journal.Tx, it *item, held *row) (gone bool, err error) {
	if it.fromHeld {
		return changed(writer.Exec(i.text.drop, held.kind, held.id))
	}
	gone, err = changed(writer.Exec(i.text.take, held.kind, held.id, held.orphaned))
	if err == nil && !gone {
		err = errAnew
	}
	return gone, err
}

// Listener is the engine's listener that goes with the plugin: a Create takes what is held of its resource in its own transaction, so that
// it is applied as soon as that has committed, or when the server is back; a purge forgets what was observed. Until the plugin has started
// it does nothing, and what it missed is found at the start.
func (i *Ingest) Listener() resources.Listener { return listener{i} }

type listener struct{ i *Ingest }

// Name is "status".
func (listener) Name() string { return Name }

func (l listener) concerns(c resources.Change) bool {
	return (c.Action == resources.Created || c.Action == resources.Removed) && l.i.ready.Load() && l.i.kinds[c.Kind]
}

// InTx takes what is held of a resource that is made, and forgets what was observed of one that is purged.
func (l listener) InTx(_ context.Context, tx resources.Tx, c resources.Change) error {
	if !l.concerns(c) {
		return nil
	}
	writer := journal.TxOf(tx)
	if writer == nil {
		return plain("the engine's store isn't the journal's database")
	}
	if c.Action == resources.Removed {
		_, err := writer.Exec(l.i.text.forget, c.Kind, c.ResourceID)
		return err
	}
	if err := l.i.lock(writer, c.Kind, c.ResourceID); err != nil {
		return err
	}
	_, err := writer.Exec(l.i.text.adopt, c.Kind, c.ResourceID)
	return err
}

// After has what is due applied.
func (l listener) After(_ context.Context, c resources.Change, err error) {
	if err == nil && c.Action == resources.Created && l.concerns(c) {
		l.i.nudge()
	}
}

func (i *Ingest) nudge() {
	select {
	case i.wake <- struct{}{}:
	default:
	}
}

// applyDue applies held observations whose resources are there now.
func (i *Ingest) applyDue(ctx context.Context) error {
	for {
		n, err := i.applySome(ctx)
		if err != nil || n < atOnce {
			return err
		}
	}
}

func (i *Ingest) applySome(ctx context.Context) (int, error) {
	i.applying.Lock()
	defer i.applying.Unlock()
	due, err := i.held(ctx, "WHERE due = 1 AND service_type IN ? ORDER BY orphaned_at, held_at LIMIT ?", slices.Collect(maps.Keys(i.intakes)), atOnce)
	if err != nil || len(due) == 0 {
		return 0, err
	}
	items := make([]*item, 0, len(due))
	for _, r := range due {
		items = append(items, &item{report: r.report(), mark: r.mark, intake: i.intakes[r.serviceType], fromHeld: true, orphaned: r.orphaned != 0, heldAt: r.heldAt})
	}
	if err := i.takeTogether(ctx, items); err != nil {
		return 0, err
	}
	return len(due), i.dropSuperseded(ctx, items)
}

// dropSuperseded removes held rows that weren't news when their turn came.
func (i *Ingest) dropSuperseded(ctx context.Context, items []*item) error {
	var old []*item
	for _, it := range items {
		if it.outcome != applied && it.outcome != isHeld {
			old = append(old, it)
		}
	}
	if len(old) == 0 {
		return nil
	}
	return i.runtime.Write(ctx, func(tx *journal.Tx) error {
		for _, it := range old {
			if _, err := tx.Exec(i.text.drop, it.report.Kind, it.report.ResourceID); err != nil {
				return err
			}
		}
		return nil
	})
}

// recheck finds held observations whose resource is there: it was made while nobody listened.
func (i *Ingest) recheck(ctx context.Context) error {
	for after := (place{}); ; {
		held, err := i.held(ctx, "WHERE due = 0 AND (kind > ? OR kind = ? AND resource_id > ?) ORDER BY kind, resource_id LIMIT ?", after.kind, after.kind, after.id, atOnce)
		if err != nil || len(held) == 0 {
			return err
		}
		if _, err := i.adoptThere(ctx, held); err != nil {
			return err
		}
		after = held[len(held)-1].place()
	}
}

// adoptThere makes those due whose resource is there, and returns the others.
func (i *Ingest) adoptThere(ctx context.Context, held []*row) (missing []*row, err error) {
	ids := map[string][]string{}
	for _, r := range held {
		ids[r.kind] = append(ids[r.kind], r.id)
	}
	there := map[place]bool{}
	for kind, ids := range ids {
		h, err := i.options.Engine.Kind(kind)
		if err != nil {
			continue // a kind that isn't registered any more
		}
		objs, _, err := h.List(ctx, resources.Query{Where: map[string]any{"id": ids}, Limit: len(ids)})
		if err != nil {
			return nil, fmt.Errorf("status: %w", err)
		}
		for _, obj := range objs {
			there[place{kind, resources.ObjectOf(obj).ID}] = true
		}
	}
	var found []*row
	for _, r := range held {
		if there[r.place()] {
			found = append(found, r)
		} else {
			missing = append(missing, r)
		}
	}
	if len(found) == 0 {
		return missing, nil
	}
	defer i.nudge()
	return missing, i.runtime.Write(ctx, func(tx *journal.Tx) error {
		for _, r := range found {
			if _, err := tx.Exec(i.text.adopt, r.kind, r.id); err != nil {
				return err
			}
		}
		return nil
	})
}

var (
	_ resources.InTxListener  = listener{}
	_ resources.AfterListener = listener{}
)
