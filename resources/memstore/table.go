package memstore

import (
	"reflect"
	"slices"

	"github.com/cloudbus-go/cloudbus/resources"
)

// table holds the committed rows of a kind. Rows are never altered, only replaced.
type table struct {
	typ  reflect.Type
	rows map[string]any // *T by id
	ids  []string       // in order
}

func newTable(t reflect.Type) *table { return &table{typ: t, rows: map[string]any{}} }

func (t *table) put(row any) {
	id := resources.ObjectOf(row).ID
	if _, ok := t.rows[id]; !ok {
		at, _ := slices.BinarySearch(t.ids, id)
		t.ids = slices.Insert(t.ids, at, id)
	}
	t.rows[id] = row
}
