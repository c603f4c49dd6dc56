package main

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/fsm"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// outcome is what firing a trigger of a report came to.
type outcome string

const (
	moved     outcome = "moved"
	unchanged outcome = "unchanged" // nothing new
	refused   outcome = "refused"   // not possible in the VM's state
)

// line identifies a line of a log, whatever file it lies in: Nth counts the lines of a file that say the same at the same time.
type line struct {
	report
	Nth int
}

// replayed is the server's own table of what was fired already. A row is written in the transaction of the move that it is
// about, so that a log can be replayed again, after a crash or with more lines in it, without anything happening twice.
type replayed struct{ journal *journal.Journal }

// openReplayed makes the table ready.
func openReplayed(ctx context.Context, j *journal.Journal) (replayed, error) {
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return replayed{}, err
	}
	return replayed{j}, j.Migrate(ctx, "server", files)
}

// outcomes returns what a line's triggers came to, as far as they were fired.
func (r replayed) outcomes(ctx context.Context, l line) (map[fsm.Trigger]outcome, error) {
	var rows []struct {
		TriggerName fsm.Trigger
		Outcome     outcome
	}
	err := r.journal.DB().WithContext(ctx).
		Raw("SELECT trigger_name, outcome FROM replayed WHERE instance = ? AND at = ? AND sighting = ? AND nth = ?",
			l.Instance.String(), l.At.UnixNano(), int(l.What), l.Nth).
		Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("read what was replayed: %w", err)
	}
	known := make(map[fsm.Trigger]outcome, len(rows))
	for _, row := range rows {
		known[row.TriggerName] = row.Outcome
	}
	return known, nil
}

// noted is the outcome of a line's trigger.
type noted struct {
	line
	on      fsm.Trigger
	outcome outcome
}

// note writes outcomes as a part of tx.
func (replayed) note(tx *journal.Tx, outcomes ...noted) error {
	for _, n := range outcomes {
		err := tx.DB().Exec("INSERT INTO replayed (instance, at, sighting, nth, trigger_name, outcome) VALUES (?, ?, ?, ?, ?, ?)",
			n.Instance.String(), n.At.UnixNano(), int(n.What), n.Nth, string(n.on), string(n.outcome)).Error
		if err != nil {
			return fmt.Errorf("note what was replayed: %w", err)
		}
	}
	return nil
}
