package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
)

func testPages(t *testing.T, open Open) {
	r := newRig(t, open)
	want := []string{"A", "Z", "a", "a-", "a.", "a10", "a9", "b", "é", "日本"} // bytewise, not by any language's rules
	for _, i := range []int{4, 8, 0, 9, 2, 6, 1, 7, 3, 5} {
		r.create(t, Gadget{Object: resources.Object{ID: want[i]}})
	}
	for _, limit := range []int{1, 3, 5, 10, 1000} {
		t.Run(fmt.Sprint("limit ", limit), func(t *testing.T) {
			var got []string
			q := resources.Query{Limit: limit}
			for range 20 {
				page := must[resources.Page[Gadget]](t)(r.gadgets.List(t.Context(), q))
				if len(page.Items) > limit {
					t.Fatalf("%d items, limit %d", len(page.Items), limit)
				}
				for _, g := range page.Items {
					got = append(got, g.ID)
				}
				if page.Next == "" {
					break
				}
				q.After = page.Next
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func testFilters(t *testing.T, open Open) {
	r := newRig(t, open)
	due, peer := time.Date(2030, 1, 1, 0, 0, 0, 1, time.UTC), bus.NewID(time.Now())
	for i, g := range []Gadget{
		{Label: "red", Grade: "a", Size: 1, Shiny: true},
		{Label: "red", Grade: "b", Size: 2, Due: due},
		{Label: "it's; DROP TABLE gadgets", Size: -0, Ratio: 0.5},
		{Label: "blue", Size: 1, Peer: peer, Parts: 7, Small: -3},
	} {
		g.ID, g.Tenant = fmt.Sprint("g", i), []string{"acme", "", "acme", "b"}[i]
		r.create(t, g)
	}
	must[GadgetChanged](t)(r.gadgets.Fire(t.Context(), "g0", StartRequested))
	for name, test := range filterCases(due, peer) {
		t.Run(name, func(t *testing.T) {
			page := must[resources.Page[Gadget]](t)(r.gadgets.List(t.Context(), test.query))
			var got []string
			for _, g := range page.Items {
				got = append(got, g.ID)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	huge := r.create(t, Gadget{Size: 1 << 60})
	page := must[resources.Page[Gadget]](t)(r.gadgets.List(t.Context(), where("size", float64(1<<60))))
	if len(page.Items) != 1 || page.Items[0].ID != huge.ID {
		t.Errorf("an int of 2^60 as JSON: %+v", page.Items)
	}
	var unknown *resources.UnknownError
	if _, err := r.gadgets.List(t.Context(), where("password", "x")); !errors.As(err, &unknown) {
		t.Errorf("a secret as filter: %v, want an UnknownError", err)
	}
}

type filterCase struct {
	query resources.Query
	want  []string // ids
}

func filterCases(due time.Time, peer bus.ID) map[string]filterCase {
	return map[string]filterCase{
		"all":              {resources.Query{}, []string{"g0", "g1", "g2", "g3"}},
		"tenant":           {resources.Query{Tenant: "acme"}, []string{"g0", "g2"}},
		"state":            {resources.Query{States: fsm.States(Starting)}, []string{"g0"}},
		"states":           {resources.Query{States: fsm.States(Starting, Off)}, []string{"g0", "g1", "g2", "g3"}},
		"string":           {where("label", "red"), []string{"g0", "g1"}},
		"any of":           {where("label", []string{"blue", "red", "green"}), []string{"g0", "g1", "g3"}},
		"any of none":      {where("label", []string{}), nil},
		"quotes":           {where("label", "it's; DROP TABLE gadgets"), []string{"g2"}},
		"named type":       {where("grade", Grade("b")), []string{"g1"}},
		"named as string":  {where("grade", "b"), []string{"g1"}},
		"int":              {where("size", 1), []string{"g0", "g3"}},
		"int as string":    {where("size", "1"), []string{"g0", "g3"}},
		"int as JSON":      {where("size", float64(1)), []string{"g0", "g3"}},
		"small int":        {where("small", -3), []string{"g3"}},
		"unsigned":         {where("parts", 7), []string{"g3"}},
		"float":            {where("ratio", 0.5), []string{"g2"}},
		"bool":             {where("shiny", true), []string{"g0"}},
		"bool as string":   {where("shiny", "false"), []string{"g1", "g2", "g3"}},
		"time":             {where("due", due.In(time.FixedZone("w", -3600))), []string{"g1"}},
		"time as string":   {where("due", "2030-01-01T00:00:00.000000001Z"), []string{"g1"}},
		"zero time":        {where("due", time.Time{}), []string{"g0", "g2", "g3"}},
		"id":               {where("peer", peer), []string{"g3"}},
		"id as string":     {where("peer", peer.String()), []string{"g3"}},
		"no id":            {where("peer", ""), []string{"g0", "g1", "g2"}},
		"engine's field":   {where("version", 2), []string{"g0"}},
		"state as a field": {where("state", "off"), []string{"g1", "g2", "g3"}},
		"two fields":       {resources.Query{Where: map[string]any{"label": "red", "size": 2}}, []string{"g1"}},
		"all together":     {resources.Query{Tenant: "acme", States: fsm.States(Off), Where: map[string]any{"ratio": "0.5"}, After: "g1", Limit: 1}, []string{"g2"}},
		"nothing":          {where("label", "Red"), nil},
	}
}

// where asks for one value of one field.
func where(field string, value any) resources.Query {
	return resources.Query{Where: map[string]any{field: value}}
}
