package bus

import "errors"

// maxDetour is how many events a lane sets aside at a time.
const maxDetour = 256

// detour deals with what isn't to be handled: errands, and events that wait behind a parked one; false: the event at hand is to be handled.
func (l *lane[T]) detour(n *news[T]) bool {
	p := l.in.sub.parking
	if job, ok := n.err.(*errand); ok { //nolint:errorlint // errands aren't wrapped
		l.news = nil // it isn't tried again if a handler ends the goroutine
		l.putAside()
		if l.in.sub.tenure.over() {
			job.refuse()
		} else {
			p.run(job, l.replay)
		}
		l.release(n)
		return true
	}
	if !p.blocks(&n.event.Header) {
		return false
	}
	l.aside = append(l.aside, Parking{Seq: n.event.Seq, Reason: waitsBehind})
	l.tickets = append(l.tickets, n.ticket)
	l.settle(false)
	if len(l.aside) == maxDetour {
		l.putAside()
	}
	return true
}

// putAside parks the events that wait. Until then they aren't done.
func (l *lane[T]) putAside() {
	if len(l.aside) == 0 {
		return
	}
	if !l.in.sub.tenure.over() && l.in.sub.parking.put(l.aside) {
		for _, ticket := range l.tickets {
			l.reader.progress.complete(ticket)
		}
	}
	l.aside, l.tickets = l.aside[:0], l.tickets[:0]
}

// release lets go of an event that wasn't handled.
func (l *lane[T]) release(n *news[T]) {
	l.news = n
	l.settle(false)
}

// replay hands a parked event to the handler.
func (l *lane[T]) replay(e *Parked) error {
	n := l.in.press.blank()
	defer n.published(0)
	wanted, err := l.in.read(&e.Record, &n.event)
	if wanted && err == nil {
		n.sign(l.in.sub.bus.clock().UnixNano())
		err = sound(l.callAgain(n))
	}
	err2 := l.in.sub.parking.outcome(e, err)
	if errors.Is(err, Stop) {
		l.in.sub.Close()
		return Stop
	}
	return err2
}

// callAgain calls the handler with a parked event, once.
func (l *lane[T]) callAgain(n *news[T]) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = newPanicError(v)
		}
	}()
	if l.queue.ended() {
		return ErrClosed
	}
	if err = l.fn(l.context(n), n.event); err == nil {
		l.delivered++
	}
	return err
}
