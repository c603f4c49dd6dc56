package eventlog_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/plugins/eventlog"
)

func (h *house) sweep(want int) {
	h.t.Helper()
	if removed, err := h.log.Sweep(h.t.Context()); err != nil || removed != want {
		h.t.Errorf("%d were removed (%v), want %d", removed, err, want)
	}
}

func TestRetentionGoesByTheFirstRuleThatFits(t *testing.T) {
	h := open(t, `{"retention": [{"type": "usage.>", "keep": "1h"}, {"type": "vm.stuck"}, {"type": "vm.>", "keep": "10h"}]}`)
	h.record(append(append(append(many(40, "usage.vm.opened"), many(30, "vm.stuck")...), many(20, "vm.created")...), many(10, "volume.created")...)...)
	h.sweep(0)
	h.clock.add(time.Hour - 1)
	h.sweep(0)
	h.clock.add(1)
	h.sweep(40)
	h.clock.add(9 * time.Hour)
	h.sweep(20)
	h.clock.add(1000 * time.Hour)
	h.sweep(0)
	counts := map[string]int{}
	for _, e := range h.all(eventlog.Query{}) {
		counts[e.Type]++
	}
	if fmt.Sprint(counts) != "map[vm.stuck:30 volume.created:10]" {
		t.Errorf("left are %v", counts)
	}
	h.checkIndex()
}

func TestArchivedEventsHaveRulesOfTheirOwn(t *testing.T) {
	h := open(t, `{"retention": [{"type": ">", "keep": "1h"}], "archived_retention": [{"type": "vm.stuck", "keep": "5h"}]}`)
	h.record(append(many(20, "vm.created"), many(20, "vm.stuck")...)...)
	for _, typ := range []string{"vm.created", "vm.stuck"} {
		if _, err := h.log.Archive(t.Context(), eventlog.Selection{Filter: &eventlog.Query{Type: typ}, Limit: 10}); err != nil {
			t.Fatal(err)
		}
	}
	h.clock.add(2 * time.Hour)
	h.sweep(20)
	h.clock.add(3 * time.Hour)
	h.sweep(10)
	h.wantEvents("all", 10)
	if _, err := h.log.Unarchive(t.Context(), eventlog.Selection{Filter: &eventlog.Query{Type: ">"}}); err != nil {
		t.Fatal(err)
	}
	h.sweep(10) // they were kept because they were archived
	if n := h.rows("eventlog_terms"); n != 0 {
		t.Errorf("an empty log has %d rows in its index", n)
	}
}

// TestAReplayBringsBackNothing: neither twice what is there, nor what retention has removed, nor what was archived.
func TestAReplayBringsBackNothing(t *testing.T) {
	const config = `{"retention": [{"type": "usage.>", "keep": "1h"}]}`
	h := open(t, config)
	h.record(append(many(50, "usage.vm.opened"), many(50, "vm.created")...)...)
	if _, err := h.log.Archive(t.Context(), eventlog.Selection{Filter: &eventlog.Query{Type: "vm.>", LastSeq: 70}}); err != nil {
		t.Fatal(err)
	}
	h.clock.add(2 * time.Hour)
	h.sweep(50)
	h.stop()
	if err := h.store.Writer().Rewind(t.Context(), eventlog.Name, 0); err != nil {
		t.Fatal(err)
	}
	h.start(config)
	h.settle()
	h.wantEvents("", 30)
	h.wantEvents(eventlog.Archived, 20)
	h.checkIndex()
}

// TestRetentionHappensByItself waits for the goroutine that sweeps.
func TestRetentionHappensByItself(t *testing.T) {
	h := open(t, `{"retention": [{"type": ">", "keep": "1s"}], "sweep_every": "1s"}`)
	h.record(many(10, "vm.created")...)
	h.clock.add(time.Minute)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for h.rows("eventlog") > 0 && ctx.Err() == nil {
		if err := h.store.Writer().Do(ctx, func(*journal.Tx) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if n := h.rows("eventlog"); n > 0 {
		t.Errorf("%d events are left", n)
	}
}
