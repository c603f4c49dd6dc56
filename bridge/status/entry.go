package status

import (
	"container/list"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
)

// resource says which one an entry is about.
type resource struct{ serviceType, id string }

// report is an observation with what tells it from others.
type report struct {
	Observation
	id       bus.ID
	sequence uint64
}

// entry is what a reporter knows of one resource. The reporter's mutex guards it.
type entry struct {
	of     resource
	latest report // newer ones take its place

	acked   Status    // what the broker has acknowledged last; "" as long as it can't be known
	flying  bool      // a report is under way
	sentAt  time.Time // when the last report set out
	changed time.Time // since when there was something to send; zero if nothing was since then

	tries    int       // that failed since the last acknowledgement
	retryAt  time.Time // no attempt before it
	resyncAt time.Time // when it is sent again though it hasn't changed

	spooled uint64 // sequence of the report that the spool has, or needn't have
	dirty   bool   // the spool has yet to be told

	open    bool          // counts among those that wait or are under way
	unkept  bool          // counts among those of them that the spool doesn't have
	settled *list.Element // in the reporter's list of those that can be forgotten; nil if it can't
	due     time.Time     // when its next turn is
	index   int           // in the queue; -1 if no turn is planned
}

// unsent reports whether the broker has yet to be told of the latest report.
func (e *entry) unsent() bool { return e.acked != e.latest.Status }

// urgent reports whether the latest report skips the window.
func (e *entry) urgent() bool { return e.latest.Status.Final() || e.latest.Status.Faulty() }

// record is what the spool keeps of e.
func (e *entry) record(now time.Time) Spooled {
	return Spooled{
		Observation: e.latest.Observation, EventID: e.latest.id, Sequence: e.latest.sequence,
		Pending: e.flying || e.unsent(), At: now.UTC(),
	}
}
