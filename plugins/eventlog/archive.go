package eventlog

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"gorm.io/gorm"
)

// Selection says which events to archive, or to take back: by their IDs, or by a filter. One of these two is required.
type Selection struct {
	IDs    []string `json:"ids"`    // Of events; at most 1,000.
	Filter *Query   `json:"filter"` // What it selects, its order, cursors, limit and Archived aside. It must say something.
	Limit  int      `json:"limit"`  // How many events one call changes, the oldest first. Defaults to all.
}

// Changed is what became of a Selection.
type Changed struct {
	Events int  `json:"events"`         // that were archived, or taken back
	More   bool `json:"more,omitempty"` // the limit was reached; the same call again goes on
}

const (
	maxIDs      = 1000
	archivePage = 512 // events that are looked for at once
)

// Archive takes events out of the way: listings leave them out unless they are asked for, and retention has rules of its own for them. What is archived already
// is left alone. Much is done in small background members, so that writers hardly notice; what is done stays done if ctx ends.
// Errors: *QueryError; ErrNotFound for an ID that no event has.
func (p *Plugin) Archive(ctx context.Context, s Selection) (Changed, error) {
	return p.change(ctx, s, Unarchived)
}

// Unarchive takes archived events back, in the same way.
func (p *Plugin) Unarchive(ctx context.Context, s Selection) (Changed, error) {
	return p.change(ctx, s, Archived)
}

// change archives what isn't, or takes back what is.
func (p *Plugin) change(ctx context.Context, s Selection, which string) (Changed, error) {
	if p.runtime == nil {
		return Changed{}, errNotStarted
	}
	filters, err := s.filters(which)
	if err != nil {
		return Changed{}, err
	}
	if err := p.checkIDs(ctx, s.IDs); err != nil {
		return Changed{}, err
	}
	m := &marker{Plugin: p, pace: newPace(), archive: which == Unarchived, left: s.Limit}
	for _, f := range filters {
		if err := m.mark(ctx, f); err != nil {
			return m.done, fmt.Errorf("eventlog: archive: %w", err)
		}
	}
	return m.done, nil
}

// filters returns what is to be looked for.
func (s *Selection) filters(which string) ([]*filter, error) {
	switch {
	case s.Limit < 0:
		return nil, &QueryError{Field: "limit", Value: strconv.Itoa(s.Limit), Reason: "is below 0"}
	case s.Filter == nil && len(s.IDs) == 0:
		return nil, &QueryError{Field: "filter", Reason: "is required, or ids"}
	case s.Filter != nil && len(s.IDs) > 0:
		return nil, &QueryError{Field: "ids", Value: s.IDs[0], Reason: "is given, and a filter too"}
	case len(s.IDs) > maxIDs:
		return nil, &QueryError{Field: "ids", Value: strconv.Itoa(len(s.IDs)), Reason: fmt.Sprintf("are too many, at most %d", maxIDs)}
	case s.Filter != nil:
		return s.byFilter(which)
	}
	filters := make([]*filter, len(s.IDs))
	for i, text := range s.IDs {
		id, err := bus.ParseID(text)
		if err != nil || id.IsZero() {
			return nil, &QueryError{Field: "ids", Value: text, Reason: "is no event's id"}
		}
		filters[i] = newFilter(Query{Archived: which})
		filters[i].id = id.String()
	}
	return filters, nil
}

func (s *Selection) byFilter(which string) ([]*filter, error) {
	q := *s.Filter
	if q.Archived != "" && q.Archived != which {
		return nil, &QueryError{Field: "archived", Value: q.Archived, Reason: "is of what isn't changed", Known: []string{which}}
	}
	q.Archived = which
	f, err := q.compile()
	if err == nil && !f.narrows() {
		err = &QueryError{Field: "filter", Reason: `says nothing: for all there is, say "type": ">"`}
	}
	return []*filter{f}, err
}

// checkIDs reports the first that no event has.
func (p *Plugin) checkIDs(ctx context.Context, ids []string) error {
	return p.reading(ctx, func(db *gorm.DB) error {
		for _, id := range ids {
			if _, err := eventOf(db, id); err != nil {
				return fmt.Errorf("event %s: %w", id, err)
			}
		}
		return nil
	})
}

// marker archives, or takes back.
type marker struct {
	*Plugin
	pace    *pace
	archive bool
	left    int // 0: no limit
	done    Changed
}

// mark changes what a filter selects.
func (m *marker) mark(ctx context.Context, f *filter) error {
	for low := uint64(1); !m.done.More; {
		limit := archivePage
		if m.left > 0 {
			limit = min(limit, m.left-m.done.Events+1)
		}
		c, err := m.find(ctx, f, low, limit)
		if err != nil {
			return err
		}
		seqs := seqsOf(c.events)
		if m.left > 0 && m.done.Events+len(seqs) > m.left {
			m.done.More, seqs = true, seqs[:m.left-m.done.Events]
		}
		n, err := m.pace.write(ctx, m.Plugin, seqs, m.write)
		m.done.Events += n
		if err != nil {
			return err
		}
		if c.ended {
			break
		}
		low = c.scanned + 1
	}
	return nil
}

// find looks for events from a number on, the oldest first.
func (p *Plugin) find(ctx context.Context, f *filter, low uint64, limit int) (c catch, err error) {
	err = p.reading(ctx, func(db *gorm.DB) error {
		h, err := f.begin(db, false, low, math.MaxInt64)
		if err == nil {
			c, err = h.find(limit)
		}
		return err
	})
	return c, err
}

func seqsOf(events []*Event) []uint64 {
	seqs := make([]uint64, len(events))
	for i, e := range events {
		seqs[i] = e.Seq
	}
	return seqs
}

// write marks some events, in a member, and returns how many weren't.
func (m *marker) write(tx *journal.Tx, seqs []uint64) (int, error) {
	text, at, from, to := "UPDATE eventlog SET archived_at = ? WHERE archived_at = 0 AND seq IN ? RETURNING seq", m.runtime.Now(), inLog, archived
	if !m.archive {
		text, at, from, to = "UPDATE eventlog SET archived_at = ? WHERE archived_at <> 0 AND seq IN ? RETURNING seq", time.Time{}, archived, inLog
	}
	ns, err := journal.Nanoseconds(at)
	if err != nil {
		return 0, err
	}
	var marked []uint64
	if err := tx.DB().Raw(text, ns, seqs).Scan(&marked).Error; err != nil {
		return 0, err
	}
	var gone, come []posting
	for _, seq := range marked {
		block, bit := blockOf(seq)
		gone, come = append(gone, posting{from, block, bit}), append(come, posting{to, block, bit})
	}
	if err := m.statements.remove(tx, mergePostings(gone)); err != nil {
		return 0, err
	}
	return len(marked), m.statements.add(tx, mergePostings(come))
}
