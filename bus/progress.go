package bus

import "sync"

// progress follows the events that a reader has handed to its lanes: the position is where everything below is done, in whatever order that happened.
type progress struct {
	moved chan struct{} // capacity 1: the position has risen

	mu      sync.Mutex
	entries []entry
	first   uint64 // ticket of entries[0]
	done    uint64 // the position
	missing uint64 // nothing is there up to here, which is still to be told with the next event: the position stays before it
	waiters []waiter
}

type entry struct {
	seq  uint64
	done bool
}

type waiter struct {
	seq  uint64
	done chan struct{}
}

func newProgress(at uint64) *progress {
	return &progress{moved: make(chan struct{}, 1), first: 1, done: at}
}

// begin returns the ticket of an event that is handed over.
func (p *progress) begin(seq uint64) uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.entries = append(p.entries, entry{seq: seq})
	return p.first + uint64(len(p.entries)) - 1
}

// cancel takes the ticket back that was given last.
func (p *progress) cancel(ticket uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.entries = p.entries[:ticket-p.first]
}

// complete says that the event of a ticket is done.
func (p *progress) complete(ticket uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.entries[ticket-p.first].done = true
	p.advance()
}

// skip says that nobody wants the event seq.
func (p *progress) skip(seq uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.entries); n > 0 && p.entries[n-1].done {
		p.entries[n-1].seq = seq
		return
	}
	p.entries = append(p.entries, entry{seq: seq, done: true})
	p.advance()
}

func (p *progress) advance() {
	n := 0
	for n < len(p.entries) && p.entries[n].done {
		p.done = p.entries[n].seq
		n++
	}
	if n == 0 {
		return
	}
	p.entries = p.entries[n:]
	p.first += uint64(n)
	p.waiters = releaseWaiters(p.waiters, p.reach())
	select {
	case p.moved <- struct{}{}:
	default:
	}
}

// miss says that up to seq there is nothing left to do, though the position can't rise before that was told.
func (p *progress) miss(seq uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.missing = seq
	p.waiters = releaseWaiters(p.waiters, p.reach())
}

// reach is how far all is done that can be done. p.mu is held.
func (p *progress) reach() uint64 {
	if len(p.entries) > 0 {
		return p.done
	}
	return max(p.done, p.missing)
}

func (p *progress) position() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.done
}

// reached returns a channel that is closed when the position is at least seq.
func (p *progress) reached(seq uint64) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	done := make(chan struct{})
	if p.reach() >= seq {
		close(done)
		return done
	}
	p.waiters = append(p.waiters, waiter{seq: seq, done: done})
	return done
}

// releaseWaiters closes the channels of those that waited for a position up to at.
func releaseWaiters(waiters []waiter, at uint64) []waiter {
	keep := waiters[:0]
	for _, w := range waiters {
		if w.seq <= at {
			close(w.done)
		} else {
			keep = append(keep, w)
		}
	}
	clear(waiters[len(keep):])
	return keep
}
