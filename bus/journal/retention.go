package journal

import (
	"fmt"
	"time"
)

// Retention says which events the journal may remove. The zero value keeps all of them.
//
// The oldest go first, so what is left has no holes. What a cursor hasn't passed stays, and what is younger than Horizon. Numbers are never used again.
type Retention struct {
	// Age is how long events are kept, from when they were recorded. Defaults to 0: none goes for its age.
	Age time.Duration
	// Rows is how many of the newest events are kept. Defaults to 0: none goes for being one too many.
	// An event takes about 1 KB of an SQLite file, with its indexes and a snapshot of common size.
	Rows uint64
	// Horizon is how long events are kept whatever Age and Rows say: bridges go back to them after a broker has lost its newest messages.
	// Defaults to 10 min.
	Horizon time.Duration
	// Unclaimed is how long a cursor holds events that nobody reads: it hasn't moved, and no subscription of its name runs. Defaults to 30 days.
	Unclaimed time.Duration
	// Notice is how long before that the cursor is warned of, in the log and by OnUnclaimed. Downtime doesn't shorten it. At most Unclaimed.
	// Defaults to 7 days, or Unclaimed if that is less.
	Notice time.Duration
	// OnUnclaimed is told of each cursor that is about to stop holding, once. It is called by the goroutine that removes events, and must not wait for long.
	// Defaults to nobody.
	OnUnclaimed func(Claim)
	// Every is how often the journal looks for what may go, the first time that long after Open. Defaults to 10 min.
	Every time.Duration
}

// RetentionError: a field of a Retention that is wrong.
type RetentionError struct {
	Field, Reason string
}

func (e *RetentionError) Error() string { return "journal: retention: " + e.Field + ": " + e.Reason }

// removes reports whether the policy ever removes anything.
func (r *Retention) removes() bool { return r.Age > 0 || r.Rows > 0 }

// complete checks a policy and fills in what it leaves out.
func (r Retention) complete() (Retention, error) {
	for _, f := range []struct {
		name  string
		value *time.Duration
		usual time.Duration
	}{
		{"Age", &r.Age, 0},
		{"Horizon", &r.Horizon, 10 * time.Minute},
		{"Unclaimed", &r.Unclaimed, 30 * 24 * time.Hour},
		{"Notice", &r.Notice, min(7*24*time.Hour, r.Unclaimed)},
		{"Every", &r.Every, 10 * time.Minute},
	} {
		if *f.value < 0 {
			return r, &RetentionError{Field: f.name, Reason: fmt.Sprintf("%v is below 0", *f.value)}
		}
		if *f.value == 0 {
			*f.value = f.usual
		}
	}
	if r.Notice == 0 {
		r.Notice = 7 * 24 * time.Hour
	}
	if r.Notice > r.Unclaimed {
		return r, &RetentionError{Field: "Notice", Reason: fmt.Sprintf("%v is more than Unclaimed, %v", r.Notice, r.Unclaimed)}
	}
	return r, nil
}
