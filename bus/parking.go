package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// maxParked is how many resources a subscription may have parked; with more, it isn't the events that are at fault.
const maxParked = 1000

// parkedPage is how many parked events are handled at a time.
const parkedPage = 64

// waitsBehind is the reason of events that weren't tried.
const waitsBehind = "waits behind an earlier event of its resource"

var errTooManyParked = fmt.Errorf("bus: %d resources are parked already: it isn't the events that are at fault", maxParked)

// parking knows what a durable subscription has set aside. The journal is the truth; here is what must be known of each event that comes.
type parking struct {
	sub   *Subscription
	store Parker
	busy  atomic.Bool // something is parked

	mu      sync.Mutex
	blocked map[subject]bool // resources whose events wait
	alone   map[uint64]bool  // events that are about no resource
}

func newParking(s *Subscription, store Parker) *parking {
	return &parking{sub: s, store: store, blocked: make(map[subject]bool), alone: make(map[uint64]bool)}
}

// load learns from the journal what is parked.
func (p *parking) load(ctx context.Context) error {
	all, err := p.store.ParkedResources(ctx, p.sub.durable)
	if err != nil {
		return fmt.Errorf("bus: what %q has parked: %w", p.sub.durable, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.blocked)
	clear(p.alone)
	for _, r := range all {
		p.note(subject{r.Kind, r.ResourceID}, r.First)
	}
	p.busy.Store(len(all) > 0)
	return nil
}

// note notes that an event is parked. p.mu is held.
func (p *parking) note(of subject, seq uint64) {
	if of.id == "" {
		p.alone[seq] = true
	} else {
		p.blocked[of] = true
	}
	p.busy.Store(true)
}

// blocks reports whether an event has to wait behind one that is parked, or is parked itself.
func (p *parking) blocks(h *Header) bool {
	if p == nil || !p.busy.Load() {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.blocked[subject{h.Kind, h.ResourceID}] || p.alone[h.Seq]
}

// count is how many resources are parked.
func (p *parking) count() int {
	if p == nil {
		return 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.blocked) + len(p.alone)
}

func (p *parking) add(h *Header) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.note(subject{h.Kind, h.ResourceID}, h.Seq)
}

// insist tries again until the journal takes it; false: the subscription is closed, or runs on another server now.
func (s *Subscription) insist(do func() error) bool {
	for pause := firstBackoff; ; pause = min(2*pause, outagePause) {
		err := do()
		s.noteJournal(err)
		if err == nil {
			return true
		}
		if errors.Is(err, ErrLeaseLost) {
			s.tenure.away.Store(true)
		}
		if s.tenure.over() || !s.pauseFor(pause) {
			return false
		}
	}
}

// put sets events aside; false: the subscription was closed before the journal had taken them.
func (p *parking) put(events []Parking) bool {
	return p.sub.insist(func() error { return p.store.Park(p.sub.bus.base, p.sub.durable, events...) })
}

// park sets an event aside whose tries are over; true: the subscription goes on.
func (s *Subscription) park(h *Header, err error, tries int) bool {
	if s.parking.count() >= maxParked {
		return s.halt(*h, errors.Join(errTooManyParked, err), tries)
	}
	if !s.parking.put([]Parking{{Seq: h.Seq, Reason: err.Error(), Tries: max(tries, 1)}}) {
		return false
	}
	s.parking.add(h)
	s.noteParked(h, err, tries)
	return true
}

func (s *Subscription) noteParked(h *Header, err error, tries int) {
	more, ok := s.parkings.allow(s.bus.clock())
	if !ok {
		return
	}
	s.bus.log.Error("bus: event parked, and with it what follows of its resource", s.attrs(h, "error", err, "tries", max(tries, 1), "not_logged", more)...)
}
