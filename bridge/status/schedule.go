package status

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// run starts what is due, until the reporter is closed.
func (r *Reporter) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-r.wake:
		case <-r.active.Done():
			return
		}
		r.mu.Lock()
		now := time.Now()
		next, planned := r.dispatch(now)
		done := r.closing && r.flying == 0 && r.open == 0
		if r.closing && r.outage.held() {
			next = r.closedAt.Add(closePatience)
			if r.outage.waiting.After(r.closedAt) {
				next = r.outage.waiting.Add(closePatience)
			}
			planned = next.After(now)
			done = done || r.flying == 0 && r.unkept == 0 && !planned // the spool has the rest
		}
		r.mu.Unlock()
		if done {
			close(r.idle)
			return
		}
		timer.Stop()
		if planned {
			timer.Reset(time.Until(next))
		}
	}
}

// dispatch sends what is due, as far as there are lanes, and returns when it must be called again.
func (r *Reporter) dispatch(now time.Time) (next time.Time, planned bool) {
	for len(r.queue) > 0 && r.flying < r.options.Lanes && !r.outage.held() {
		e := r.queue[0]
		if e.due.After(now) {
			return e.due, true
		}
		switch {
		case e.unsent():
		case e.latest.Status == Deleted:
			r.forget(e)
			continue
		default:
			r.renew(e)
		}
		r.start(e, now)
	}
	return time.Time{}, false // a report that comes back, or the broker, wakes the loop
}

// renew makes the latest report of e one that is sent once more.
func (r *Reporter) renew(e *entry) {
	r.stats.Resynced++
	e.latest.sequence++
	e.latest.id = bus.NewID(e.latest.Time)
}

// plan sets when e has its next turn. It is called after each change of e.
func (r *Reporter) plan(e *entry) {
	r.track(e)
	due, planned := r.turn(e)
	r.queue.plan(e, due, planned)
}

func (r *Reporter) turn(e *entry) (due time.Time, planned bool) {
	switch {
	case e.flying:
		return due, false // until it is back
	case !e.unsent():
		return e.resyncAt, r.options.Resync > 0 && !r.closing
	case r.spools(e) && e.spooled < e.latest.sequence && r.spoolErr == nil:
		return due, false // until it is written down
	}
	if !r.closing && !e.urgent() && !e.sentAt.IsZero() {
		due = e.sentAt.Add(r.options.Window)
		if limit := e.changed.Add(r.options.MaxWait); limit.Before(due) {
			due = limit
		}
	}
	if e.retryAt.After(due) {
		due = e.retryAt
	}
	return due, true
}

// track keeps the reporter's counts and lists in line with e.
func (r *Reporter) track(e *entry) {
	open := e.flying || e.unsent()
	switch {
	case open && !e.open:
		r.open++
	case !open && e.open:
		r.open--
	}
	e.open = open
	unkept := open && !(r.spools(e) && e.spooled >= e.latest.sequence)
	switch {
	case unkept && !e.unkept:
		r.unkept++
	case !unkept && e.unkept:
		r.unkept--
	}
	e.unkept = unkept
	switch {
	case open && e.settled != nil:
		r.settled.Remove(e.settled)
		e.settled = nil
	case !open && e.settled == nil:
		e.settled = r.settled.PushBack(e)
	}
}

// nextResync leaves a tenth to chance, so that resources don't come all at once for ever.
func (r *Reporter) nextResync(from time.Time) time.Time {
	every := r.options.Resync
	return from.Add(every - rand.N(every/10+1))
}

// spools reports whether the reports of e go through the spool.
func (r *Reporter) spools(e *entry) bool {
	return r.options.Spool != nil && !r.forgetful(e.of.serviceType)
}

// forgetful reports whether reports of a service type are sent without an acknowledgement.
func (r *Reporter) forgetful(serviceType string) bool {
	return slices.Contains(r.options.FireAndForget, serviceType)
}
