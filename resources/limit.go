package resources

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cloudbus-go/cloudbus/fsm"
)

// reportAtOnce is how many resources are reported in one member.
const reportAtOnce = 64

// ReportStuck looks for resources of all kinds that are in a transitional state for longer than its limit and posts <kind>.stuck (Stuck)
// for each, once for each limit that has passed since it was reported last; several that passed together are one report. What has been
// reported is stored, so neither a restart nor another server on the same database repeats it. Run does this whenever something is due;
// it is here for tests and command lines.
func (e *Engine) ReportStuck(ctx context.Context) (reported int, err error) {
	reported, _, err = e.checkLimits(ctx, e.clock())
	return reported, err
}

// StuckReports returns how many times this engine has reported resources of the kind to be stuck since New, by the state they were in:
// one number for each state that has a limit. Of several engines on one database each counts its own.
func (h *Handle) StuckReports() map[fsm.State]uint64 {
	counts := make(map[fsm.State]uint64, len(h.limits))
	for _, l := range h.limits {
		counts[l.state] = l.reported.Load()
	}
	return counts
}

// checkLimits reports what is due, and returns when the next will be; the zero time if nothing is.
func (e *Engine) checkLimits(ctx context.Context, now time.Time) (reported int, next time.Time, err error) {
	var errs []error
	for _, h := range e.handles() {
		for _, l := range h.limits {
			n, err := h.reportStays(ctx, l, now)
			reported += n
			if err == nil {
				next, err = h.earlier(ctx, next, l, now)
			}
			if err != nil {
				errs = append(errs, fmt.Errorf("resources: %s that are %s for too long: %w", h.info.Name, l.state, err))
			}
		}
	}
	return reported, next, errors.Join(errs...)
}

// handles lists the registered kinds in order of their names.
func (e *Engine) handles() []*Handle {
	var all []*Handle
	for _, name := range e.Kinds() {
		if h, err := e.Kind(name); err == nil {
			all = append(all, h)
		}
	}
	return all
}

// stateLimit is how long a resource may be in a state.
type stateLimit struct {
	state    fsm.State
	limit    time.Duration
	reported *atomic.Uint64 // by this engine
}

func limitsOf(m *fsm.Machine) []stateLimit {
	var all []stateLimit
	for _, s := range m.States() {
		if d, ok := m.Limit(s); ok {
			all = append(all, stateLimit{s, d, new(atomic.Uint64)})
		}
	}
	return all
}

// reportStays reports the stays in one state that are due.
func (h *Handle) reportStays(ctx context.Context, l stateLimit, now time.Time) (reported int, err error) {
	until := now.Add(-l.limit)
	for {
		due, err := h.engine.store.Overdue(ctx, h.info, l.state, until, reportAtOnce)
		if err != nil || len(due) == 0 {
			return reported, err
		}
		slices.SortFunc(due, func(a, b any) int { return strings.Compare(ObjectOf(a).ID, ObjectOf(b).ID) })
		posted := 0
		err = h.engine.inBackground(ctx, func(tx StoreTx) error {
			posted = 0
			for _, obj := range due {
				was, err := h.report(tx, ObjectOf(obj), l, now)
				if err != nil {
					return err
				}
				posted += was
			}
			return tx.ForgetReports(h.info, l.state, until)
		})
		if err != nil {
			return reported, err
		}
		l.reported.Add(uint64(posted))
		if reported += posted; len(due) < reportAtOnce || posted == 0 {
			return reported, nil
		}
	}
}

// report posts that a resource is stuck, unless it has moved on, or somebody else was quicker.
func (h *Handle) report(tx StoreTx, seen *Object, l stateLimit, now time.Time) (posted int, err error) {
	obj, err := tx.Load(h.info, seen.ID)
	if errors.Is(err, ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	o := ObjectOf(obj)
	if o.State != l.state || o.Operation != seen.Operation {
		return 0, nil
	}
	at := o.StateSince.Add(now.Sub(o.StateSince) / l.limit * l.limit)
	times, err := tx.Report(h.info, obj, at)
	if err != nil || times == 0 {
		return 0, err
	}
	s := stuckOf(h.info.Name, o, l.limit)
	s.Times = times
	_, err = tx.Append(s, s.stamp(at))
	return 1, err
}

// earlier returns when the first stay in a state that isn't due yet will be, if that is before next.
func (h *Handle) earlier(ctx context.Context, next time.Time, l stateLimit, now time.Time) (time.Time, error) {
	since, err := h.engine.store.NextStay(ctx, h.info, l.state, now.Add(-l.limit))
	if err != nil || since.IsZero() {
		return next, err
	}
	if due := since.Add(l.limit); next.IsZero() || due.Before(next) {
		return due, nil
	}
	return next, nil
}

// inBackground runs fn as a member that lets those go first that somebody waits for, if the store can.
func (e *Engine) inBackground(ctx context.Context, fn func(StoreTx) error) error {
	if s, ok := e.store.(BackgroundStore); ok {
		return s.DoInBackground(ctx, fn)
	}
	return e.store.Do(ctx, fn)
}
