package amqpbridge

import "sync"

const maxSuspects = 1024

// suspects are the messages that were under way when the broker ended a channel over one of them, without saying over which. Each is sent
// on a channel of its own from then on, until it is confirmed; so the one at fault is found, and doesn't take others along again.
type suspects struct {
	mu  sync.Mutex
	ids map[string]bool
}

func (s *suspects) add(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ids == nil || len(s.ids) >= maxSuspects {
		s.ids = map[string]bool{} // what is forgotten costs a channel once more
	}
	s.ids[id] = true
}

func (s *suspects) has(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ids[id]
}

func (s *suspects) remove(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.ids, id)
}
