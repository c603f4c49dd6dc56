package alerts

import (
	"fmt"
	"slices"
	"time"

	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
)

// failureRate is a rule over a kind's operations that fail. It counts outcomes in buckets of a sixtieth of the window, so its table stays small however many there are.
type failureRate struct {
	*Rule
	kinds map[string]operations
}

// operations of a kind: the states in which one runs, and the triggers that end one.
type operations struct {
	machine *fsm.Machine
	failed  map[fsm.Trigger]bool // false: succeeded
	states  []fsm.State          // of the operations that count; nil: all
}

func newFailureRate(r *Rule, w *world) *failureRate {
	f := &failureRate{Rule: r, kinds: make(map[string]operations)}
	for name, k := range w.kinds {
		if !r.isAbout(name) {
			continue
		}
		ends := make(map[fsm.Trigger]bool)
		spec := k.machine.Spec()
		for _, t := range triggersOr(spec.Succeed, fsm.OperationSucceeded) {
			ends[t] = false
		}
		for _, t := range triggersOr(spec.Fail, fsm.OperationFailed) {
			ends[t] = true
		}
		f.kinds[name] = operations{k.machine, ends, r.operations(k.machine)}
	}
	return f
}

// operations lists the states of the operations that the rule counts; nil: all.
func (r *Rule) operations(m *fsm.Machine) []fsm.State {
	if len(r.Triggers) == 0 {
		return r.States
	}
	begun := []fsm.State{}
	for _, t := range r.Triggers {
		for _, s := range operationsOf(m, t) {
			if r.hasState(s) {
				begun = append(begun, s)
			}
		}
	}
	return begun
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

// count adds the outcome of an operation to the session's, if the change is one and not older than the window.
func (f *failureRate) count(s *session, c resources.Change) {
	ops, known := f.kinds[c.Kind]
	if !known || c.Time.Before(f.start(s.now)) {
		return
	}
	failed, ends := ops.failed[c.Trigger]
	if class, _ := ops.machine.Class(c.From); !ends || class != fsm.Transitional || ops.states != nil && !slices.Contains(ops.states, c.From) {
		return
	}
	t := s.outcomes[f.Name]
	if t == nil {
		t = make(tally)
		s.outcomes[f.Name] = t
	}
	at := min(c.Time.UnixNano(), s.now.UnixNano())
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

// settle writes the outcomes of the session and judges the kinds they are about.
func (f *failureRate) settle(s *session) error {
	t := s.outcomes[f.Name]
	failures := make(map[string]int64)
	for key, o := range t {
		err := s.tx.DB().Exec(`INSERT INTO alerts_rates (rule, kind, started_at, succeeded, failed) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (rule, kind, started_at) DO UPDATE SET succeeded = alerts_rates.succeeded + excluded.succeeded, failed = alerts_rates.failed + excluded.failed`,
			f.Name, key.kind, key.startedAt, o.Succeeded, o.Failed).Error
		if err != nil {
			return err
		}
		failures[key.kind] += o.Failed
	}
	for _, kind := range sortedKeys(failures) {
		if err := f.judge(s, kind, failures[kind]); err != nil {
			return err
		}
	}
	if len(t) > 0 {
		s.wake(s.now.UnixNano())
	}
	return nil
}

// judge raises, repeats or clears the alert of a kind; failed is the number of failures since it was judged last.
func (f *failureRate) judge(s *session, kind string, failed int64) error {
	db := s.tx.DB()
	if err := db.Exec("DELETE FROM alerts_rates WHERE rule = ? AND kind = ? AND started_at <= ?", f.Name, kind, f.start(s.now).Add(-f.bucket()).UnixNano()).Error; err != nil {
		return err
	}
	var sum outcomes
	err := db.Raw(`SELECT CAST(COALESCE(SUM(succeeded), 0) AS BIGINT) AS succeeded, CAST(COALESCE(SUM(failed), 0) AS BIGINT) AS failed
		FROM alerts_rates WHERE rule = ? AND kind = ?`, f.Name, kind).Scan(&sum).Error
	if err != nil {
		return err
	}
	total := sum.Failed + sum.Succeeded
	switch {
	case failed > 0 && sum.Failed >= f.MinFailures && sum.Failed*100 >= f.RaisePercent*total:
		return s.raise(f.Rule, about{kind: kind}, f.message(kind, sum), s.now, failed)
	case sum.Failed == 0 || sum.Failed*100 < f.ClearPercent*total:
		return s.clear(f.Name, about{kind: kind}, s.now)
	}
	return nil
}

func (f *failureRate) message(kind string, sum outcomes) string {
	return fmt.Sprintf("%d of %d %s operations failed within %s", sum.Failed, sum.Failed+sum.Succeeded, kind, time.Duration(f.Window))
}

// heal judges the kinds with an active alert, which time may clear, and returns when to do it again; 0 if there is none.
func (f *failureRate) heal(s *session) (next int64, err error) {
	var kinds []string
	if err := s.tx.DB().Model(&row{}).Where("name = ? AND cleared_at = 0", f.Name).Order("kind").Pluck("kind", &kinds).Error; err != nil {
		return 0, err
	}
	for _, kind := range kinds {
		if err := f.judge(s, kind, 0); err != nil {
			return 0, err
		}
		next = s.now.Add(f.bucket()).UnixNano()
	}
	return next, nil
}
