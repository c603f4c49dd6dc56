package bus

import (
	"iter"
	"slices"
)

// unroute ends that the topics offer their events to s.
func (b *Bus) unroute(s *Subscription) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.Index(b.subs, s)
	if i < 0 {
		return
	}
	b.subs = slices.Delete(b.subs, i, i+1)
	if !b.closed.Load() { // then nobody offers any more
		b.reroute(s)
	}
}

// reroute takes s, which has ended, out of the topics that it was concerned with. b.mu is held.
func (b *Bus) reroute(s *Subscription) {
	for t := range b.topicsFor(s) {
		t.part(s)
	}
	if s.mode.reads() {
		readers := slices.DeleteFunc(slices.Clone(*b.readers.Load()), func(r *Subscription) bool { return r == s })
		b.readers.Store(&readers)
	}
}

// route lets the topics offer their events to s, which is new. b.mu is held.
func (b *Bus) route(s *Subscription) {
	for t := range b.topicsFor(s) {
		t.join(s)
	}
	if s.mode.reads() {
		readers := append(*b.readers.Load(), s) // beyond what others look at
		b.readers.Store(&readers)
	}
}

// topicsFor yields the topics that s is concerned with. b.mu is held.
func (b *Bus) topicsFor(s *Subscription) iter.Seq[anyTopic] {
	return func(yield func(anyTopic) bool) {
		bt, boxed := s.inner.(boxTaker)
		for _, t := range *b.topics.Load() {
			if (t.goType() == s.goType || boxed && bt.accepts(t.goType())) && !yield(t) {
				return
			}
		}
		if boxed && bt.accepts(nil) {
			yield(b.unknown)
		}
	}
}
