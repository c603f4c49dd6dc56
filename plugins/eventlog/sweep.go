package eventlog

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"gorm.io/gorm"
)

const sweepPage = 512 // events that are looked for at once

// removes reports whether any rule ever removes anything.
func (p *policy) removes() bool {
	for _, rules := range p.keep {
		for _, r := range rules {
			if r.keep > 0 {
				return true
			}
		}
	}
	return false
}

// sweep is the goroutine that applies the retention. It waits first: a server that starts has better things to do.
func (p *Plugin) sweep(ctx context.Context) error {
	for rest(ctx, p.policy.every) == nil {
		began := time.Now()
		switch removed, err := p.Sweep(ctx); {
		case err == nil:
			p.runtime.Logger().Debug("old events were removed from the log", "removed", removed, "took", time.Since(began))
		case ctx.Err() == nil:
			p.runtime.Logger().Error("old events can't be removed from the log", "error", err, "again_in", p.policy.every)
		}
	}
	return nil
}

// Sweep removes what the retention doesn't keep, now, in small background members with pauses between them, so that writers hardly notice. It returns how many events
// were removed, which stays so if ctx ends meanwhile. The plugin does it regularly; this is for tests, command lines and cron.
func (p *Plugin) Sweep(ctx context.Context) (removed int, err error) {
	if p.runtime == nil {
		return 0, errNotStarted
	}
	types, err := p.types(ctx)
	if err != nil {
		return 0, fmt.Errorf("eventlog: sweep: %w", err)
	}
	for i, which := range []string{Unarchived, Archived} {
		for n, r := range p.policy.keep[i] {
			if r.keep == 0 {
				continue
			}
			f, err := p.expired(which, types, p.policy.keep[i], n)
			if err == nil && len(f.types) > 0 {
				var some int
				some, err = p.remove(ctx, f)
				removed += some
			}
			if err != nil {
				return removed, fmt.Errorf("eventlog: sweep: %w", err)
			}
		}
	}
	return removed, nil
}

// types lists those that the log has.
func (p *Plugin) types(ctx context.Context) (types []string, err error) {
	const all = 1 << 20
	terms, _, err := expand(p.runtime.Read().WithContext(ctx), ofType, all)
	for i := range terms {
		terms[i] = strings.TrimPrefix(terms[i], ofType)
	}
	return terms, err
}

// expired selects what the n-th rule doesn't keep: of the types for which it is the first that fits.
func (p *Plugin) expired(which string, types []string, rules []keepRule, n int) (*filter, error) {
	f := newFilter(Query{Archived: which})
	f.types = make(map[string]bool)
	for _, t := range types {
		if ruleOf(rules, t) == n {
			f.types[t] = true
		}
	}
	limit, err := journal.Nanoseconds(p.runtime.Now().Add(-rules[n].keep))
	f.until, f.timed = limit+1, true // at that age it goes
	return f, err
}

// remove removes what a filter selects.
func (p *Plugin) remove(ctx context.Context, f *filter) (removed int, err error) {
	members := newPace()
	for low := uint64(1); ; {
		c, err := p.find(ctx, f, low, sweepPage)
		if err != nil {
			return removed, err
		}
		n, err := members.write(ctx, p, seqsOf(c.events), func(tx *journal.Tx, seqs []uint64) (int, error) { return p.statements.forget(tx, f.Archived, seqs) })
		removed += n
		if err != nil || c.ended {
			return removed, err
		}
		low = c.scanned + 1
	}
}

// forget removes events and what the index has of them, in a member, unless they have been archived or taken back meanwhile.
func (s *statements) forget(tx *journal.Tx, which string, seqs []uint64) (int, error) {
	state := "archived_at = 0"
	if which == Archived {
		state = "archived_at <> 0"
	}
	events, err := deleted(tx.DB(), "DELETE FROM eventlog WHERE "+state+" AND seq IN ? RETURNING "+columns, seqs)
	if err != nil {
		return 0, err
	}
	if err := s.remove(tx, postings(events)); err != nil {
		return 0, err
	}
	return len(events), narrow(tx, events)
}

func deleted(db *gorm.DB, text string, seqs []uint64) (events []*Event, err error) {
	rows, err := db.Raw(text, seqs).Rows()
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		e := new(Event)
		if err := e.scan(rows); err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	return events, rows.Err()
}

// narrow removes the nodes of blocks that have lost their last event, and those above that have lost their last node. The newest block's stay: events are on their way there.
// A node that has lost some spans more than it must.
func narrow(tx *journal.Tx, events []*Event) error {
	var newest uint64
	if err := tx.QueryRow("SELECT COALESCE(MAX(seq), 0) FROM eventlog", nil, &newest); err != nil {
		return err
	}
	blocks := make(map[int64]bool)
	for _, e := range events {
		if block, _ := blockOf(e.Seq); e.Seq>>blockBits < newest>>blockBits {
			blocks[block] = true
		}
	}
	for node := range blocks {
		if err := narrowFrom(tx.DB(), node); err != nil {
			return err
		}
	}
	return nil
}

func narrowFrom(db *gorm.DB, node int64) error {
	below := "SELECT 1 FROM eventlog WHERE seq BETWEEN ? AND ?"
	for level := range topLevel + 1 {
		args := []any{level, node, node << blockBits, node<<blockBits | (1<<blockBits - 1)}
		if level > 0 {
			below = "SELECT 1 FROM eventlog_spans AS children WHERE children.level = ? AND children.node BETWEEN ? AND ?"
			args = []any{level, node, level - 1, args[2], args[3]}
		}
		done := db.Exec("DELETE FROM eventlog_spans WHERE level = ? AND node = ? AND NOT EXISTS ("+below+")", args...)
		if done.Error != nil || done.RowsAffected == 0 {
			return done.Error
		}
		node >>= blockBits
	}
	return nil
}
