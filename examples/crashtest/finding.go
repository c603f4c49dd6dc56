package main

import "fmt"

// What is checked.
const (
	checkAcknowledged = "acknowledged"
	checkVersions     = "versions"
	checkJournal      = "journal"
	checkLedger       = "ledger"
	checkExactlyOnce  = "exactly_once"
	checkAtLeastOnce  = "at_least_once"
	checkStream       = "stream"
	checkDatabase     = "database"
	checkBackup       = "backup"
	checkLife         = "life"
)

// finding is something that doesn't hold.
type finding struct {
	Check    string `json:"check"`
	Resource string `json:"resource,omitempty"`
	What     string `json:"what"`
}

// shownPerCheck is how many findings of a check are told; the others are counted.
const shownPerCheck = 5

// findings collects evidence, a bounded amount.
type findings struct {
	shown []finding
	count map[string]int // by check
}

func (f *findings) add(check, resource, format string, args ...any) {
	if f.count == nil {
		f.count = map[string]int{}
	}
	if f.count[check]++; f.count[check] <= shownPerCheck {
		f.shown = append(f.shown, finding{check, resource, fmt.Sprintf(format, args...)})
	}
}

func (f *findings) total() (n int) {
	for _, count := range f.count {
		n += count
	}
	return n
}
