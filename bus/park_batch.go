package bus

import (
	"errors"
	"slices"
)

// park has an event parked when the batch is committed.
func (b *Batch[T]) park(h Header, reason string, tries int) {
	b.Park = append(b.Park, Parking{Seq: h.Seq, Reason: reason, Tries: tries})
	b.parked = append(b.parked, h)
}

// waits reports whether an event's resource is parked by this batch.
func (b *Batch[T]) waits(h *Header) bool {
	return h.ResourceID != "" && slices.ContainsFunc(b.parked, func(o Header) bool { return o.Kind == h.Kind && o.ResourceID == h.ResourceID })
}

// giveUp follows the last failed try of an event that is alone in its batch: true if the subscription goes on. What is parked and the cursor
// behind it are stored together.
func (r *batchReader[T]) giveUp(h Header, err error, tries int) bool {
	p := r.sub.parking
	if p == nil || p.count() >= maxParked {
		return r.sub.giveUp(h, err, tries)
	}
	b := Batch[T]{From: r.scanned, To: h.Seq}
	b.park(h, err.Error(), max(tries, 1))
	if !p.sub.insist(func() error { return r.insist(b) }) {
		return false
	}
	r.committed(b)
	return true
}

// pollErrands does what the subscription is asked to do between two batches.
func (r *batchReader[T]) pollErrands() {
	select {
	case job := <-r.errands:
		r.serve(job)
	default:
	}
}

// replay hands a parked event to commit, which unparks it together with the effects.
func (r *batchReader[T]) replay(e *Parked) error {
	b := Batch[T]{From: r.scanned, To: r.scanned, Replayed: []uint64{e.Seq}}
	var event Event[T]
	wanted, err := r.in.read(&e.Record, &event)
	if wanted {
		b.Events = append(b.Events, event)
	}
	if err == nil {
		r.at = e.Header
		err = sound(r.call(b))
	}
	switch {
	case err == nil:
		r.sub.delivered.Add(uint64(len(b.Events)))
		return nil
	case errors.Is(err, Stop):
		r.sub.Close()
		return Stop
	}
	return r.sub.parking.outcome(e, err)
}
