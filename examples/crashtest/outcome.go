package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// outcome is what the last line on standard output says.
type outcome struct {
	OK       bool    `json:"ok"`
	Database string  `json:"database"` // sqlite, postgres
	Seed     uint64  `json:"seed"`
	Kills    kills   `json:"kills"`
	Stalls   int     `json:"stalls"` // of one of several servers
	Lives    int     `json:"lives"`
	Servers  int     `json:"servers"`
	Callers  int     `json:"callers"`
	Seconds  float64 `json:"seconds"`

	Acknowledged int `json:"acknowledged"` // changes
	Resources    int `json:"resources"`
	Changes      int `json:"changes"` // in the journal
	Events       int `json:"events"`  // in the journal, those of the ledger included
	Intervals    int `json:"intervals"`
	Open         int `json:"open_intervals"`
	Counted      int `json:"counted"`
	Written      int `json:"written"`  // lines
	Repeated     int `json:"repeated"` // of them
	Replayed     int `json:"replayed"` // events that were parked
	Published    int `json:"published"`
	Removed      int `json:"removed"` // resources
	Backups      int `json:"backups"` // looked at

	Injected string   `json:"injected,omitempty"`
	Trouble  *trouble `json:"trouble,omitempty"`

	Found      int            `json:"violations"`
	FoundBy    map[string]int `json:"violations_by_check,omitempty"`
	Violations []finding      `json:"evidence,omitempty"`
	Data       string         `json:"data,omitempty"`   // the folder, if it is still there
	Schema     string         `json:"schema,omitempty"` // of PostgreSQL, if it is still there
}

// kills counts them by moment.
type kills struct {
	All     int `json:"all"`
	Opening int `json:"opening"`
	Loaded  int `json:"under_load"`
	Closing int `json:"closing"`
}

func (k *kills) add(m moment) {
	k.All++
	switch m {
	case whileOpening:
		k.Opening++
	case whileClosing:
		k.Closing++
	default:
		k.Loaded++
	}
}

// tell takes in what the evidence says.
func (o *outcome) tell(e *evidence, f *findings, took time.Duration) {
	o.Seconds = took.Round(time.Millisecond).Seconds()
	if e != nil {
		o.count(e)
	}
	o.Found, o.FoundBy, o.Violations = f.total(), f.count, f.shown
	o.OK = o.Found == 0
}

func (o *outcome) count(e *evidence) {
	for _, l := range e.Lives {
		o.Acknowledged += len(l.Acks)
		o.Written += len(l.Notes)
		o.Replayed += l.Replayed
	}
	for _, r := range e.Journal {
		if r.Change == nil {
			continue
		}
		if o.Changes++; r.Change.Action == "removed" {
			o.Removed++
		}
	}
	o.Resources, o.Events, o.Counted, o.Published = len(e.VMs), len(e.Journal), len(e.Tally), len(e.Messages)
	o.Intervals, o.Open, o.Repeated, o.Backups = len(e.Intervals), e.openIntervals(), e.repeats(), len(e.Backups)
}

func (o *outcome) print(w io.Writer) error {
	line, err := json.Marshal(o)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", line)
	return err
}
