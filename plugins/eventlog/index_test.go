package eventlog_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/plugins/eventlog"
)

// TestTheIndexIsExactlyWhatTheEventsSay adds, archives, takes back and removes events at random, and compares what the tables have with what they would have if
// the events that are left had just come.
func TestTheIndexIsExactlyWhatTheEventsSay(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	h := open(t, `{"retention": [{"type": "*.state.>", "keep": "1h"}, {"type": "vm.created"}, {"type": ">", "keep": "100m"}], "archived_retention": [{"type": "vm.>", "keep": "3h"}]}`)
	for range 12 {
		h.record(someEvents(r, 150)...)
		first := uint64(r.IntN(1500)) + 1
		some := eventlog.Selection{Filter: &eventlog.Query{FirstSeq: first, LastSeq: first + 200, Tenant: "acme"}}
		change := h.log.Archive
		if r.IntN(2) == 0 {
			change = h.log.Unarchive
		}
		if _, err := change(t.Context(), some); err != nil {
			t.Fatal(err)
		}
		h.clock.add(20 * time.Minute)
		if _, err := h.log.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.checkIndex()
	}
}

// checkIndex compares the index with the events.
func (h *house) checkIndex() {
	h.t.Helper()
	events := h.all(eventlog.Query{Archived: eventlog.All, Order: eventlog.Oldest, Limit: 1000})
	want := eventlog.Index(events)
	got := want[:0:0]
	if err := h.store.Writer().DB().Raw("SELECT term, block, bits FROM eventlog_terms ORDER BY term, block").Scan(&got).Error; err != nil {
		h.t.Fatal(err)
	}
	if a, b := fmt.Sprintln(got), fmt.Sprintln(want); a != b {
		h.t.Fatalf("the index isn't that of its events: %s", difference(a, b))
	}
	blocks := make(map[uint64]bool)
	for _, e := range events {
		blocks[e.Seq>>5] = true
	}
	newest := events[len(events)-1].Seq >> 5
	for level := range 5 {
		var nodes []uint64
		if err := h.store.Writer().DB().Raw("SELECT node FROM eventlog_spans WHERE level = ? AND node < ? ORDER BY node", level, newest>>(5*level)).Scan(&nodes).Error; err != nil {
			h.t.Fatal(err)
		}
		left := make(map[uint64]bool)
		for block := range blocks {
			if node := block >> (5 * level); node < newest>>(5*level) {
				left[node] = true
			}
		}
		if len(nodes) != len(left) {
			h.t.Fatalf("level %d of the spans has %d nodes before the newest, want %d", level, len(nodes), len(left))
		}
	}
}

// difference shows where two texts part.
func difference(a, b string) string {
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	from := strings.LastIndexByte(a[:i], '{')
	return fmt.Sprintf("got %.80s, want %.80s", a[max(from, 0):], b[max(from, 0):])
}

func TestAnEventWithMoreWordsThanTheIndexTakesIsFoundByEach(t *testing.T) {
	h := open(t, `{}`)
	var many []string
	for i := range 600 {
		many = append(many, fmt.Sprint("word", i))
	}
	h.record(say("vm.created", "big", map[string]string{"a": strings.Join(many, " "), "b": strings.Repeat("x", 100) + " " + strings.Repeat("é", 50) + "z"}), say("vm.created", "small", "word1"))
	for _, text := range []string{"word1", "word599", "word5*", `"word598 word599"`, strings.Repeat("x", 100), strings.Repeat("x", 80) + "*", strings.Repeat("é", 50) + "z"} {
		if page := h.list(eventlog.Query{Text: text, ResourceID: "big"}); len(page.Events) != 1 {
			t.Errorf("%q finds %d events, want 1", text, len(page.Events))
		}
	}
	for _, text := range []string{"word600", strings.Repeat("x", 99), strings.Repeat("é", 50)} {
		if page := h.list(eventlog.Query{Text: text}); len(page.Events) != 0 {
			t.Errorf("%q finds %d events, want none", text, len(page.Events))
		}
	}
	h.checkIndex()
}
