package status

import (
	"errors"
	"time"

	"github.com/cloudbus-go/cloudbus/bridge"
	"github.com/cloudbus-go/cloudbus/resources"
)

// Reasons of a server, beside those of the decoder.
const (
	AheadOfTime Reason = "ahead_of_time" // observed more than a day from now: a clock is wrong, and nothing after it would be newer
	Unstorable  Reason = "unstorable"    // the database won't take it, though it takes others
)

// item is one report on its way into the database.
type item struct {
	letter   bridge.Delivery
	report   Report
	mark     mark
	intake   *intake
	rejected *RejectError
	owner    string // whose the resource is, if another provider reported it
	fromHeld bool   // it is a held observation whose turn has come, and since when it was held, and whether it was reported as an orphan
	heldAt   int64
	orphaned bool

	prev, next *row    // what is stored before it, and after it
	outcome    outcome // of the run that counts
	shot       bool    // a run has fired it
}

// outcome is what became of an item.
type outcome uint8

const (
	applied outcome = iota
	isHeld
	stale
	duplicate
	isRejected
)

const maxAhead = 24 * time.Hour

// decode reads a message and checks all that can be checked without the database.
func (i *Ingest) decode(d *bridge.Delivery) *item {
	it := &item{letter: *d}
	var err error
	if it.report, err = i.decoder.Decode(d.Letter); err == nil {
		err = i.check(it)
	}
	var rejected *RejectError
	switch {
	case errors.As(err, &rejected):
		it.reject(rejected)
	case err != nil:
		it.reject(&RejectError{Reason: BadAttribute, Detail: err.Error()})
	}
	it.mark = markOf(&it.report, d.Seq, d.Time.UnixNano())
	if it.mark.sequence > i.runtime.Now().Add(maxAhead).UnixNano() {
		it.mark.sequence = 0 // of a clock that is wrong: all later ones would be older
	}
	return it
}

// check checks what the decoder doesn't know.
func (i *Ingest) check(it *item) error {
	r := &it.report
	it.intake = i.intakes[r.ServiceType]
	if it.intake == nil {
		return reject(UnknownType, "service type %q is about the kind %q, which this server doesn't have", r.ServiceType, r.Kind)
	}
	if reason := resources.IDFault(r.ResourceID); reason != "" {
		return reject(NoResourceID, "data: id %s", reason)
	}
	if ahead := r.Time.Sub(i.runtime.Now()); ahead > maxAhead {
		return reject(AheadOfTime, "observed at %s, %s from now", r.Time.Format(time.RFC3339), ahead.Round(time.Second))
	}
	return meets(it.intake.schema, r.Data)
}

func (it *item) reject(why *RejectError) { it.rejected, it.outcome = why, isRejected }

func (it *item) place() place { return place{it.report.Kind, it.report.ResourceID} }

// row is what the item writes, as far as it doesn't depend on what is there.
func (it *item) row(now int64) *row {
	r := &it.report
	return &row{
		kind: r.Kind, id: r.ResourceID, provider: r.Provider, serviceType: r.ServiceType, status: r.Status, raw: r.Raw, message: r.Message,
		mark: it.mark, received: now, changed: it.mark.time, revision: 1,
	}
}

const providerActor = "provider:"

// actor is who a move is said to come from.
func (it *item) actor() string { return clean(providerActor+it.report.Provider, 255) }

// options of the move. It happened when it was observed, but not in the future.
func (it *item) options(now time.Time) []resources.Option {
	o := []resources.Option{resources.Actor(it.actor()), resources.Reason(clean(it.report.Message, 1024))}
	if at := time.Unix(0, it.mark.time); at.Before(now) && at.After(time.Unix(0, 0)) {
		o = append(o, resources.At(at))
	}
	return o
}
