package bus

import "time"

// Inspection is what a bus is doing now.
type Inspection struct {
	Clients       []string
	Subscriptions []Info
	Published     uint64 // live events since New
	JournalLast   uint64 // the newest recorded event that is known
	JournalShown  uint64 // live subscriptions have been offered everything up to here
	JournalErr    error  // why the journal can't be read at the moment
}

// Info is what a subscription is doing now.
type Info struct {
	Number   uint64 // tells it from all others that the bus has had
	Name     string
	Client   string
	Site     string // where it was made: folder/file.go:line
	Payload  string // the Go type
	Filter   string // type=vm.> tenant=acme
	Kind     string // live, from, durable, batch
	Policy   string // what a full queue does; live ones
	State    string // running, standby, closing, halted
	RunsAt   string // the server that a durable one on standby waits for
	Err      error  // why it halted, or its last failure
	Lanes    int
	Capacity int

	Depth      int           // events in its queue
	OldestFor  time.Duration // how long the oldest of them has waited
	RunningFor time.Duration // how long a handler has been running; 0: none is
	Position   uint64        // all recorded events up to here are done; those that read the journal
	Lag        uint64        // recorded events it still has to look at; those that read the journal
	Parked     int           // resources whose events are set aside (an event that is about no resource counts as one)

	Delivered   uint64 // handled; those of fast handlers are counted 32 at a time, or when the queue is empty
	Dropped     uint64
	Coalesced   uint64
	Failed      uint64 // failed tries
	Retried     uint64
	LiveIgnored uint64 // live events that a durable one would have matched

	Slowest    time.Duration // longest call of the handler; those under 2 µs are timed 32 at a time
	SlowestFor string        // and of which event type
}

// Inspect returns a snapshot for people: the numbers of different subscriptions are not taken at one instant.
func (b *Bus) Inspect() Inspection {
	var i Inspection
	b.mu.Lock()
	for _, c := range b.clients {
		i.Clients = append(i.Clients, c.name)
	}
	i.Published = b.countPublished()
	b.mu.Unlock()
	if b.pump != nil {
		i.JournalLast, i.JournalShown, i.JournalErr = b.pump.newest(), b.pump.pos.Load(), b.pump.lastErr()
	}
	for _, s := range b.listed() {
		i.Subscriptions = append(i.Subscriptions, s.Inspect())
	}
	return i
}

// countPublished counts the live events; it never falls, though one that fails is counted until it has. b.mu is held.
func (b *Bus) countPublished() uint64 {
	n := uint64(0)
	for _, t := range *b.topics.Load() {
		n += t.published()
	}
	for _, t := range b.retired {
		n += t.published()
	}
	b.counted = max(b.counted, n)
	return b.counted
}

// Inspect returns what the subscription is doing now.
func (s *Subscription) Inspect() Info {
	i := Info{
		Number: s.order, Name: s.name, Client: s.client.name, Site: s.site, Payload: s.goType.String(), Filter: s.filter.String(),
		Kind: s.mode.String(), Lanes: s.lanes, Capacity: s.capacity, State: "running",
		Delivered: s.delivered.Load(), Dropped: s.dropped.Load(), Coalesced: s.coalesced.Load(),
		Failed: s.failed.Load(), Retried: s.retried.Load(), LiveIgnored: s.live.Load(),
	}
	if !s.mode.stored() {
		i.Policy = s.policy.String()
	}
	depth, oldest, running := s.inner.state()
	i.Depth, i.OldestFor, i.RunningFor = depth, since(s.bus.clock().UnixNano(), oldest), since(ticks(), running)
	if at, ok := s.inner.position(); ok {
		i.Position = at
		if last := s.bus.pump.newest(); last > at {
			i.Lag = last - at
		}
	}
	i.Parked = s.parking.count()
	s.mu.Lock()
	defer s.mu.Unlock()
	i.Slowest, i.SlowestFor, i.Err = s.slowest, s.slowestFor, s.lastErr
	if s.journalErr != nil {
		i.Err = s.journalErr
	}
	if s.tenure.away.Load() {
		i.State, i.RunsAt = "standby", s.tenure.runner()
	}
	if s.closed {
		i.State = "closing"
	}
	if s.err != nil {
		i.State, i.Err = "halted", s.err
	}
	return i
}

func since(now, then int64) time.Duration {
	if then == 0 {
		return 0
	}
	return time.Duration(max(now-then, 0))
}
