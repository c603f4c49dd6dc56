package journal_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/bus/journal"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
)

var epoch = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// filled returns a journal with 600 events whose fields depend on their numbers.
func filled(t *testing.T) *journal.Journal {
	t.Helper()
	j := open(t, sqlite.Options{})
	attach(t, j)
	types := []string{"vm.created", "vm.state.running", "vm.state.stopped", "volume.state.ready", "vmware.created", "vm"}
	err := j.Do(t.Context(), func(tx *journal.Tx) error {
		for i := 1; i <= 600; i++ {
			_, err := tx.Append(note{Type: types[i%len(types)]}, func(h *bus.Header) {
				h.Kind, h.ResourceID = "vm", fmt.Sprint(i%10)
				h.Tenant = []string{"acme", "umbrella"}[i%2]
				h.Actor = []string{"", "user:1", "user:2"}[i%3]
				h.CorrelationID = fmt.Sprint(i / 4)
				h.Time = epoch.Add(time.Duration(i) * time.Second)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// pages reads all that q selects, page by page.
func pages(t *testing.T, j *journal.Journal, q journal.Query) (seqs []uint64) {
	t.Helper()
	for {
		page, err := j.Query(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page {
			seqs = append(seqs, r.Seq)
		}
		if len(page) < q.Limit {
			return seqs
		}
		if last := page[len(page)-1].Seq; q.Newest {
			q.Before = last
		} else {
			q.After = last
		}
	}
}

func TestQuerySelects(t *testing.T) {
	j := filled(t)
	for name, c := range map[string]struct {
		q     journal.Query
		holds func(i int) bool
	}{
		"all":               {journal.Query{}, func(int) bool { return true }},
		"any type":          {journal.Query{Type: ">"}, func(int) bool { return true }},
		"exact type":        {journal.Query{Type: "vm.created"}, func(i int) bool { return i%6 == 0 }},
		"prefix":            {journal.Query{Type: "vm.>"}, func(i int) bool { return i%6 < 3 }},
		"star in the midst": {journal.Query{Type: "*.state.*"}, func(i int) bool { return i%6 >= 1 && i%6 <= 3 }},
		"one token":         {journal.Query{Type: "*"}, func(i int) bool { return i%6 == 5 }},
		"prefix and star":   {journal.Query{Type: "vm.*"}, func(i int) bool { return i%6 == 0 }},
		"star and rest":     {journal.Query{Type: "*.state.>"}, func(i int) bool { return i%6 >= 1 && i%6 <= 3 }},
		"unknown type":      {journal.Query{Type: "nic.>"}, func(int) bool { return false }},
		"resource":          {journal.Query{Kind: "vm", ResourceID: "7"}, func(i int) bool { return i%10 == 7 }},
		"tenant and actor":  {journal.Query{Tenant: "acme", Actor: "user:2"}, func(i int) bool { return i%2 == 0 && i%3 == 2 }},
		"correlation":       {journal.Query{CorrelationID: "7"}, func(i int) bool { return i/4 == 7 }},
		"window of time":    {journal.Query{Since: epoch.Add(10 * time.Second), Until: epoch.Add(20 * time.Second)}, func(i int) bool { return i >= 10 && i < 20 }},
		"window of numbers": {journal.Query{After: 10, Before: 20, Type: "vm.>"}, func(i int) bool { return i > 10 && i < 20 && i%6 < 3 }},
	} {
		t.Run(name, func(t *testing.T) {
			var want []uint64
			for i := 1; i <= 600; i++ {
				if c.holds(i) {
					want = append(want, uint64(i))
				}
			}
			for _, limit := range []int{1, 7, 1000} {
				c.q.Limit, c.q.Newest = limit, false
				if limit == 1 {
					c.q.Limit = 1 + rand.IntN(5)
				}
				if got := pages(t, j, c.q); !slices.Equal(got, want) {
					t.Errorf("limit %d: %v, want %v", c.q.Limit, got, want)
				}
				c.q.Newest = true
				got := pages(t, j, c.q)
				slices.Reverse(got)
				if !slices.Equal(got, want) {
					t.Errorf("limit %d, newest first: %v, want %v", c.q.Limit, got, want)
				}
			}
		})
	}
	if page, err := j.Query(t.Context(), journal.Query{}); err != nil || len(page) != 100 {
		t.Errorf("no limit: %d records (%v), want 100", len(page), err)
	}
}

func TestQueryRefuses(t *testing.T) {
	j := open(t, sqlite.Options{})
	for name, c := range map[string]struct {
		q     journal.Query
		field string
	}{
		"empty token":       {journal.Query{Type: "vm..x"}, "Type"},
		"trailing dot":      {journal.Query{Type: "vm."}, "Type"},
		"> in the midst":    {journal.Query{Type: "vm.>.x"}, "Type"},
		"star in a token":   {journal.Query{Type: "vm.st*"}, "Type"},
		"white space":       {journal.Query{Type: "vm. x"}, "Type"},
		"negative limit":    {journal.Query{Limit: -1}, "Limit"},
		"limit too high":    {journal.Query{Limit: 1001}, "Limit"},
		"inverted numbers":  {journal.Query{After: 5, Before: 5}, "Before"},
		"inverted times":    {journal.Query{Since: epoch, Until: epoch.Add(-1)}, "Until"},
		"After too high":    {journal.Query{After: 1 << 63}, "After"},
		"Before too high":   {journal.Query{Before: 1 << 63}, "Before"},
		"time out of range": {journal.Query{Since: time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)}, "Since"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := j.Query(t.Context(), c.q)
			var wrong *journal.QueryError
			if !errors.As(err, &wrong) || wrong.Field != c.field {
				t.Errorf("%v, want a QueryError about %s", err, c.field)
			}
		})
	}
}

// Rare events are found through many pages that hold none.
func TestQueryFindsRareEvents(t *testing.T) {
	j := open(t, sqlite.Options{})
	attach(t, j)
	var want []uint64
	err := j.Do(t.Context(), func(tx *journal.Tx) error {
		for seq := uint64(1); seq <= 1100; seq++ {
			kind := "vm.state"
			if seq%256 <= 1 { // at the edges of pages
				kind, want = "vm.created", append(want, seq)
			}
			if _, err := tx.Append(note{Type: kind}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, limit := range []int{1, 3, 1000} {
		if got := pages(t, j, journal.Query{Type: "*.created", Limit: limit}); !slices.Equal(got, want) {
			t.Errorf("limit %d: %v, want %v", limit, got, want)
		}
		got := pages(t, j, journal.Query{Type: "*.created", Limit: limit, Newest: true})
		slices.Reverse(got)
		if !slices.Equal(got, want) {
			t.Errorf("limit %d, newest first: %v, want %v", limit, got, want)
		}
	}
}
