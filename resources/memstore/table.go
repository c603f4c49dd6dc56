package memstore

import (
	"reflect"
	"slices"
	"time"

	"github.com/cloudbus-go/cloudbus/bus"
	"github.com/cloudbus-go/cloudbus/fsm"
	"github.com/cloudbus-go/cloudbus/resources"
)

// table holds the committed rows of a kind. Rows are never altered, only replaced.
type table struct {
	typ     reflect.Type
	rows    map[string]any // *T by id
	ids     []string       // in order
	states  map[fsm.State]map[string]bool
	reports map[string]report // of stays, by id
}

// report is what was said about a resource that is stuck.
type report struct {
	state     fsm.State
	operation bus.ID
	at        time.Time
	times     int
}

func newTable(t reflect.Type) *table {
	return &table{typ: t, rows: map[string]any{}, states: map[fsm.State]map[string]bool{}, reports: map[string]report{}}
}

func (t *table) put(row any) {
	o := resources.ObjectOf(row)
	if old, ok := t.rows[o.ID]; !ok {
		at, _ := slices.BinarySearch(t.ids, o.ID)
		t.ids = slices.Insert(t.ids, at, o.ID)
	} else {
		delete(t.states[resources.ObjectOf(old).State], o.ID)
	}
	t.rows[o.ID] = row
	if t.states[o.State] == nil {
		t.states[o.State] = map[string]bool{}
	}
	t.states[o.State][o.ID] = true
}

func (t *table) remove(id string) {
	row, ok := t.rows[id]
	if !ok {
		return
	}
	at, _ := slices.BinarySearch(t.ids, id)
	t.ids = slices.Delete(t.ids, at, at+1)
	delete(t.states[resources.ObjectOf(row).State], id)
	delete(t.rows, id)
	delete(t.reports, id)
}

// page returns up to q.Limit rows that match, in order of ID, from q.After on.
func (t *table) page(q resources.Query, match func(row any) bool) []any {
	start, found := slices.BinarySearch(t.ids, q.After)
	if found {
		start++
	}
	var page []any
	for _, id := range t.ids[start:] {
		if len(page) == q.Limit {
			break
		}
		if row := t.rows[id]; match(row) {
			page = append(page, row)
		}
	}
	return page
}

// reported returns the newest report of a resource's stay; the zero report if there is none.
func (t *table) reported(o *resources.Object) report {
	if r := t.reports[o.ID]; r.state == o.State && r.operation == o.Operation {
		return r
	}
	return report{}
}
