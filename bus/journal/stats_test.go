package journal_test

import (
	"errors"
	"runtime"
	"sync"
	"testing"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
)

func TestWriterStatsCountMembersAndWhoWaits(t *testing.T) {
	j := withThings(t, sqlite.Options{})
	before := j.WriterStats()
	begun, goOn := make(chan struct{}), make(chan struct{})
	begin := sync.OnceFunc(func() { close(begun) }) // members may run again
	var all sync.WaitGroup
	all.Go(func() {
		_ = j.Do(t.Context(), func(tx *journal.Tx) error {
			begin()
			<-goOn
			return insert(tx, "first")
		})
	})
	<-begun
	for _, k := range []string{"a", "b"} {
		all.Go(func() { _ = j.Do(t.Context(), func(tx *journal.Tx) error { return insert(tx, k) }) })
	}
	all.Go(func() {
		_ = j.Do(t.Context(), func(tx *journal.Tx) error { return errors.Join(insert(tx, "c"), errNo) }, journal.Background())
	})
	all.Go(func() {
		_ = j.Do(t.Context(), func(tx *journal.Tx) error { return insert(tx, "d") }, journal.Background())
	})
	for s := j.WriterStats(); s.Waiting != 2 || s.WaitingBackground != 2; s = j.WriterStats() {
		runtime.Gosched()
	}
	close(goOn)
	all.Wait()
	after := j.WriterStats()
	if after.Waiting != 0 || after.WaitingBackground != 0 {
		t.Errorf("nobody waits any more: %+v", after)
	}
	got := bus.WriterStats{Members: after.Members - before.Members, Background: after.Background - before.Background, Failed: after.Failed - before.Failed}
	if want := (bus.WriterStats{Members: 4, Background: 1, Failed: 1}); got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}
	if commits := after.Commits - before.Commits; commits < 1 || commits > 4 {
		t.Errorf("%d commits of 4 members", commits)
	}
}
