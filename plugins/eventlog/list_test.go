package eventlog_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/plugins/eventlog"
	"pgregory.net/rapid"
)

// world is what random events are made of: few values, so that filters meet.
var world = struct{ types, tenants, kinds, ids, actors, words []string }{
	types:   []string{"vm.created", "vm.state.running", "vm.state.stopped", "vm.stuck", "volume.created", "volume.state.ready", "usage.vm.opened", "alert.stuck.raised"},
	tenants: []string{"", "acme", "globex"},
	kinds:   []string{"vm", "volume", ""},
	ids:     []string{"", "web-1", "web-2", "db"},
	actors:  []string{"", "user:1", "user:2"},
	words:   []string{"alpha", "beta", "gamma", "delta", "web-1", "web-10", "10.0.0.7"},
}

// someEvents are random.
func someEvents(r *rand.Rand, n int) []news {
	pick := func(from []string) string { return from[r.IntN(len(from))] }
	all := make([]news, n)
	for i := range all {
		var words []string
		for range r.IntN(5) {
			words = append(words, pick(world.words))
		}
		all[i] = news{
			said:  said{typ: pick(world.types), tenant: pick(world.tenants), kind: pick(world.kinds), id: pick(world.ids)},
			actor: pick(world.actors), correlation: pick([]string{"", "c1", "c2"}), ago: time.Duration(r.IntN(50)) * time.Minute,
		}
		all[i].data = map[string]any{"message": strings.Join(words, " "), "n": i, "nested": map[string]any{"note": pick(world.words)}}
	}
	return all
}

// question is a random query, without order and page.
func question(t *rapid.T) (q eventlog.Query) {
	maybe := func(what string, from []string) string {
		if rapid.IntRange(0, 3).Draw(t, what+"?") > 0 {
			return ""
		}
		return rapid.SampledFrom(from).Draw(t, what)
	}
	q = eventlog.Query{
		Kind: maybe("kind", world.kinds), ResourceID: maybe("resource", world.ids), Tenant: maybe("tenant", world.tenants), Actor: maybe("actor", world.actors),
		Type: maybe("type", append([]string{">", "vm.>", "*.state.*", "*.created", "vm.state.>", "*.*.opened", "nothing.>"}, world.types...)), CorrelationID: maybe("correlation", []string{"c1", "c2"}),
		Text:     maybe("text", []string{"alpha", "alpha beta", `"alpha beta"`, "al*", "web-1", "web-*", `"beta gamma" del*`, "10.0.0.7", "message", "7"}),
		Archived: maybe("archived", []string{"all", "true", "false"}),
	}
	if level := maybe("level", eventlog.Levels()); level != "" {
		q.Levels = []string{level, eventlog.Warning}
	}
	if rapid.IntRange(0, 3).Draw(t, "times?") == 0 {
		from := rapid.IntRange(-1, 49).Draw(t, "since")
		q.Since = noon.Add(-50 * time.Minute).Add(time.Duration(from) * time.Minute)
		q.Until = q.Since.Add(time.Duration(rapid.IntRange(1, 60).Draw(t, "for")) * time.Minute)
	}
	if rapid.IntRange(0, 3).Draw(t, "seqs?") == 0 {
		q.FirstSeq = uint64(rapid.IntRange(0, 200).Draw(t, "first"))
		q.LastSeq = q.FirstSeq + uint64(rapid.IntRange(0, 200).Draw(t, "last"))
	}
	return q
}

// naive asks an event for all that is in a query, knowing nothing of how the log does it.
func naive(q eventlog.Query, e *eventlog.Event) bool {
	for _, same := range [][2]string{{q.Kind, e.Kind}, {q.ResourceID, e.ResourceID}, {q.Tenant, e.Tenant}, {q.Actor, e.Actor}, {q.CorrelationID, e.CorrelationID}} {
		if same[0] != "" && same[0] != same[1] {
			return false
		}
	}
	if q.Type != "" {
		p, err := bus.ParsePattern(q.Type)
		if err != nil || !p.Match(e.Type) {
			return false
		}
	}
	switch q.Archived {
	case "", eventlog.Unarchived:
		if !e.ArchivedAt.IsZero() {
			return false
		}
	case eventlog.Archived:
		if e.ArchivedAt.IsZero() {
			return false
		}
	}
	return (len(q.Levels) == 0 || slices.Contains(q.Levels, e.Level)) &&
		(q.Since.IsZero() || !e.Time.Before(q.Since)) && (q.Until.IsZero() || e.Time.Before(q.Until)) &&
		e.Seq >= q.FirstSeq && (q.LastSeq == 0 || e.Seq <= q.LastSeq) && naiveText(q.Text, string(e.Data))
}

// naiveText knows what world's texts look like: {"message":"alpha beta","n":3,"nested":{"note":"gamma"}}.
func naiveText(text, data string) bool {
	parts := strings.Split(strings.NewReplacer(`{"message":"`, "", `","n":`, "\x00", `,"nested":{"note":"`, "\x00", `"}}`, "").Replace(data), "\x00")
	message, n, note := parts[0], parts[1], parts[2]
	words := append(append(strings.Fields(message), n), note)
	switch {
	case text == "":
		return true
	case text == `"alpha beta"`:
		return strings.Contains(" "+message+" ", " alpha beta ")
	case text == `"beta gamma" del*`:
		return strings.Contains(" "+message+" ", " beta gamma ") && slices.Contains(words, "delta")
	case text == "alpha beta":
		return slices.Contains(words, "alpha") && slices.Contains(words, "beta")
	case strings.HasSuffix(text, "*"):
		return slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, strings.TrimSuffix(text, "*")) })
	}
	return slices.Contains(words, text)
}

// TestWalkingBothWaysGivesWhatANaiveFilterDoes fills a log with random events, of which some are archived and some removed, and walks through it with random filters,
// forth and back, while others come; in pages that are let search as much as they like, and in such that must stop at once.
func TestWalkingBothWaysGivesWhatANaiveFilterDoes(t *testing.T) {
	for _, effort := range []int{1, 20, 1 << 20} {
		t.Run(fmt.Sprint("effort ", effort), func(t *testing.T) {
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			r := rand.New(rand.NewPCG(seed, 0))
			h := open(t, fmt.Sprintf(`{"effort": %d, "retention": [{"type": "usage.>", "keep": "30m"}]}`, effort))
			h.record(someEvents(r, 1500)...)
			if _, err := h.log.Archive(t.Context(), eventlog.Selection{Filter: &eventlog.Query{Tenant: "globex", LastSeq: 500}}); err != nil {
				t.Fatal(err)
			}
			h.clock.add(5 * time.Minute)
			if _, err := h.log.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			everything := h.all(eventlog.Query{Archived: eventlog.All, Order: eventlog.Oldest, Limit: 1000})
			last := everything[len(everything)-1].Seq
			rapid.Check(t, func(rt *rapid.T) {
				q := question(rt)
				q.Order = rapid.SampledFrom([]string{eventlog.Newest, eventlog.Oldest}).Draw(rt, "order")
				q.Limit = rapid.SampledFrom([]int{3, 10, 64, 1000}).Draw(rt, "limit")
				h.walk(rt, r, q, selected(q, everything), last)
			})
		})
	}
}

// selected returns what a naive filter over all events gives.
func selected(q eventlog.Query, everything []*eventlog.Event) []uint64 {
	var want []uint64
	for _, e := range everything {
		if naive(q, e) {
			want = append(want, e.Seq)
		}
	}
	if q.Order == eventlog.Newest {
		slices.Reverse(want)
	}
	return want
}

// walk goes through a listing to its end, and back, while events come. Those after the last that counts are left out of account.
func (h *house) walk(rt *rapid.T, r *rand.Rand, q eventlog.Query, want []uint64, last uint64) {
	old := func(page *eventlog.Page) []uint64 {
		return slices.DeleteFunc(seqs(page.Events), func(seq uint64) bool { return seq > last })
	}
	var forth []uint64
	page := h.list(q)
	if page.Previous != "" {
		rt.Fatalf("%+v: the first page has a previous one, %s", q, page.Previous)
	}
	for forth = old(page); page.Next != ""; forth = append(forth, old(page)...) {
		if r.IntN(20) == 0 {
			h.record(someEvents(r, 1)...)
		}
		q.After = page.Next
		page = h.list(q)
		if len(page.Events) < q.Limit && page.Next != "" && !page.Partial {
			rt.Fatalf("%+v: a page has %d events, isn't partial, and there is a next one", q, len(page.Events))
		}
	}
	if !slices.Equal(forth, want) {
		rt.Fatalf("%+v: forth %v, want %v", q, forth, want)
	}
	back := old(page)
	for q.After = ""; page.Previous != ""; back = append(old(page), back...) {
		q.Before = page.Previous
		page = h.list(q)
	}
	if !slices.Equal(back, want) {
		rt.Fatalf("%+v: back %v, want %v", q, back, want)
	}
}
