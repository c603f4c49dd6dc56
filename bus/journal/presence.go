package journal

import (
	"context"
	"fmt"
	"os"
	"time"
)

// A server's presence is a lease of its own name, which nobody else ever takes: what a server leaves open in the database names it, and
// others know by the lease whether it is still there. A row that has been out of date for a day is removed by whoever appears next.
const (
	takePresence = `INSERT INTO leases (name, holder, fence, until)
		VALUES ($1, $2, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, clock_timestamp() + $3::bigint * interval '1 microsecond')
		ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, fence = leases.fence + 1, until = excluded.until RETURNING fence`
	lookForPresence = "SELECT count(*) FROM leases WHERE name = $1 AND until >= clock_timestamp()"
	forgetPresences = "DELETE FROM leases WHERE name LIKE '" + presencePrefix + "%' AND until < clock_timestamp() - interval '1 day'"
	presencePrefix  = "server "
)

// serverName names this process and this journal of it.
func (j *Journal) serverName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	return fmt.Sprintf("%s, process %d (%s)", host, os.Getpid(), j.instance)
}

// Presence returns the name of this server, for rows that are to be taken care of when it is gone, and makes sure that others see it is there.
// On a database that belongs to one process it is there until Close. On one that several servers share it is there until Close, or until it hasn't
// answered for Options.Lease; its rows may then be taken care of by any server, and Presence makes it be there again.
func (j *Journal) Presence(ctx context.Context) (name string, err error) {
	if j.leases == nil {
		return j.presence, nil
	}
	if err := j.leases.appear(ctx, j.presence); err != nil {
		return "", fmt.Errorf("journal: presence of this server: %w", j.line.classify(err))
	}
	return j.presence, nil
}

// PresenceLength is how long a server may be silent before it is taken for gone; 0 on a database that belongs to one process.
func (j *Journal) PresenceLength() time.Duration {
	if j.leases == nil {
		return 0
	}
	return j.leases.length
}

// Absent returns those of the servers' names whose server is gone.
func (j *Journal) Absent(ctx context.Context, names []string) ([]string, error) {
	var gone []string
	for _, name := range names {
		there := 0
		switch {
		case name == j.presence && j.leases == nil:
			there = 1
		case j.leases != nil:
			if err := j.readSQL.QueryRowContext(ctx, lookForPresence, name).Scan(&there); err != nil {
				return nil, j.readError("presence", err)
			}
		}
		if there == 0 {
			gone = append(gone, name)
		}
	}
	return gone, nil
}

// Present reports whether a server is there. One that finds itself gone is to call Presence before it tries again.
func (t *Tx) Present(name string) (bool, error) {
	if t.j.leases == nil {
		return name == t.j.presence, nil
	}
	there := 0
	if err := t.QueryRow(lookForPresence, []any{name}, &there); err != nil {
		return false, err
	}
	if there == 0 && name == t.j.presence {
		if l := t.j.leases.find(name); l != nil {
			t.j.leases.lose(l)
		}
	}
	return there > 0, nil
}

// appear takes the presence's lease, unless this process has it.
func (s *leases) appear(ctx context.Context, name string) error {
	if s.has(name) {
		return nil
	}
	s.appearing.Lock()
	defer s.appearing.Unlock()
	if s.has(name) {
		return nil
	}
	if l := s.find(name); l != nil {
		s.drop(l)
	}
	if err := s.mayTake(name); err != nil {
		return err
	}
	l := &lease{of: s, name: name, until: time.Now().Add(s.length), lost: make(chan struct{})}
	if err := s.db().QueryRowContext(ctx, takePresence, name, s.holder, s.length.Microseconds()).Scan(&l.fence); err != nil {
		return err
	}
	if _, err := s.db().ExecContext(ctx, forgetPresences); err != nil {
		s.j.logger.Warn("journal: servers that are gone couldn't be forgotten", "error", s.j.line.classify(err))
	}
	return s.hold(ctx, l)
}

// has reports whether this process has the lease, as far as it knows.
func (s *leases) has(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.held[name]
	return l != nil && !l.over
}
