package main

import (
	"errors"
	"io"
	"os"
	"strconv"
	"testing"
	"time"
)

// The rows of a backlog and of the hop from the commit are made, with as many events as CLOUDBUS_BENCH_EVENTS says.
func TestBacklogAndHopRows(t *testing.T) {
	b := &bench{rounds: 1, slice: 50 * time.Millisecond, events: 2000, progress: io.Discard, group: "resources"}
	if n, err := strconv.Atoi(os.Getenv("CLOUDBUS_BENCH_EVENTS")); err == nil {
		b.events, b.rounds, b.slice = n, 3, time.Second
	}
	dir := t.TempDir()
	if err := errors.Join(b.commitHop(dir), b.backlog(dir)); err != nil {
		t.Fatal(err)
	}
	if len(b.rows) == 0 {
		t.Fatal("no rows")
	}
	for _, r := range b.rows {
		t.Logf("%s: %.1f µs, %s %.1f µs", r.name, r.ours, r.peer, *r.theirs)
	}
}
