package status

import (
	"context"
	"fmt"
	"time"
)

// Stats of a reporter since it was made, and what it has now.
type Stats struct {
	Reported   uint64 // observations that Report took
	Repeated   uint64 // those of them that said what the broker knew
	Superseded uint64 // those that a newer one replaced before they were sent
	Sent       uint64 // reports that the broker acknowledged, those of resyncs included
	Resynced   uint64 // reports that were sent again though nothing had changed
	Retried    uint64 // attempts that failed and were, or will be, made again
	Rejected   uint64 // reports that the broker will never take
	Forgotten  uint64 // resources that had to make room for others; a reason for more capacity
	Known      int    // resources that the reporter has in mind
	Waiting    int    // those of them whose latest status the broker hasn't acknowledged
}

// Stats returns counts.
func (r *Reporter) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.stats
	s.Known, s.Waiting = len(r.entries), r.open
	return s
}

// AwayError: the broker takes no reports. They wait, and the reporter goes on trying.
type AwayError struct {
	Since   time.Time // of the first failure since something was acknowledged
	Waiting int       // resources whose latest status waits
	Err     error     // what the transport said last
}

func (e *AwayError) Error() string {
	return fmt.Sprintf("status: the broker takes no reports since %s, %d resources wait: %v", e.Since.UTC().Format(time.RFC3339), e.Waiting, e.Err)
}

func (e *AwayError) Unwrap() error { return e.Err }

// SpoolError: the spool keeps nothing. Reports are sent all the same, but those that wait when the process ends will be lost.
type SpoolError struct{ Err error }

func (e *SpoolError) Error() string { return fmt.Sprintf("status: the spool keeps nothing: %v", e.Err) }

func (e *SpoolError) Unwrap() error { return e.Err }

// Health is nil when reports are sent and kept. Errors: *AwayError, *SpoolError, or what the transport says. It doesn't wait for the broker.
func (r *Reporter) Health(ctx context.Context) error {
	r.mu.Lock()
	away, waiting, spool := r.outage, r.open, r.spoolErr
	r.mu.Unlock()
	switch {
	case away.err != nil:
		return &AwayError{Since: away.since, Waiting: waiting, Err: away.err}
	case spool != nil:
		return &SpoolError{Err: spool}
	}
	return r.transport.Health(ctx)
}
