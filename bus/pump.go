package bus

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	defaultPoll = time.Second
	pumpPage    = 512
	maxBacklog  = 16 << 20 // bytes of committed records that may wait for the pump
)

// pump is the one goroutine that follows the journal's end: it puts recorded events into the tail, in journal order, shows them to live
// subscriptions, and hands them to readers that have caught up, or wakes them. It never waits for a handler.
type pump struct {
	bus   *Bus
	tail  *tail
	wake  chan struct{} // capacity 1
	stop  chan struct{}
	once  sync.Once // for stop
	done  chan struct{}
	known atomic.Uint64 // the journal's last number, as far as it is known
	pos   atomic.Uint64 // shown up to here
	warn  limiter

	mu      sync.Mutex
	err     error // of the last reading
	waiters []waiter
	arrived [][]Record // committed and not yet looked at, in order
	backlog int        // bytes that they take
}

func newPump(b *Bus, at uint64) *pump {
	p := &pump{bus: b, tail: newTail(b.opts, at), wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
	p.raise(at)
	p.pos.Store(at)
	return p
}

// committed is Attachment.Committed.
func (p *pump) committed(records []Record) {
	if len(records) == 0 {
		return
	}
	size := 0
	for i := range records {
		size += records[i].weight()
	}
	p.mu.Lock()
	if p.backlog+size <= maxBacklog { // else they are read from the journal, as what follows shows that they are missing
		p.arrived = append(p.arrived, records)
		p.backlog += size
	}
	p.mu.Unlock()
	p.notify(records[len(records)-1].Seq)
}

// arrivals takes what was committed since the last call.
func (p *pump) arrivals() [][]Record {
	p.mu.Lock()
	defer p.mu.Unlock()
	groups := p.arrived
	p.arrived, p.backlog = nil, 0
	return groups
}

// hasArrived reports whether there is something to take.
func (p *pump) hasArrived() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.arrived) > 0
}

// behind reports whether more is known of than was shown. What was committed here is known only when it has arrived.
func (p *pump) behind() bool { return p.known.Load() > p.pos.Load() }

// notify is Attachment.Wake.
func (p *pump) notify(last uint64) {
	p.raise(last)
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

func (p *pump) raise(last uint64) {
	for {
		old := p.known.Load()
		if last <= old || p.known.CompareAndSwap(old, last) {
			return
		}
	}
}

// newest is the newest number that is known: what is recorded later is news for who subscribes now.
func (p *pump) newest() uint64 { return max(p.known.Load(), p.pos.Load()) }

func (p *pump) halt() { p.once.Do(func() { close(p.stop) }) }

func (p *pump) run(poll time.Duration) {
	defer close(p.done)
	timer := time.NewTimer(poll)
	defer timer.Stop()
	backoff := firstBackoff
	for look := true; ; {
		if err := p.pass(look); err != nil {
			timer.Reset(min(backoff, longestPause))
			backoff *= 2
		} else if look {
			timer.Reset(poll)
			backoff = firstBackoff
		}
		select {
		case <-p.stop:
			return
		case <-p.wake:
			look = false
		case <-timer.C:
			look = true
		}
	}
}

// pass shows what has arrived, and reads the journal if there is more, or if it is to be looked at.
func (p *pump) pass(look bool) error {
	err := p.showArrived()
	for err == nil && p.behind() && p.hasArrived() { // committed meanwhile: there is nothing to be read
		err = p.showArrived()
	}
	if err == nil && (look || p.behind()) {
		err = p.readAll()
	}
	p.mu.Lock()
	p.err = err
	p.mu.Unlock()
	if err != nil {
		if _, ok := p.warn.allow(p.bus.clock()); ok {
			p.bus.log.Error("bus: the journal can't be read, trying again", "after", p.pos.Load(), "error", err)
		}
	}
	return err
}

// showArrived shows what was committed here. What is missing before it is read from the journal: other servers' rows, or what there was no room for.
func (p *pump) showArrived() error {
	for _, records := range p.arrivals() {
		now := p.bus.clock().UnixNano()
		for i := range records {
			r := &records[i]
			if r.Seq > p.pos.Load()+1 {
				if err := p.readAll(); err != nil {
					return err
				}
			}
			if r.Seq == p.pos.Load()+1 { // else it was read
				p.show(r, now)
			}
		}
	}
	return nil
}

func (p *pump) show(r *Record, now int64) {
	p.tail.add(r)
	p.bus.show(r, now)
	p.moved(r.Seq)
}

func (p *pump) readAll() error {
	for {
		select {
		case <-p.stop:
			return nil
		default:
		}
		records, err := p.bus.journal.Read(p.bus.base, p.pos.Load(), pumpPage)
		if err != nil {
			return err
		}
		if err := p.check(records); err != nil {
			return err
		}
		now := p.bus.clock().UnixNano()
		for i := range records {
			p.show(&records[i], now)
		}
		if len(records) < pumpPage {
			return nil
		}
	}
}

// check makes sure that nothing is skipped in silence.
func (p *pump) check(records []Record) error {
	switch {
	case len(records) > 0:
		if err := contiguous(records, p.pos.Load()); err != nil {
			return err
		}
		p.missed(records[0].Seq)
	case p.known.Load() > p.pos.Load(): // was it taken away already?
		first, _, err := p.bus.journal.Bounds(p.bus.base)
		if err != nil {
			return err
		}
		p.missed(first)
	}
	return nil
}

// missed tells live subscriptions what retention has taken away before the number first, if it was never shown.
func (p *pump) missed(first uint64) {
	next := p.pos.Load() + 1
	if first <= next {
		return
	}
	p.bus.log.Warn("bus: events were removed from the journal before they had been shown", "first_seq", next, "last_seq", first-1)
	gap := Gap{Count: first - next, FirstSeq: next, LastSeq: first - 1, Since: p.bus.now()}
	for _, s := range p.bus.live() {
		s.dropped.Add(gap.Count)
		s.inner.miss(gap)
	}
	p.tail.skip(first)
	p.moved(first - 1)
	for _, s := range *p.bus.readers.Load() {
		s.inner.look()
	}
}

func (p *pump) moved(seq uint64) {
	p.raise(seq)
	p.pos.Store(seq)
	p.mu.Lock()
	p.waiters = releaseWaiters(p.waiters, seq)
	p.mu.Unlock()
}

// reached returns a channel that is closed when the pump has shown everything up to seq.
func (p *pump) reached(seq uint64) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	done := make(chan struct{})
	if p.pos.Load() >= seq {
		close(done)
		return done
	}
	p.waiters = append(p.waiters, waiter{seq: seq, done: done})
	return done
}

func (p *pump) lastErr() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}
