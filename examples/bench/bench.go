package main

import (
	"fmt"
	"io"
	"time"
)

// bench holds what was asked for, and the rows so far.
type bench struct {
	rounds    int           // that count
	slice     time.Duration // of each contender in each round
	resources int
	events    int           // in the journal
	idle      int           // resources of the row about memory
	intervals int           // in the ledger of usage
	logged    int           // events in the large event log
	logs      string        // a directory where event logs stay; "": none do
	away      time.Duration // how long the broker is away
	profile   string        // a directory; "": none is written
	progress  io.Writer

	group string // of the rows that are being made
	rows  []row
}

// groups are what can be run, in order.
var groups = []struct {
	name string
	run  func(*bench) error
}{
	{"bus", (*bench).bus},
	{"fsm", (*bench).fsm},
	{"resources", (*bench).moves},
	{"listeners", (*bench).listened},
	{"usage", (*bench).usage},
	{"eventlog", (*bench).eventLogs},
	{"bridge", (*bench).bridged},
}

// run runs a group, or all of them.
func (b *bench) run(only string) error {
	for _, g := range groups {
		if only != "" && only != g.name {
			continue
		}
		b.group = g.name
		if err := g.run(b); err != nil {
			return fmt.Errorf("%s: %w", g.name, err)
		}
	}
	return nil
}

// say tells what is being measured.
func (b *bench) say(what string) {
	_, _ = fmt.Fprintf(b.progress, "%s: %s\n", b.group, what)
}
