package eventlog_test

import (
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/plugins/eventlog"
	"pgregory.net/rapid"
)

// alternating are events in blocks of old and new ones, so that much that lies together spans times that nothing in it has.
func alternating(n int) []news {
	all := make([]news, n)
	for i := range all {
		all[i] = say("vm.created", "web-1", nil)
		if (i+1)/32%2 == 0 { // numbers begin at 1
			all[i].ago = 50 * time.Hour
		}
	}
	return all
}

// TestAWindowThatNothingHasEndsAPageToo: what a page may do in vain goes for times as well.
func TestAWindowThatNothingHasEndsAPageToo(t *testing.T) {
	h := open(t, `{"effort": 4}`)
	for range 8 {
		h.record(alternating(1024)...)
	}
	for _, order := range []string{eventlog.Newest, eventlog.Oldest} {
		q := eventlog.Query{Since: noon.Add(-30 * time.Hour), Until: noon.Add(-20 * time.Hour), Order: order}
		pages := 0
		for {
			page := h.list(q)
			if pages++; len(page.Events) != 0 || page.Partial != (page.Next != "") || pages > 100 {
				t.Fatalf("%s: page %d: %+v", order, pages, page)
			}
			if q.After = page.Next; q.After == "" {
				break
			}
		}
		if pages < 3 {
			t.Errorf("%s: %d pages for eight promises that aren't kept", order, pages)
		}
	}
}

// TestNothingBeyondTheNumbersIsLookedAt: the page is complete when they are.
func TestNothingBeyondTheNumbersIsLookedAt(t *testing.T) {
	h := open(t, `{"effort": 1}`)
	for range 8 {
		h.record(alternating(1024)...)
	}
	for _, q := range []eventlog.Query{
		{Since: noon.Add(-60 * time.Hour), FirstSeq: 8192, Order: eventlog.Newest}, {Since: noon.Add(-60 * time.Hour), FirstSeq: 32, LastSeq: 32, Order: eventlog.Oldest},
	} {
		if page := h.list(q); page.Partial || page.Next != "" || len(page.Events) == 0 {
			t.Errorf("%+v: %+v", q, page)
		}
	}
}

func TestWindowsOverAlternatingTimesGiveWhatANaiveFilterDoes(t *testing.T) {
	for _, config := range []string{`{"effort": 1}`, `{"effort": 6}`, `{}`} {
		h := open(t, config)
		for range 3 {
			h.record(alternating(1100)...)
			h.clock.add(5 * time.Hour)
		}
		everything := h.all(eventlog.Query{Order: eventlog.Oldest, Limit: 1000})
		rapid.Check(t, func(rt *rapid.T) {
			q := eventlog.Query{Order: rapid.SampledFrom([]string{eventlog.Newest, eventlog.Oldest}).Draw(rt, "order"), Limit: rapid.SampledFrom([]int{50, 1000}).Draw(rt, "limit")}
			q.Since = noon.Add(time.Duration(rapid.IntRange(-55, 12).Draw(rt, "since")) * time.Hour)
			q.Until = q.Since.Add(time.Duration(rapid.IntRange(1, 30).Draw(rt, "for")) * time.Hour)
			if rapid.Bool().Draw(rt, "numbers") {
				q.FirstSeq = uint64(rapid.IntRange(1, 3300).Draw(rt, "first"))
			}
			want := selectedTimes(q, everything)
			if got := seqs(h.all(q)); len(got) != len(want) {
				rt.Fatalf("%+v: %d events, want %d", q, len(got), len(want))
			}
		})
	}
}

func selectedTimes(q eventlog.Query, everything []*eventlog.Event) (want []uint64) {
	for _, e := range everything {
		if !e.Time.Before(q.Since) && e.Time.Before(q.Until) && e.Seq >= q.FirstSeq {
			want = append(want, e.Seq)
		}
	}
	return want
}
