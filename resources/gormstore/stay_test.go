package gormstore_test

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/cloudbus-go/cloudbus/resources"
	"github.com/cloudbus-go/cloudbus/resources/gormstore"
	"github.com/cloudbus-go/cloudbus/resources/gormstore/sqlite"
	"github.com/cloudbus-go/cloudbus/resources/storetest"
	"github.com/cloudbus-go/cloudbus/resources/vm"
)

// What is stuck is looked for at each start: it must not cost more with a million resources than with a thousand.
func TestStaysAreFoundByTheirIndex(t *testing.T) {
	store, err := sqlite.Open(filepath.Join(t.TempDir(), "cloud.db"), sqlite.Options{Readers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close(t.Context()) }()
	for _, k := range []*resources.Info{
		{Name: vm.Kind, Type: reflect.TypeFor[vm.VM]()},
		{Name: "gadget", Type: reflect.TypeFor[storetest.Gadget]()}, // whose migrations make no such index
	} {
		if err := store.Bind(t.Context(), k); err != nil {
			t.Fatal(err)
		}
		for text, plan := range plans(t, store, k) {
			if !strings.Contains(plan, "_stay (state=?") && !strings.Contains(plan, "resources_stuck_due") || strings.Contains(plan, "SCAN") && !strings.Contains(plan, "SCAN CONSTANT ROW") {
				t.Errorf("%s\nis planned as\n%s", text, plan)
			}
		}
	}
}

func plans(t *testing.T, store *gormstore.Store, k *resources.Info) map[string]string {
	t.Helper()
	texts, err := store.StayTexts(k)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.CountStates(t.Context(), k); err != nil { // EXPLAIN doesn't notice that the schema has changed
		t.Fatal(err)
	}
	all := map[string]string{}
	for text, n := range texts {
		var steps []struct{ Detail string }
		if err := store.Writer().DB().Raw("EXPLAIN QUERY PLAN "+text, make([]any, n)...).Scan(&steps).Error; err != nil {
			t.Fatal(err)
		}
		for _, s := range steps {
			all[text] += s.Detail + "\n"
		}
	}
	return all
}
