package bus

import "errors"

// errLeft: the loop was left while it had a parked event.
var errLeft = errors.New("bus: the loop was left")

// detour is lane.detour for a loop. done: the event isn't to be yielded; more: the loop wasn't left.
func (s *stream[T]) detour(n *news[T], yield func(Event[T], error) bool) (more, done bool) {
	l, p := s.in.lanes[0], s.in.sub.parking
	if p == nil {
		return true, false
	}
	if job, ok := n.err.(*errand); ok { //nolint:errorlint // errands aren't wrapped
		l.putAside()
		more = true
		p.run(job, func(e *Parked) error {
			err := s.again(e, yield)
			more = more && !errors.Is(err, errLeft)
			return err
		})
		return more, true
	}
	if !p.blocks(&n.event.Header) {
		return true, false
	}
	l.aside, l.tickets = append(l.aside, Parking{Seq: n.event.Seq, Reason: waitsBehind}), append(l.tickets, n.ticket)
	return true, true
}

// again yields a parked event.
func (s *stream[T]) again(e *Parked, yield func(Event[T], error) bool) error {
	var event Event[T]
	wanted, err := s.in.read(&e.Record, &event)
	switch {
	case s.in.sub.isClosing():
		return ErrClosed
	case wanted && err == nil:
		if !yield(event, nil) {
			return errLeft
		}
		s.in.sub.delivered.Add(1)
	}
	return s.in.sub.parking.outcome(e, err)
}
