package status

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
)

const (
	firstBackoff = 50 * time.Millisecond
	maxBackoff   = 5 * time.Second
)

// start sends the latest report of e. Until it is acknowledged nobody can say which status the broker has.
func (r *Reporter) start(e *entry, now time.Time) {
	sent := e.latest
	e.acked, e.flying, e.sentAt, e.changed = "", true, now, time.Time{}
	r.flying++
	r.plan(e)
	r.work.Go(func() {
		err := r.send(sent)
		r.settle(e, sent, err)
		poke(r.wake)
	})
}

func (r *Reporter) send(sent report) error {
	letter, err := Encode(Stamp{Provider: r.options.Provider, ID: sent.id, Sequence: sent.sequence}, sent.Observation)
	if err != nil {
		return &bridge.RejectedError{ID: sent.id.String(), Subject: Subject(sent.ServiceType), Err: err}
	}
	ctx, stop := context.WithTimeout(r.active, bridge.SendTimeout)
	defer stop()
	if r.forgetful(sent.ServiceType) {
		return r.transport.Send(ctx, letter)
	}
	return r.transport.Publish(ctx, letter)
}

// settle notes how sending a report ended.
func (r *Reporter) settle(e *entry, sent report, err error) {
	now := time.Now()
	var rejected *bridge.RejectedError
	final := errors.As(err, &rejected)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flying--
	e.flying = false
	switch {
	case err == nil:
		r.stats.Sent++
	case final:
		r.stats.Rejected++
		r.log.Error("status: a report was rejected for good", "type", sent.ServiceType, "resource", sent.ID, "status", sent.Status, "error", err)
	default:
		r.failed(e, err, now)
	}
	if err == nil || final {
		e.acked, e.tries, e.retryAt = sent.Status, 0, time.Time{}
		if r.options.Resync > 0 {
			e.resyncAt = r.nextResync(now)
		}
	}
	if err == nil {
		r.endOutage(now)
	}
	r.soilEntry(e)
	r.plan(e)
}

func (r *Reporter) failed(e *entry, err error, now time.Time) {
	e.retryAt = now.Add(backoff(e.tries))
	e.tries++
	if e.changed.IsZero() {
		e.changed = now
	}
	if r.active.Err() != nil {
		return // Close has cut it short
	}
	r.stats.Retried++
	if r.outage.begin(err, now) {
		r.log.Warn("status: the broker doesn't take reports; they wait", "type", e.of.serviceType, "resource", e.of.id, "error", err)
	}
	if !r.outage.held() {
		r.outage.waiting = now
		r.work.Go(r.awaitBroker)
	}
}

// backoff doubles up to maxBackoff; half of it is chance, so that reports that failed together don't come back together.
func backoff(tries int) time.Duration {
	d := maxBackoff
	if tries < 7 {
		d = min(maxBackoff, firstBackoff<<tries)
	}
	return d/2 + rand.N(d/2)
}

// awaitBroker lets nothing be sent until the transport says that it is worth trying. What failed meanwhile is then tried soon.
func (r *Reporter) awaitBroker() {
	began := time.Now()
	err := r.transport.Ready(r.active)
	now := time.Now()
	r.mu.Lock()
	r.outage.waiting = time.Time{}
	if err == nil && now.Sub(began) > firstBackoff { // it was away, and is back
		for _, e := range r.entries {
			if e.tries > 0 && !e.flying {
				e.retryAt = now.Add(rand.N(firstBackoff))
				r.plan(e)
			}
		}
	}
	r.mu.Unlock()
	poke(r.wake)
}
