package status

import "time"

// outage is the time in which the broker takes nothing.
type outage struct {
	since   time.Time // of the first failure; zero if all is well
	err     error     // the latest failure
	waiting time.Time // since when the transport is waited for to be ready; zero if it isn't
}

// closePatience is how long a reporter with a spool waits for a broker that is away before Close leaves the rest to the spool.
const closePatience = 250 * time.Millisecond

// held reports whether nothing is sent because the transport isn't ready.
func (o *outage) held() bool { return !o.waiting.IsZero() }

// begin notes a failure; true if all was well before.
func (o *outage) begin(err error, now time.Time) bool {
	o.err = err
	if !o.since.IsZero() {
		return false
	}
	o.since = now
	return true
}

// endOutage expects the reporter's mutex to be held, and the broker to have taken something.
func (r *Reporter) endOutage(now time.Time) {
	if r.outage.since.IsZero() {
		return
	}
	r.log.Info("status: the broker takes reports again", "after", now.Sub(r.outage.since).Round(time.Millisecond), "waiting", r.open)
	r.outage.since, r.outage.err = time.Time{}, nil
}
