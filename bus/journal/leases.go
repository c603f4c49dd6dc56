package journal

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// leases are the durable names that this process runs, on a database that several servers share. One goroutine extends them while there are any.
type leases struct {
	j      *Journal
	holder string // of this journal alone
	length time.Duration
	stop   chan struct{}
	fewer  chan struct{} // capacity 1: a lease was released
	keeper sync.WaitGroup

	appearing sync.Mutex // held while the presence is taken: it is taken by one at a time

	mu      sync.Mutex
	held    map[string]*lease        // until they are released, lost ones too
	waits   map[string]chan struct{} // closed by a hint that the lease is free
	keeping bool                     // the keeper runs
	closed  bool
}

func newLeases(j *Journal, length time.Duration) *leases {
	return &leases{
		j: j, length: length, holder: j.serverName(),
		stop: make(chan struct{}), fewer: make(chan struct{}, 1), held: make(map[string]*lease), waits: make(map[string]chan struct{}),
	}
}

// db is the writer's pool, not its connection: leases are extended while a member runs.
func (s *leases) db() *sql.DB { return s.j.line.db }

func (s *leases) mayTake(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return ErrClosed
	case s.held[name] != nil:
		return bus.ErrLeaseHeld
	}
	return nil
}

// hold keeps a lease that was taken.
func (s *leases) hold(ctx context.Context, l *lease) error {
	s.mu.Lock()
	if !s.closed && s.held[l.name] == nil {
		s.held[l.name] = l
		if !s.keeping {
			s.keeping = true
			s.keeper.Go(s.keep)
		}
		s.mu.Unlock()
		return nil
	}
	s.mu.Unlock()
	_, err := s.db().ExecContext(context.WithoutCancel(ctx), releaseLease, l.name, l.fence)
	return errors.Join(ErrClosed, err)
}

// keep extends what is held, every third of a lease's length, until nothing is.
func (s *leases) keep() {
	tick := time.NewTicker(s.length / 3)
	defer tick.Stop()
	for s.busy() {
		select {
		case <-tick.C:
			s.extend()
		case <-s.fewer:
		case <-s.stop:
			return
		}
	}
}

func (s *leases) busy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keeping = len(s.held) > 0
	return s.keeping
}

// extend extends all leases with one statement. What another server has is lost, and what couldn't be extended for a lease's length may be.
func (s *leases) extend() {
	before := s.all()
	asked := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), s.length/3)
	defer cancel()
	extended, err := s.ask(ctx)
	if err != nil {
		s.j.logger.Warn("journal: leases couldn't be extended", "error", s.j.line.classify(err))
	}
	for _, l := range before {
		switch {
		case err == nil && extended[l.name] == l.fence:
			s.mu.Lock()
			l.until = asked.Add(s.length)
			s.mu.Unlock()
		case err == nil, time.Now().After(s.until(l)):
			s.lose(l)
		}
	}
}

// ask extends, and returns the fences of what is ours.
func (s *leases) ask(ctx context.Context) (map[string]int64, error) {
	rows, err := s.db().QueryContext(ctx, extendLeases, s.holder, s.length.Microseconds())
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	fences := make(map[string]int64)
	for rows.Next() {
		var name string
		var fence int64
		if err := rows.Scan(&name, &fence); err != nil {
			return nil, err
		}
		fences[name] = fence
	}
	return fences, rows.Err()
}

func (s *leases) all() []*lease {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*lease
	for _, l := range s.held {
		if !l.over {
			all = append(all, l)
		}
	}
	return all
}

func (s *leases) until(l *lease) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return l.until
}

// lose tells the subscription that it doesn't have the lease any more.
func (s *leases) lose(l *lease) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.over {
		return
	}
	l.over = true
	close(l.lost)
	if s.held[l.name] != l {
		return
	}
	if l.name == s.j.presence {
		s.j.logger.Warn("journal: other servers may take this one for gone: it hasn't answered for too long", "name", l.name)
		return
	}
	s.j.logger.Warn("journal: a durable subscription has lost its lease", "name", l.name)
}

// drop takes a lease out; true: it is still to be given back to the database.
func (s *leases) drop(l *lease) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[l.name] != l {
		return false
	}
	delete(s.held, l.name)
	select {
	case s.fewer <- struct{}{}:
	default:
	}
	return !l.over
}

// find returns the lease that this process has, or has lost.
func (s *leases) find(name string) *lease {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held[name]
}

// fence is that of the lease that this process has, or has lost; 0 if there is none.
func (s *leases) fence(name string) int64 {
	if s == nil {
		return 0
	}
	if l := s.find(name); l != nil {
		return l.fence
	}
	return 0
}

// freed returns a channel that is closed when another server says that it has released the lease.
func (s *leases) freed(name string) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waits[name] == nil {
		s.waits[name] = make(chan struct{})
	}
	return s.waits[name]
}

// free is the hint that a lease was released.
func (s *leases) free(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ch := s.waits[name]; ch != nil {
		close(ch)
		delete(s.waits, name)
	}
}

// freeAll lets everyone who waits for a lease try.
func (s *leases) freeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, ch := range s.waits {
		close(ch)
		delete(s.waits, name)
	}
}

// close gives back what is held and stops the keeper.
func (s *leases) close(ctx context.Context) {
	if s == nil {
		return
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	close(s.stop)
	s.mu.Unlock()
	s.keeper.Wait()
	for _, l := range s.all() {
		if l.name == s.j.presence {
			s.drop(l) // it is given up, not lost
		}
		s.lose(l)
		if _, err := s.db().ExecContext(ctx, releaseLease, l.name, l.fence); err == nil { // else it ends by itself
			s.j.hints.freed(l.name)
		}
	}
}
