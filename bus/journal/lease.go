package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// A lease is a row with a holder, a fence that rises with each holder, and a time by the database's clock. Who stores a cursor locks the row FOR KEY SHARE
// and looks at the fence, which begins with the microseconds since 1970: those of a row that Forget has removed were lower; because (name, fence) is a key, the update by a new holder
// waits for that lock, and an extension of the lease doesn't.
const (
	takeLease = `INSERT INTO leases (name, holder, fence, until)
		VALUES ($1, $2, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, clock_timestamp() + $3::bigint * interval '1 microsecond')
		ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, fence = leases.fence + 1, until = excluded.until
		WHERE leases.until < clock_timestamp() RETURNING fence`
	lookAtLease  = "SELECT holder FROM leases WHERE name = $1"
	extendLeases = "UPDATE leases SET until = clock_timestamp() + $2::bigint * interval '1 microsecond' WHERE holder = $1 RETURNING name, fence"
	releaseLease = "UPDATE leases SET holder = '', until = '-infinity' WHERE name = $1 AND fence = $2"
	dropLease    = "DELETE FROM leases WHERE name = $1 AND until < clock_timestamp()"
	// checkLease finds who had the lease last, and whether it is valid, and keeps the row from being taken until the transaction ends: also one that nobody has.
	checkLease = "SELECT holder, until >= clock_timestamp() FROM leases WHERE name = $1 FOR KEY SHARE"
	// leaveLease is the row of a name that never had one, for checkLease to lock.
	leaveLease = `INSERT INTO leases (name, holder, fence, until)
		VALUES ($1, '', (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, '-infinity') ON CONFLICT DO NOTHING`
	checkFence = "SELECT fence FROM leases WHERE name = $1 AND fence = $2 FOR KEY SHARE"
)

// lease implements bus.Lease.
type lease struct {
	of    *leases
	name  string
	fence int64
	until time.Time // by our clock, read before the database was asked; leases.mu
	lost  chan struct{}
	over  bool // lost is closed; leases.mu
}

// Lease waits for the lease of a durable name, on a database that several servers share; on another it returns nil. See bus.Leaser.
func (j *Journal) Lease(ctx context.Context, name string, busy func(holder string)) (bus.Lease, error) {
	if j.leases == nil {
		return nil, nil
	}
	for {
		freed := j.leases.freed(name)
		l, holder, err := j.leases.take(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("journal: lease of %q: %w", name, j.line.classify(err))
		}
		if l != nil {
			return l, nil
		}
		if busy != nil {
			busy(holder)
		}
		retry := time.NewTimer(j.leases.length / 5)
		select {
		case <-freed:
		case <-retry.C:
		case <-ctx.Done():
		}
		retry.Stop()
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
}

// take tries to get the lease; if another server has it, it says which.
func (s *leases) take(ctx context.Context, name string) (*lease, string, error) {
	if err := s.mayTake(name); err != nil {
		return nil, "", err
	}
	l := &lease{of: s, name: name, until: time.Now().Add(s.length), lost: make(chan struct{})}
	err := s.db().QueryRowContext(ctx, takeLease, name, s.holder, s.length.Microseconds()).Scan(&l.fence)
	switch {
	case err == nil:
		return l, "", s.hold(ctx, l)
	case errors.Is(err, sql.ErrNoRows), errors.Is(s.j.line.classify(err), ErrBusy): // who has it may just be storing a cursor
		var holder string
		err := s.db().QueryRowContext(ctx, lookAtLease, name).Scan(&holder)
		if errors.Is(err, sql.ErrNoRows) {
			err = nil // whoever moves its cursor keeps the name from being taken for the first time
		}
		return nil, holder, err
	}
	return nil, "", err
}

// Lost implements bus.Lease.
func (l *lease) Lost() <-chan struct{} { return l.lost }

// Release implements bus.Lease.
func (l *lease) Release(ctx context.Context) error {
	if !l.of.drop(l) {
		return nil
	}
	_, err := l.of.db().ExecContext(ctx, releaseLease, l.name, l.fence)
	if err != nil {
		return fmt.Errorf("journal: release the lease of %q: %w", l.name, l.of.j.line.classify(err))
	}
	l.of.j.hints.freed(l.name)
	return nil
}

// storeFor stores what a durable name leaves in the journal beside its cursor, as a background member that may do so. what is for the log.
func (j *Journal) storeFor(ctx context.Context, name, what string, do func(*Tx) error) error {
	return j.Do(ctx, func(t *Tx) error {
		if err := t.mayStore(name, false); err != nil {
			return err
		}
		return do(t)
	}, Background(), Named(what+name))
}

// mayStore makes sure that the cursor of a durable name is this server's to be stored, until the transaction ends: it has the lease,
// or nobody has and must says that it needn't.
func (t *Tx) mayStore(name string, must bool) error {
	if t.j.leases == nil {
		return nil
	}
	l := t.j.leases.find(name)
	var err error
	switch {
	case l != nil:
		var fence int64
		err = t.QueryRow(checkFence, []any{name, l.fence}, &fence)
		if errors.Is(err, sql.ErrNoRows) {
			t.j.leases.lose(l)
			return fmt.Errorf("journal: cursor %q: %w", name, bus.ErrLeaseLost)
		}
	case must:
		return fmt.Errorf("journal: cursor %q: %w", name, bus.ErrLeaseLost)
	default:
		err = t.free(name)
	}
	return err
}

// keepFree makes sure that no other server runs the durable name, nor begins to, until the transaction ends: also one that none has run yet.
func (t *Tx) keepFree(name string) error {
	if t.j.leases == nil {
		return nil
	}
	if _, err := t.Exec(leaveLease, name); err != nil {
		return err
	}
	return t.free(name)
}

// free makes sure that no other server runs the durable name, until the transaction ends. A name that never ran may be begun meanwhile.
func (t *Tx) free(name string) error {
	if t.j.leases == nil {
		return nil
	}
	var holder string
	var valid bool
	err := t.QueryRow(checkLease, []any{name}, &holder, &valid)
	switch {
	case errors.Is(err, sql.ErrNoRows), err == nil && (!valid || holder == t.j.leases.holder):
		return nil
	case err == nil:
		return fmt.Errorf("journal: cursor %q: %w (%s)", name, bus.ErrLeaseLost, holder)
	}
	return err
}

// Tenure is the number of the turn in which this server runs a durable name, as far as it knows: each server that takes the name has a higher one.
// It is 0 if another server runs it, or none, and always on a database that belongs to one process.
func (j *Journal) Tenure(name string) int64 { return j.leases.fence(name) }

// InTenure makes sure, until the transaction ends, that no server has taken a durable name since this one had the turn: bus.ErrLeaseLost.
// It holds for a name that this server has given back, until another takes it.
func (t *Tx) InTenure(name string, turn int64) error {
	if t.j.leases == nil {
		return nil
	}
	err := t.QueryRow(checkFence, []any{name, turn}, &turn)
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("journal: turn %d of %q: %w", turn, name, bus.ErrLeaseLost)
	}
	return err
}

// forgetLease removes a lease that nobody has.
func (t *Tx) forgetLease(name string) error {
	if t.j.leases == nil {
		return nil
	}
	_, err := t.Exec(dropLease, name)
	return err
}

var _ bus.Leaser = (*Journal)(nil)
