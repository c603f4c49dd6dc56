package bus

import "context"

// face is another way to get a subscription's events than a handler, and what doesn't go with it.
type face struct {
	name    string
	handler bool // there is a handler, whose failures can be retried
	gaps    bool // gaps are told by the face itself
	durable bool // it can say that an event is done
}

var (
	faceOnce    = face{name: "Once", handler: true, durable: true}
	faceStream  = face{name: "Stream", gaps: true, durable: true}
	faceChannel = face{name: "Channel"}
	faceAwait   = face{name: "Await", gaps: true}
)

// settings reads the options, and refuses those that don't go with the face.
func (f face) settings(opts []Option) (*settings, error) {
	s, err := newSettings(opts, "")
	if err != nil {
		return nil, err
	}
	s.handless = !f.handler
	refuse := func(option, reason string) (*settings, error) {
		return nil, &OptionError{Option: option, With: f.name, Reason: reason}
	}
	switch {
	case s.lanes > 1:
		return refuse("Lanes", "it takes one event after the other")
	case s.retried && !f.handler:
		return refuse("Retry", "there is no handler that could fail")
	case s.onGap != nil && f.gaps:
		return refuse("OnGap", "a gap is one of its errors (*GapError)")
	case s.durable != "" && !f.durable:
		return refuse("Durable", "it can't say that an event is done; Stream can")
	}
	return s, nil
}

// subscribeFace is Subscribe with settings; atEnd is called when the subscription has ended.
func subscribeFace[T any](c *Client, set *settings, fn func(context.Context, Event[T]) error, atEnd func()) (*Subscription, error) {
	in, err := newInbox[T](c, set)
	if err != nil {
		return nil, err
	}
	in.fn, in.sub.atEnd = fn, atEnd
	return in.open()
}

// whyEnded is the error that a face ends with.
func (s *Subscription) whyEnded(ctx context.Context) error {
	if err := s.Err(); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return ErrClosed
}

// endWith calls end, which closes the subscription, when ctx ends.
func (s *Subscription) endWith(ctx context.Context, end func()) {
	stop := context.AfterFunc(ctx, end)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.finished {
		stop()
		return
	}
	s.unbind = stop
}

// atLast lets go of what the face has bound to the subscription.
func (s *Subscription) atLast() {
	s.mu.Lock()
	unbind := s.unbind
	s.mu.Unlock()
	if unbind != nil {
		unbind()
	}
	if s.atEnd != nil {
		s.atEnd()
	}
}
