package alerts_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/plugins/alerts"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

func TestFailureRate(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(h *house)
		want []string
	}{
		{"too few", func(h *house) { h.outcomes(0, 4) }, nil},
		{"too small a part", func(h *house) { h.outcomes(6, 0); h.outcomes(0, 5) }, nil},
		{"enough", func(h *house) { h.outcomes(5, 0); h.outcomes(0, 5) }, []string{"failure_rate 1 active"}},
		{"between the thresholds it stays", func(h *house) { h.outcomes(0, 5); h.outcomes(15, 0) }, []string{"failure_rate 1 active"}},
		{"below the lower it's cleared", func(h *house) { h.outcomes(0, 5); h.outcomes(16, 0) }, []string{"failure_rate 1 cleared"}},
		{"again", func(h *house) { h.outcomes(0, 5); h.outcomes(16, 0); h.outcomes(0, 11) }, []string{"failure_rate 1 cleared", "failure_rate 1 active"}},
		{"time heals", func(h *house) { h.outcomes(0, 5); h.later(5*time.Minute + 5*time.Second) }, []string{"failure_rate 1 cleared"}},
		{"but takes its time", func(h *house) { h.outcomes(0, 5); h.later(4 * time.Minute) }, []string{"failure_rate 1 active"}},
		{"the window moves", func(h *house) { h.outcomes(0, 4); h.later(6 * time.Minute); h.outcomes(0, 1) }, nil},
		{"old news don't count", func(h *house) {
			h.stop() // what the journal says is an hour old when it's read
			id := h.create()
			for range 6 {
				h.fire(id, vm.StartRequested, vm.OperationFailed)
			}
			h.clock.add(time.Hour)
			h.start("")
			h.settle()
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := open(t, `{"stuck": {"disabled": true}}`)
			c.do(h)
			got := h.alerts()
			for n := range got { // how many repeats there are depends on how the events come in batches
				fields := strings.Fields(got[n])
				got[n] = fields[0] + " 1 " + fields[2]
			}
			if !slices.Equal(got, append([]string{}, c.want...)) {
				t.Errorf("alerts %q, want %q", got, c.want)
			}
		})
	}
}

func TestFailureRateCountsRepeats(t *testing.T) {
	h := open(t, "")
	h.outcomes(0, 5)
	found, _, err := h.watch.List(t.Context(), alerts.Query{Active: true})
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	first := found[0]
	h.clock.add(time.Minute)
	h.outcomes(0, 3)
	found, _, err = h.watch.List(t.Context(), alerts.Query{Active: true})
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	if a := found[0]; a.Count != first.Count+3 || a.ID != first.ID || a.LastAt.Sub(a.RaisedAt) != time.Minute || a.Severity != alerts.Critical ||
		a.Message != "8 of 8 vm operations failed within 5m0s" {
		t.Errorf("alert %+v, at first %+v", a, first)
	}
	if got := h.events(); !slices.Equal(got, []string{"alert.failure_rate.raised"}) {
		t.Errorf("events %q", got)
	}
}
