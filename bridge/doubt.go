package bridge

import "context"

// Doubt: where several servers share a database, another may have sent since this one has looked at what the broker holds.

// beginDoubt has the next event wait until what other servers have sent was looked for: one of them may send from now on.
func (s *safety) beginDoubt() {
	if s == nil || s.doubt.Load() != nil || s.points.journal.PresenceLength() == 0 {
		return
	}
	doubt := make(chan struct{})
	s.doubt.CompareAndSwap(nil, &doubt) // handlers may do so at the same time
}

// inDoubt reports whether another server may have sent since this one has looked: also if the name came back to it before it noticed.
func (s *safety) inDoubt() bool {
	if s.points.journal.Tenure(s.points.bridge) != s.turn.Load() {
		s.beginDoubt()
	}
	return s.doubt.Load() != nil
}

// endDoubt lets events of a turn go. reader.mu is held.
func (s *safety) endDoubt(turn int64) {
	s.turn.Store(turn)
	if doubt := s.doubt.Swap(nil); doubt != nil {
		close(*doubt)
	}
}

// confirm waits, where several servers share the database, until what another has sent before m was looked for. Errors: errClosing.
func (b *Bridge) confirm(ctx context.Context, m Message) (err error) {
	doubt, end := b.safety.doubted()
	if doubt == nil {
		return nil
	}
	if away := b.safety.away(ctx); away != nil {
		b.complain(m, away)
		defer func() { b.settle(m, err) }()
	}
	select {
	case <-doubt:
		return nil
	case <-ctx.Done():
	case <-b.life.open.Done():
	case <-end:
	}
	return errClosing
}

// doubted asks for a look, and returns what is closed after it, and what is closed when nobody waits for it any more; nil if none is needed.
func (s *safety) doubted() (doubt, end <-chan struct{}) {
	if s == nil || !s.inDoubt() {
		return nil, nil
	}
	d := s.doubt.Load()
	if d == nil {
		return nil, nil // it has just ended
	}
	select {
	case s.asked <- struct{}{}:
	default:
	}
	return *d, s.reader.wait().Done()
}

// away says why the broker can't be asked; nil if it can, or the sink doesn't know.
func (s *safety) away(ctx context.Context) error {
	if healther, ok := s.sink.(Healther); ok {
		return healther.Health(ctx)
	}
	return nil
}

// takeOver looks for what another server has sent before this one goes on in its place. While the broker is away there is nothing to look at: check does it then.
// reader.mu is held.
func (s *safety) takeOver(ctx context.Context) error {
	if s.reader.standsBy() {
		s.reader.leave() // what still waits for the broker, or for a look, would keep this server from standing by
		return nil
	}
	if s.away(ctx) != nil {
		return nil
	}
	ctx, cancel := within(ctx, s.reader.life)
	defer cancel()
	return s.look(ctx)
}
