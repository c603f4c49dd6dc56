package alerts

import (
	"fmt"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
)

// failureRate is the rule over a kind's operations that fail. It counts outcomes in buckets of a sixtieth of the window, so its table stays small however many there are.
type failureRate struct {
	FailureRate
	kinds map[string]operations
}

// operations of a kind: the states in which one runs, and the triggers that end one.
type operations struct {
	machine *fsm.Machine
	failed  map[fsm.Trigger]bool // false: succeeded
}

func newFailureRate(o FailureRate, machines map[string]*fsm.Machine) *failureRate {
	f := &failureRate{FailureRate: o, kinds: make(map[string]operations)}
	for kind, m := range machines {
		ends := make(map[fsm.Trigger]bool)
		spec := m.Spec()
		for _, t := range triggersOr(spec.Succeed, fsm.OperationSucceeded) {
			ends[t] = false
		}
		for _, t := range triggersOr(spec.Fail, fsm.OperationFailed) {
			ends[t] = true
		}
		f.kinds[kind] = operations{m, ends}
	}
	return f
}

func triggersOr(given []fsm.Trigger, usual fsm.Trigger) []fsm.Trigger {
	if len(given) == 0 {
		return []fsm.Trigger{usual}
	}
	return given
}

const bucketsPerWindow = 60

func (f *failureRate) bucket() time.Duration { return time.Duration(f.Window) / bucketsPerWindow }

// tally is the outcomes of a batch.
type tally map[bucketKey]*outcomes

type bucketKey struct {
	kind      string
	startedAt int64
}

type outcomes struct{ Succeeded, Failed int64 }

// count adds the outcome of an operation to a tally, if the change is one and not older than the window.
func (f *failureRate) count(t tally, c resources.Change, now time.Time) {
	ops, known := f.kinds[c.Kind]
	if !known || c.Time.Before(f.start(now)) {
		return
	}
	failed, ends := ops.failed[c.Trigger]
	if class, _ := ops.machine.Class(c.From); !ends || class != fsm.Transitional {
		return
	}
	at := min(c.Time.UnixNano(), now.UnixNano())
	key := bucketKey{c.Kind, at - at%int64(f.bucket())}
	if t[key] == nil {
		t[key] = new(outcomes)
	}
	if failed {
		t[key].Failed++
	} else {
		t[key].Succeeded++
	}
}

func (f *failureRate) start(now time.Time) time.Time { return now.Add(-time.Duration(f.Window)) }

// save writes a tally and judges the kinds it's about.
func (f *failureRate) save(tx *journal.Tx, t tally, now time.Time) error {
	failures := make(map[string]int64)
	for key, o := range t {
		err := tx.DB().Exec(`INSERT INTO alerts_outcomes (kind, started_at, succeeded, failed) VALUES (?, ?, ?, ?)
			ON CONFLICT (kind, started_at) DO UPDATE SET succeeded = alerts_outcomes.succeeded + excluded.succeeded, failed = alerts_outcomes.failed + excluded.failed`,
			key.kind, key.startedAt, o.Succeeded, o.Failed).Error
		if err != nil {
			return err
		}
		failures[key.kind] += o.Failed
	}
	for kind, failed := range failures {
		if err := f.judge(tx, kind, failed, now); err != nil {
			return err
		}
	}
	return nil
}

// judge raises, repeats or clears the alert of a kind; failed is the number of failures since it was judged last.
func (f *failureRate) judge(tx *journal.Tx, kind string, failed int64, now time.Time) error {
	if err := tx.DB().Exec("DELETE FROM alerts_outcomes WHERE kind = ? AND started_at <= ?", kind, f.start(now).Add(-f.bucket()).UnixNano()).Error; err != nil {
		return err
	}
	var sum outcomes
	err := tx.DB().Raw(`SELECT CAST(COALESCE(SUM(succeeded), 0) AS BIGINT) AS succeeded, CAST(COALESCE(SUM(failed), 0) AS BIGINT) AS failed
		FROM alerts_outcomes WHERE kind = ?`, kind).Scan(&sum).Error
	if err != nil {
		return err
	}
	total := sum.Failed + sum.Succeeded
	switch {
	case failed > 0 && sum.Failed >= f.MinFailures && sum.Failed*100 >= f.RaisePercent*total:
		return raiseAlert(tx, row{Name: FailureRateRule, Kind: kind, Severity: f.Severity, Message: f.message(kind, sum)}, now, failed)
	case sum.Failed == 0 || sum.Failed*100 < f.ClearPercent*total:
		return clearAlert(tx, FailureRateRule, kind, "", now)
	}
	return nil
}

func (f *failureRate) message(kind string, sum outcomes) string {
	return fmt.Sprintf("%d of %d %s operations failed within %s", sum.Failed, sum.Failed+sum.Succeeded, kind, time.Duration(f.Window))
}
